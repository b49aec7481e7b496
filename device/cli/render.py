"""What a turn looks like: one stable JSON object for programs, a few calm lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from device.dialogue.conversation import Turn
from device.nlu.resolve import to_json
from device.nlu.types import Interpretation, Slot

_BAR = 28


def slot_json(slot: Slot) -> dict[str, Any]:
    """A slot as `text` and `value`."""
    return {"text": slot.text, "value": None if slot.value is None else to_json(slot.value)}


def interpretation_json(reading: Interpretation) -> dict[str, Any]:
    """One interpretation; `intent` is empty for a bare answer such as "yes"."""
    return {
        "intent": reading.intent,
        "act": str(reading.act),
        "slots": {name: slot_json(slot) for name, slot in reading.slots.items()},
        "confidence": round(reading.confidence, 4),
        "source": reading.source,
        "reasons": list(reading.reasons),
    }


def turn_json(turn: Turn) -> dict[str, Any]:
    """The object that `homebody ask --json` prints; programs rely on its keys.

    Returns:
        `transcript`, `interpretations` (one for each command, in order), `reply`, `changes` (what it did),
        `expects_answer`, `failed`, `timeline_ms` (stage to milliseconds).
    """
    return {
        "transcript": turn.transcript,
        "interpretations": [interpretation_json(reading) for reading in turn.interpretations],
        "reply": turn.reply,
        "changes": [
            {"skill": c.skill, "action": c.action, "target": c.target, "set": dict(c.set)} for c in turn.changes
        ],
        "expects_answer": turn.expects_answer,
        "failed": turn.failed,
        "timeline_ms": {stage: round(ms, 2) for stage, ms in turn.timeline_ms.items()},
    }


def show_turn(console: Console, turn: Turn, *, explain: bool = False) -> None:
    """Print a turn: what was heard, what was done, what is answered; with `explain` also why and how fast."""
    console.print(Text.assemble(("  you  ", "bold cyan"), turn.transcript or "…"))
    if explain:
        for reading in turn.interpretations:
            console.print(explanation(reading))
    for change in turn.changes:
        values = ", ".join(f"{key} {value}" for key, value in change.set.items())
        words = " ".join(part for part in (f"{change.skill}.{change.action}", change.target, values) if part)
        console.print(Text.assemble(("   ↳   ", "green"), (words, "green")))
    if turn.reply:
        console.print(Text.assemble(("  home ", "bold magenta"), turn.reply))
    if explain and turn.timeline_ms:
        show_timeline(console, turn.timeline_ms)


def explanation(reading: Interpretation) -> Text:
    """One interpretation with its reasons."""
    slots = "  ".join(f"{name}=“{slot.text}”" for name, slot in reading.slots.items())
    head = reading.intent or str(reading.act)
    text = Text.assemble(("       ", ""), (head, "yellow"), ("  " + slots if slots else "", "yellow"))
    text.append(f"  {reading.source} {reading.confidence:.2f}", "dim")
    for reason in reading.reasons:
        text.append(f"\n         · {reason}", "dim")
    return text


def show_timeline(console: Console, timeline_ms: Mapping[str, float]) -> None:
    """One bar a stage on a common scale; the speech itself, which is no waiting, only as a number."""
    stages = {stage: ms for stage, ms in timeline_ms.items() if stage != "speech"}
    longest = max(stages.values(), default=0.0) or 1.0
    for stage, ms in timeline_ms.items():
        bar = "" if stage == "speech" else "━" * max(1, round(_BAR * ms / longest))
        row = ("       ", ""), (f"{stage:<8}", "dim"), (f"{ms:8.1f} ms ", "dim"), (bar, "blue")
        console.print(Text.assemble(*row))
