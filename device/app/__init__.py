"""The composition root: the only place that builds everything. Nothing here decides anything.

`build_brain` makes what understands and acts; `build_assistant` puts ears and a mouth around it.
"""

from device.app.brain import Brain, build_brain
from device.app.edge import EdgeLoop, make_edge_loop
from device.app.parts import (
    BUNDLE,
    bundle_folders,
    compiled_grammar,
    driver,
    fit_model,
    foreign_intents,
    load_all_packs,
    load_language_model,
    make_home,
    make_player,
    trusted_keys,
)
from device.app.voice import (
    Engines,
    build_assistant,
    listen_config,
    load_engines,
    make_listener,
    make_stt_engine,
    make_tts_engine,
    make_wake_engine,
    say_problems,
)

__all__ = [
    "BUNDLE",
    "Brain",
    "EdgeLoop",
    "Engines",
    "build_assistant",
    "build_brain",
    "bundle_folders",
    "compiled_grammar",
    "driver",
    "fit_model",
    "foreign_intents",
    "listen_config",
    "load_all_packs",
    "load_engines",
    "load_language_model",
    "make_edge_loop",
    "make_home",
    "make_listener",
    "make_player",
    "make_stt_engine",
    "make_tts_engine",
    "make_wake_engine",
    "say_problems",
    "trusted_keys",
]
