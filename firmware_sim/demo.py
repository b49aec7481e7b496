"""`homebody demo`: a spoken tour of a simulated living room, with no microphone and no screen.

A synthetic person (Piper) speaks into the microphone's port; wake word, endpoint, recognition, understanding, dialogue,
skills and voice are the ones that ship. Time is virtual, but every engine takes as long as it takes here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from device.app import build_brain
from device.audio.files import write_wav
from device.audio.ports import SAMPLE_RATE, Pcm
from device.cli.talk import Display
from device.clock import SystemClock
from device.config import Config
from device.events import Observation, SoundBegan
from device.skills.api import Services
from device.speech.engines import EngineOptions, make_stt, make_tts
from firmware_sim.clock import VirtualClock, run
from firmware_sim.room import Room, furnished
from firmware_sim.speaker import SimulatedSpeaker
from firmware_sim.workers import MeasuredWorkers

BEGIN: Final = datetime(2027, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Friday evening."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One part of the tour.

    Attributes:
        title: What it shows.
        lines: What the person says, one after the other; each waits for the answer.
        minutes: Virtual minutes that pass first.
        interrupt: Said while the device is still speaking the last answer, or ringing.
    """

    title: str
    lines: tuple[str, ...]
    minutes: float = 0.0
    interrupt: str = ""


TOUR: Final = (
    Scene("A command, and one more without the wake word", ("Hey Jarvis, turn on the kitchen light.", "And in the bedroom?")),
    Scene("Two commands in one breath", ("Hey Jarvis, dim the bedroom light to thirty percent and close the blinds.",)),
    Scene("It asks for what is missing, and can be corrected", ("Hey Jarvis, set a timer.", "Ten minutes.", "No, fifteen minutes.")),
    Scene("The television", ("Hey Jarvis, turn on the TV.", "Switch to channel five.", "Turn on the subtitles.")),
    Scene("Lists", ("Hey Jarvis, add milk and eggs to the shopping list.", "What's on my shopping list?")),
    Scene("Doors are opened only after a yes", ("Hey Jarvis, please unlock the front door.", "Yes, please.")),
    Scene("Knowing things without a network", ("Hey Jarvis, how many miles are five kilometers?", "What is fifteen percent of eighty?")),
    Scene("What it can't do, it says", ("Hey Jarvis, book me a flight to Lisbon.",)),
    Scene("Fifteen minutes later: the timer rings, and “stop” ends it", (), minutes=15.2, interrupt="Stop!"),
    Scene("Alarms", ("Hey Jarvis, wake me up tomorrow at half past six.",)),
    Scene("Good night", ("Hey Jarvis, good night.",)),
)  # fmt: skip


def demo(
    out: Annotated[Path, typer.Option(help="Where the sound of the tour is written.")] = Path("demo-out/tour.wav"),
    stt: Annotated[str, typer.Option(help="Speech-to-text engine: moonshine or whisper.")] = "moonshine",
    explain: Annotated[bool, typer.Option(help="Show why, and how long each stage took.")] = True,
) -> None:
    """Hear and see what Homebody does: a spoken tour, without a microphone."""
    console = Console(highlight=False)
    console.print(Rule("Homebody: a spoken tour of a simulated living room, with no network", style="cyan"))
    with tempfile.TemporaryDirectory(prefix="homebody-demo-") as home:
        run(lambda clock: _tour(clock, Path(home), console, out, stt, explain), BEGIN)
    console.print(Rule(style="cyan"))
    console.print(f"The whole tour as sound: [bold]{out}[/]")
    console.print("Talk to it yourself:     [bold].venv/bin/homebody talk[/]         (microphone)")
    console.print("                         [bold].venv/bin/homebody talk --text[/]  (typed)")
    console.print('                         [bold].venv/bin/homebody ask "what can you do"[/]')


