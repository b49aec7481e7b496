"""The timeline of a scenario that was played: what was done, heard, understood, said and found, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firmware_sim.scenario.played import Failure, Played, Status
from firmware_sim.scenario.trace import Record

Tone: TypeAlias = Literal["step", "fault", "quiet", "heard", "change", "answer", "ring", "trouble"]
"""What kind of thing a row tells; terminals and pages colour by it."""

STATUS_STYLES: Final[Mapping[Status, str]] = {
    "passed": "bold green",
    "expected failure": "bold yellow",
    "failed": "bold red",
    "passed unexpectedly": "bold red",
    "broken": "bold white on red",
}
"""How terminals show a status."""

_STYLES: Final[Mapping[Tone, str]] = {
    "step": "bold cyan",
    "fault": "bold yellow",
    "quiet": "dim",
    "heard": "",
    "change": "green",
    "answer": "magenta",
    "ring": "bold yellow",
    "trouble": "bold red",
}

_LABELS: Final = 9
"""Characters that a label takes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline.

    Attributes:
        at: Simulated seconds since the beginning.
        label: What kind of thing happened, in a word.
        text: What happened.
        tone: How it is coloured.
        line: Line of a step in the scenario's file; 0 for all else.
        room: Where it happened, where there are several devices.
    """

    at: float
    label: str
    text: str
    tone: Tone
    line: int = 0
    room: str = ""


def timeline(played: Played) -> RenderableType:
    """The timeline for a terminal, and at its end what was not as expected."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(justify="right", style="dim cyan", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True, min_width=_LABELS)
    grid.add_column(overflow="fold")
    before: Row | None = None
    for row in rows(played):
        style = _STYLES[row.tone]
        what = Text(_words(row), style.removeprefix("bold "))
        same = before is not None and before.at == row.at and not row.line
        grid.add_row("" if same else clock_time(row.at), _line(row), Text(row.label, style), what)
        before = row
    found = Text("\n".join(findings(played)), STATUS_STYLES[played.status].removeprefix("bold "))
    parts: list[RenderableType] = [_title(played), grid]
    return Group(*parts, *([] if played.status == "passed" else [found]))


def lines(played: Played) -> list[str]:
    """The timeline as plain text, and at its end what was not as expected."""
    told = list(rows(played))
    width = max((len(clock_time(row.at)) for row in told), default=0)
    return [
        *(
            f"{clock_time(row.at):>{width}} {_line(row):>5} {row.label:>{_LABELS}}  {_words(row)}".rstrip()
            for row in told
        ),
        *findings(played),
    ]


def failure_text(played: Played) -> str:
    """What was expected and what was found instead; each finding begins with `file:line:`."""
    return "\n".join(findings(played))


def findings(played: Played) -> list[str]:
    """What was not as expected, as lines of text; nothing of a scenario that passed."""
    here = f"{shown_path(played.file)}:{played.line}:"
    found = [line for failure in played.failures for line in _finding(played.file, failure)]
    match played.status:
        case "expected failure":
            return [f"{here} fails as expected: {played.reason}", *found]
        case "passed unexpectedly":
            return [
                f"{here} passes, though it was expected to fail: {played.reason}",
                "    Take its line `expected_failure` out.",
            ]
        case "broken":
            return [*found, f"{here} the device or the simulator broke", *_indented(played.reason)]
    return found


def rows(played: Played) -> Iterator[Row]:
    """The trace as rows, in order; a turn takes several."""
    for record in played.records:
        room = str(record.data.get("room", ""))
        for label, text, tone in _told(record):
            yield Row(record.at, label, text, tone, record.data.get("line", 0) if record.kind == "step" else 0, room)


def clock_time(at: float) -> str:
    """Simulated seconds as m:ss.mmm, and from one hour on as h:mm:ss.mmm."""
    whole, ms = divmod(round(1000 * at), 1000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{ms:03}" if hours else f"{minutes}:{seconds:02}.{ms:03}"


def duration(seconds: float) -> str:
    """A span of time for people: 1.24 s, 3 min 20 s, 8 h 00 min, 30 d 2 h."""
    if seconds < 59.995:
        return f"{seconds:.{2 if seconds < 10 else 1}f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    hours = round(seconds / 3600)
    return f"{hours // 24:,} d {hours % 24} h".replace(",", " ")


def shown_path(file: Path) -> str:
    """A file as people and editors call it: seen from the working directory, if it is below that."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


def plain(value: Any) -> str:
    """A value as one would write it down; a text in quotation marks, so that an empty one is seen."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{value}”"
        case float():
            return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
        case Mapping():
            return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
        case Sequence() | set() | frozenset():
            return "[" + ", ".join(plain(item) for item in value) + "]"
    return str(value)


def _finding(file: Path, failure: Failure) -> list[str]:
    wide = max((len(miss.key) for miss in failure.misses), default=0)
    told = [f"{shown_path(file)}:{failure.line}: step {failure.step} is not as expected: {failure.action}"]
    for miss in failure.misses:
        told.append(f"    {miss.key:<{wide}}  expected  {plain(miss.wanted)}")
        told.append(f"    {'':<{wide}}     found  {plain(miss.found)}")
    return told


def _told(record: Record) -> Iterator[tuple[str, str, Tone]]:
    """Label, text and tone of each row that a record makes."""
    data = record.data
    match record.kind:
        case "step":
            action, _, what = str(data["does"]).partition(" ")
            yield action, what, "fault" if action == "fault" else "step"
        case "phase":
            yield "phase", str(data["phase"]).replace("_", " "), "quiet"
        case "turn":
            yield from _turn(data)
        case "sound":
            yield "sounds", f"{data['after_speech_ms']:.0f} ms after the last word", "quiet"
        case "rings":
            yield "rings", f"{data['ring']}: {data['words']}", "ring"
        case "interrupted":
            yield "cut short", "", "ring"
        case "trouble":
            yield "trouble", f"{data['error']}: {data['message']}", "trouble"
        case "died":
            yield "died", "the power went in the middle of a write", "trouble"
        case "house":
            yield "house", f"{data['appliance']}  {_state(data, 'appliance')}", "change"
        case _:
            yield record.kind, _state(data), "change"


def _turn(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Tone]]:
    yield "heard", str(data["heard"]) or "nothing", "heard"
    for intent, slots, source in zip(data["intents"], data["slots"], data["source"], strict=True):
        named = "".join(f"  {name}=“{text}”" for name, text in slots.items())
        yield "means", f"{intent}{named}  ({source})", "heard"
    for change in data["changes"]:
        yield "does", str(change), "change"
    took = [f"{stage} {ms:g}" for stage, ms in data["ms"].items() if ms]
    if took:
        yield "took", f"{', '.join(took)} ms", "quiet"
    yield ("says", data["reply"], "answer") if data["reply"] else ("says", "nothing", "quiet")


def _state(data: Mapping[str, Any], *named: str) -> str:
    return "  ".join(
        f"{key} {value if isinstance(value, str) else plain(value)}"
        for key, value in data.items()
        if key not in ("room", *named)
    )


def _title(played: Played) -> Text:
    style = STATUS_STYLES[played.status]
    where = f"  {shown_path(played.file)}:{played.line}  {duration(played.simulated)}"
    return Text.assemble((f"{played.status} ", style), (played.name, "bold"), (where, "dim"))


def _line(row: Row) -> str:
    return f":{row.line}" if row.line else ""


def _words(row: Row) -> str:
    return f"[{row.room}] {row.text}" if row.room else row.text


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.rstrip().splitlines()]
