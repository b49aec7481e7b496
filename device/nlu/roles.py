"""Which span fills which slot, where an intent has several slots of one type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.nlu.onnx_model import SlotSpan
from device.nlu.pack import IntentSpec

_NEAR: Final = 1
"""Words that may stand between a quantity and what it counts ("noon | in | london")."""

_QUANTITIES: Final = frozenset({"amount", "time"})


def assign(spec: IntentSpec, spans: Sequence[SlotSpan]) -> dict[str, tuple[int, int]]:
    """Slot name to start and end (exclusive) word.

    Spans of one type fill the slots of that type in the order in which the pack declares them. What is left over
    extends the last one ("six | in the morning", "milk | and eggs"). `from` goes with the quantity, whatever comes
    first: "how many miles are five kilometers" asks for miles.
    """
    slots: dict[str, list[str]] = {}
    for name in spec.slots:
        slots.setdefault(spec.slot_type(name), []).append(name)
    filled: dict[str, tuple[int, int]] = {}
    for type_, names in slots.items():
        found = [(span.start, span.end) for span in spans if span.type == type_]
        if len(found) > len(names):
            found = [*found[: len(names) - 1], (found[len(names) - 1][0], found[-1][1])]
        if names == ["from", "to"] and len(found) == 2 and _counted(found[1], spans) and not _counted(found[0], spans):
            found.reverse()
        filled |= dict(zip(names, found, strict=False))
    return filled


def _counted(span: tuple[int, int], spans: Sequence[SlotSpan]) -> bool:
    """True if a quantity ends right before this span."""
    return any(0 <= span[0] - other.end <= _NEAR for other in spans if other.type in _QUANTITIES)