async def _tour(clock: VirtualClock, home: Path, console: Console, out: Path, stt: str, explain: bool) -> None:
    workers = MeasuredWorkers(clock, SystemClock())
    options = EngineOptions(home / "models")
    brain = build_brain(Config(), home, clock, workers)
    display = Display(console, explain=explain, as_json=False)
    latencies: list[SoundBegan] = []

    def observe(seen: Observation) -> None:
        if isinstance(seen, SoundBegan):
            latencies.append(seen)
        display(seen)

    ears, voice, person = make_stt(stt, options), make_tts("espeak", options), make_tts("piper", options)
    async with furnished(brain, ears, voice, person, observe=observe, echo=0.05) as room:
        for number, scene in enumerate(TOUR, 1):
            console.print()
            console.print(Text.assemble((f"{number:>3}. {scene.title}", "bold"), (f"   {clock.now():%H:%M}", "dim")))
            await _play(room, scene, clock)
        recording = _mix(room.speaker, room.microphone.spoken(), clock.monotonic())
    write_wav(out, recording)
    console.print()
    console.print(state_of_the_house(brain.services))
    _summary(console, latencies)


async def _play(room: Room, scene: Scene, clock: VirtualClock) -> None:
    if scene.minutes:
        await room.idle()
        await clock.sleep(60 * scene.minutes)
    for line in scene.lines:
        await room.say(line)
    if scene.interrupt:
        await clock.sleep(1.5)
        await room.say(scene.interrupt)
    await room.idle()


def state_of_the_house(services: Services) -> Table:
    """What is on, open or set in the house at the end."""
    table = Table(title="The house now", title_justify="left", box=None, padding=(0, 2))
    for appliance in services.house.appliances():
        state = services.house.state(appliance.id)
        words = _DESCRIBE[appliance.kind](state)
        if words:
            table.add_row(appliance.name, words)
    television = services.television.state()
    channel = next((c.name for c in services.television.channels() if c.number == television["channel"]), "")
    if television["on"]:
        table.add_row("television", f"on, {channel}" + (", subtitles" if television["subtitles"] else ""))
    return table


def _light(state: dict[str, object]) -> str:
    return f"on, {state['brightness']:.0f} %" if state["on"] else ""


_DESCRIBE: Final[dict[str, Callable[..., str]]] = {
    "light": _light,
    "switch": lambda state: "on" if state["on"] else "",
    "climate": lambda state: f"{state['target']:g} °C",
    "cover": lambda state: "closed" if not state["position"] else "",
    "lock": lambda state: "" if state["locked"] else "unlocked",
    "vacuum": lambda state: "cleaning" if state["cleaning"] else "",
    "scene": lambda state: "active" if state["active"] else "",
}


def _mix(speaker: SimulatedSpeaker, spoken: Sequence[tuple[float, Pcm]], until: float) -> Pcm:
    """The person and the device on one time line, long silences cut to a second."""
    sounds = sorted([*spoken, *((heard.at, heard.pcm) for heard in speaker.heard)], key=lambda sound: sound[0])
    total = np.zeros(round((until + 1) * SAMPLE_RATE), np.int32)
    for at, pcm in sounds:
        begin = round(at * SAMPLE_RATE)
        part = pcm[: len(total) - begin]
        total[begin : begin + len(part)] += part
    kept: list[NDArray[np.int32]] = []
    end = 0.0
    for at, pcm in sounds:
        since = max(at - 1.0, end)
        end = max(end, at + len(pcm) / SAMPLE_RATE)
        kept.append(total[round(since * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
    mixed: Pcm = np.concatenate(kept or [total[:0]]).clip(-32768, 32767).astype(np.int16)
    return mixed


def _summary(console: Console, replies: Sequence[SoundBegan]) -> None:
    if replies:
        endpoint = 1000 * float(np.median([reply.latency for reply in replies]))
        word = 1000 * float(np.median([reply.after_speech for reply in replies]))
        console.print(f"\n{len(replies)} spoken replies on this machine, median to the first sound:")
        console.print(f"  {endpoint:.0f} ms after the end of speech was detected, {word:.0f} ms after the last word.")
