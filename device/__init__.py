"""What ships: the software inside the gadget.

Hears, understands, answers and acts with no network. Imports neither torch nor transformers, and neither
`quantize` nor `firmware_sim`; `app.py` is the only place that builds everything.
"""

import os

# Official builds of onnxruntime report their use to Microsoft since 1.29, and keep a device identifier in the user's
# cache folder (https://github.com/microsoft/onnxruntime/pull/27379). This is the whole opt-out, and it counts only
# before onnxruntime starts; here it holds for every library that brings onnxruntime along, too.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
