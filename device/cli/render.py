"""What a turn looks like: one stable JSON object for programs, a few calm lines for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from device.dialogue.conversation import Turn
from device.dialogue.spoken import say
from device.errors import DeviceError
from device.nlu.resolve import to_json
from device.nlu.types import Interpretation, Slot
from device.skills.api import Change
from device.skills.ports import Json

State = Literal["ok", "warning", "problem"]
"""How something is that was looked at."""

_BAR = 28
_SHOWN_MS = 0.05
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


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


def show_problems(problems: Iterable[DeviceError], label: str = "note") -> None:
    """Tell what is not as it should be, on standard error."""
    console = Console(stderr=True, highlight=False)
    for problem in problems:
        show_row(console, Text(f"  {label:<4} ", "bold yellow"), Text(str(problem), "yellow"))


def show_row(console: Console, label: Text, body: Text) -> None:
    """A label and what belongs to it; long text goes on under itself."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(label, body)
    console.print(grid)


def show_finding(console: Console, state: State, what: str, detail: str, remedy: str) -> None:
    """One thing that was looked at, how it is, and what can be done about it."""
    mark, style = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}[state]
    show_row(console, Text.assemble((f" {mark} ", style), f"{what:<16}"), Text(detail, "dim"))
    if remedy:
        show_row(console, Text(" " * 19), Text(f"→ {remedy}", style))
    console.file.flush()


def describe(change: Change) -> str:
    """A change in words: "light dim: kitchen, brightness 40"."""
    target = change.target.removeprefix(f"{change.skill}.").replace("_", " ")
    said = {change.skill, change.action}
    details = [part for part in (target, *(_value(*item) for item in change.set.items())) if part and part not in said]
    action = f"{change.skill} {change.action.replace('_', ' ')}"
    return f"{action}: {', '.join(details)}" if details else action


def _value(key: str, value: Json) -> str:
    """One thing that was set, in words; empty if there is nothing to say."""
    name = key.removesuffix("_s").replace("_", " ")
    match value:
        case bool():
            return name if value else "off" if name == "on" else f"not {name}"
        case int() | float() if key.endswith("_s"):
            return f"{name} {say(timedelta(seconds=value))}"
        case int() | float():
            return f"{name} {value:g}"
        case str() if _ISO.fullmatch(value):
            return f"{name} {datetime.fromisoformat(value):%a %d %b %H:%M}"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(filter(None, (_value(inner, part) for inner, part in value.items())))
    return "" if value is None else str(value)


def show_turn(console: Console, turn: Turn, *, explain: bool = False) -> None:
    """Print a turn: what was heard, what was done, what is answered; with `explain` also why and how fast."""
    show_row(console, Text("  you  ", "bold cyan"), Text(turn.transcript or "…"))
    if explain:
        for reading in turn.interpretations:
            show_row(console, Text("       "), explanation(reading))
    for change in turn.changes:
        show_row(console, Text("   ↳   ", "green"), Text(describe(change), "green"))
    if turn.reply:
        show_row(console, Text("  home ", "bold magenta"), Text(turn.reply))
    if explain and turn.timeline_ms:
        show_timeline(console, turn.timeline_ms)


def explanation(reading: Interpretation) -> Text:
    """One interpretation with its reasons."""
    slots = "  ".join(f"{name}=“{slot.text}”" for name, slot in reading.slots.items())
    head = reading.intent or str(reading.act)
    text = Text.assemble((head, "yellow"), ("  " + slots if slots else "", "yellow"))
    text.append(f"  {reading.source} {reading.confidence:.2f}", "dim")
    for reason in reading.reasons:
        text.append(f"\n  · {reason}", "dim")
    return text


def show_timeline(console: Console, timeline_ms: Mapping[str, float]) -> None:
    """One bar a stage on a common scale; the speech itself, which is no waiting, only as a number.

    Stages too short to be seen in the numbers are left out.
    """
    timeline_ms = {stage: ms for stage, ms in timeline_ms.items() if ms >= _SHOWN_MS}
    stages = {stage: ms for stage, ms in timeline_ms.items() if stage != "speech"}
    longest = max(stages.values(), default=0.0) or 1.0
    for stage, ms in timeline_ms.items():
        bar = "" if stage == "speech" else "━" * max(1, round(_BAR * ms / longest))
        row = ("       ", ""), (f"{stage:<8}", "dim"), (f"{ms:8.1f} ms ", "dim"), (bar, "blue")
        console.print(Text.assemble(*row))
