"""What ships: the software inside the gadget.

Hears, understands, answers and acts with no network. Imports neither torch nor transformers, and neither
`quantize` nor `firmware_sim`; `app.py` is the only place that builds everything.
"""
