"""What a model is: architecture, label schema, bundle manifest, and the artefacts that ship.

`labels` and `manifest` are plain Python and shared with the device; `joint` needs torch and is the factory's.
"""
