"""Words to values: what a slot's words mean, given its type, the present moment and the household's names.

`resolve` is the door. Input is always in spoken form (`device.nlu.text.spoken`): "half past six", never "6:30".
Everything is pure: the moment comes in as `ResolveContext.now`, so the same words always give the same value.
"""

from device.nlu.resolve.context import ResolveContext
from device.nlu.resolve.dispatch import candidates, resolve
from device.nlu.resolve.json import to_json
from device.nlu.resolve.phrase import When, parse_when
from device.nlu.resolve.when import next_occurrence, occurrences

__all__ = [
    "ResolveContext",
    "When",
    "candidates",
    "next_occurrence",
    "occurrences",
    "parse_when",
    "resolve",
    "to_json",
]
