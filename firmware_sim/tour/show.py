"""What the tour looks and sounds like: a few lines a sentence, the house at its end, and one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import DeviceError
from device.events import Interrupted, Observation, Rang, SoundBegan, Trouble, TurnDone
from device.nlu.types import Interpretation
from device.skills.api import Change, Services
from device.skills.ports import House
from device.store.items import Items
from firmware_sim.home.house import INITIAL
from firmware_sim.sound.speaker import Heard

LONGEST_SILENCE: Final = 0.8
"""Seconds to which longer silences of the recording are cut."""

LEVEL: Final = 3000.0
"""RMS to which person and device are brought in the recording, pauses not counted."""

_QUIET: Final = 100
_OPPOSITE: Final = {"on": "off", "locked": "unlocked"}
_MARGIN: Final = 9


class DemoDisplay:
    """Prints each sentence with what was heard, why, what was done, the answer, and how long it took."""

    def __init__(self, console: Console, house: House, *, explain: bool) -> None:
        self._console = console
        self._names = {appliance.id: appliance.name for appliance in house.appliances()}
        self._explain = explain
        self._last: TurnDone | None = None
        self._replies: list[SoundBegan] = []
        self._ringing = False

    def scene(self, number: int, title: str, now: datetime) -> None:
        """Head a scene."""
        self._console.print()
        self._console.print(Text.assemble((f"{number:>2}  {title}", "bold"), (f"  {now:%H:%M}", "dim")))

    def says(self, text: str) -> None:
        """What the person says next."""
        self._line("person", text, "bold cyan", "cyan")

    def problem(self, error: DeviceError) -> None:
        """What is not as it should be."""
        self._line("note", str(error), "yellow", "yellow")

    def __call__(self, seen: Observation) -> None:
        """Show one observation."""
        match seen:
            case TurnDone():
                self._turn(seen)
            case SoundBegan() if self._last is not None:
                self._replies.append(seen)
                if self._explain:
                    self._line("", _times(self._last, seen), "dim", "dim")
                self._last = None
            case Rang(_, words):
                self._ringing = True
                self._line("rings", words, "bold yellow")
            case Interrupted():
                self._line("", "the bell is silent" if self._ringing else "stops speaking at once", "dim", "dim")
                self._ringing = False
            case Trouble(error):
                self._line("trouble", str(error), "bold red")

    def summary(self) -> None:
        """How fast it answered."""
        times = [1000 * reply.after_speech for reply in self._replies]
        if times:
            self._console.print(
                f"\n{len(times)} spoken answers here, {min(times):.0f} to {max(times):.0f} ms after the last word.\n"
                "A complete command is answered in the pause; for any other it waits for more."
            )

    def _turn(self, seen: TurnDone) -> None:
        turn, self._last = seen.turn, seen
        if self._explain:
            self._line("heard", turn.transcript, "dim", "dim")
            for reading in turn.interpretations:
                self._line("means", _meaning(reading), "yellow")
        for change in turn.changes:
            self._line("does", self._done(change), "green", "green")
        answer = "(not meant for it: says nothing)" if seen.ignored else turn.reply
        if answer:
            self._line("Homebody", answer, "bold magenta")

    def _done(self, change: Change) -> str:
        values = ", ".join(_value(key, value) for key, value in change.set.items() if value != "")
        return f"{self._names.get(change.target, change.target)}: {values}"

    def _line(self, who: str, what: str | Text, style: str, words: str = "") -> None:
        text = what if isinstance(what, Text) else Text(what, words)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=_MARGIN, justify="right", style=style)
        grid.add_column()
        grid.add_row(who, text)
        self._console.print(grid)


def _meaning(reading: Interpretation) -> Text:
    slots = "".join(f" {name}=“{slot.text}”" for name, slot in reading.slots.items())
    head = (reading.intent or str(reading.act)) + slots
    return Text.assemble((head, "yellow"), (f"  ({reading.source} {reading.confidence:.2f})", "dim"))


def _value(key: str, value: object) -> str:
    """A changed value: "on", "unlocked", "remaining 300 s", "items milk, eggs"."""
    if isinstance(value, bool):
        return key if value else _OPPOSITE.get(key, f"not {key}")
    name, unit = (key.removesuffix("_s"), " s") if key.endswith("_s") else (key, "")
    return f"{name} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}{unit}"


def _times(done: TurnDone, sound: SoundBegan) -> str:
    """Recognition runs in the pause that proves the end of speech."""
    stages = done.turn.timeline_ms
    return (
        f"first sound after {1000 * sound.after_speech:.0f} ms"
        f" (recognition {stages.get('stt', 0):.0f}, understanding {stages.get('nlu', 0):.1f})"
    )


def the_house(services: Services) -> Table:
    """What is not as it was at the beginning."""
    table = Table(title="The house at the end", title_justify="left", title_style="bold", box=None, show_header=False)
    for appliance in services.house.appliances():
        state = services.house.state(appliance.id)
        if dict(state) != dict(INITIAL[appliance.kind]):
            table.add_row(appliance.name, _DESCRIBE[appliance.kind](state))
    television = services.television.state()
    channel = next((c.name for c in services.television.channels() if c.number == television["channel"]), "")
    if television["on"]:
        table.add_row("television", f"on, {channel}")
    items = Items(services.database)
    for name in items.lists():
        table.add_row(f"{name} list", ", ".join(items.items(name)))
    for alarm in services.scheduler.occasions("alarm"):
        table.add_row("alarm", f"{alarm.at:%A %H:%M}")
    for timer in services.scheduler.timers():
        table.add_row("timer", f"{timer.remaining}")
    return table


def _light(state: dict[str, object]) -> str:
    return f"on, {state['brightness']:.0f} %" if state["on"] else "off"


_DESCRIBE: Final[dict[str, Callable[..., str]]] = {
    "light": _light,
    "switch": lambda state: "on" if state["on"] else "off",
    "climate": lambda state: f"{state['target']:g} °C",
    "cover": lambda state: "closed" if not state["position"] else f"{state['position']:.0f} % open",
    "lock": lambda state: "locked" if state["locked"] else "unlocked",
    "vacuum": lambda state: "cleaning" if state["cleaning"] else "at rest",
    "scene": lambda state: "active" if state["active"] else "over",
}


def mixed_down(device: Sequence[Heard], person: Sequence[tuple[float, Pcm]]) -> Pcm:
    """Device and person on one time line, equally loud, long silences cut; shape [n].

    The device's own balance of voice, chimes and bell is kept.
    """
    ours, theirs = [(heard.at, heard.pcm) for heard in device], list(person)
    gains = [_gain([pcm for _, pcm in sounds]) for sounds in (ours, theirs)]
    sounds = sorted(
        [(at, pcm * gain) for group, gain in zip((ours, theirs), gains, strict=True) for at, pcm in group],
        key=lambda sound: sound[0],
    )
    end = max((at + len(pcm) / SAMPLE_RATE for at, pcm in sounds), default=0.0)
    total = np.zeros(round(end * SAMPLE_RATE) + 1)
    for at, pcm in sounds:
        begin = round(at * SAMPLE_RATE)
        total[begin : begin + len(pcm)] += pcm[: len(total) - begin]
    kept: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    until = 0.0
    for at, pcm in sounds:
        since, until = max(at - LONGEST_SILENCE, until), max(until, at + len(pcm) / SAMPLE_RATE)
        kept.append(total[round(since * SAMPLE_RATE) : round(until * SAMPLE_RATE)])
    mixed: Pcm = np.concatenate([total[:0], *kept]).clip(-32768, 32767).astype(np.int16)
    return mixed


def _gain(sounds: Sequence[Pcm]) -> float:
    """What brings the audible samples of some sounds to `LEVEL`."""
    loud = [pcm[np.abs(pcm.astype(np.int32)) > _QUIET].astype(np.float64) for pcm in sounds]
    samples = np.concatenate([np.zeros(0), *loud])
    return LEVEL / float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 1.0
