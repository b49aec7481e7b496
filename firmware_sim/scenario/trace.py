"""What a gadget did and when: one record an event, in order, the same in every run of the same scenario."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from device.errors import DeviceError
from device.events import Interrupted, Observation, PhaseChanged, Rang, SoundBegan, Trouble, TurnDone


class Record(msgspec.Struct, frozen=True):
    """One event: simulated seconds since the beginning, what kind, and what there is to say of it."""

    at: float
    kind: str
    data: Mapping[str, Any] = {}

    def __str__(self) -> str:
        said = "  ".join(f"{key} {_short(value)}" for key, value in self.data.items() if value not in ("", (), [], {}))
        return f"{self.at:10.3f}  {self.kind:<10}  {said}"


class Trace:
    """The records of one run."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, at: float, kind: str, **data: Any) -> None:
        """Write something down; times are kept to the millisecond."""
        self.records.append(Record(round(at, 3), kind, data))

    def digest(self) -> str:
        """SHA-256 over all records: two runs did the same if they have the same."""
        return digest(self.records)


def digest(records: Iterable[Record]) -> str:
    """SHA-256 over some records, in hexadecimal."""
    sum_ = hashlib.sha256()
    for record in records:
        sum_.update(msgspec.json.encode(record, order="sorted"))
    return sum_.hexdigest()


def describe(seen: Observation) -> tuple[str, dict[str, Any]]:
    """Kind and data of an observation of the device."""
    match seen:
        case PhaseChanged(phase):
            return "phase", {"phase": phase.value}
        case TurnDone(turn, _, ignored):
            return "turn", {
                "heard": turn.transcript,
                "intents": [reading.intent or str(reading.act) for reading in turn.interpretations],
                "slots": [{name: slot.text for name, slot in r.slots.items()} for r in turn.interpretations],
                "source": [f"{reading.source} {reading.confidence:.2f}" for reading in turn.interpretations],
                "changes": [f"{change.skill}.{change.action} {change.target}".strip() for change in turn.changes],
                "reply": "" if ignored else turn.reply,
                "ms": {stage: round(ms, 1) for stage, ms in turn.timeline_ms.items()},
            }
        case SoundBegan(latency, after_speech):
            return "sound", {"after_endpoint_ms": _ms(latency), "after_speech_ms": _ms(after_speech)}
        case Rang(ring, words):
            return "rings", {"ring": ring.kind, "words": words}
        case Interrupted():
            return "interrupted", {}
        case Trouble(error):
            return "trouble", {"error": type(error).__name__, "message": message(error)}


def message(error: DeviceError) -> str:
    """What an error says, without a number of this machine's own, such as a path in a temporary folder."""
    return Exception.__str__(error)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_short(v)}" for key, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(item) for item in value)
    return f"“{value}”" if isinstance(value, str) and " " in value else str(value)
