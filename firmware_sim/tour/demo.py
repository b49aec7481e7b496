"""`homebody demo`: a spoken tour of a simulated living room, with no microphone and no screen.

A synthetic person (Piper) speaks into the microphone's port; wake word, endpoint, recognition, understanding, dialogue,
skills and voice are the ones that ship. Time is virtual, but every engine takes as long as it takes here.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.rule import Rule

from device.app import build_brain
from device.audio.files import write_wav
from device.clock import SystemClock
from device.config import Config
from device.errors import DeviceError, StorageError
from device.speech.engines import EngineOptions, make_stt, make_tts
from device.speech.renewable import Renewable
from device.speech.tts_piper import PiperTts
from firmware_sim.board.workers import MeasuredWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.room import Room, furnished
from firmware_sim.tour.show import DemoDisplay, mixed_down, the_house

BEGIN: Final = datetime(2027, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Friday evening."""

INTO_IT: Final = 2.0
"""Seconds of the device's own sound after which somebody speaks over it."""


@dataclass(frozen=True, slots=True)
class Over:
    """Said while the device speaks or rings."""

    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One part of the tour.

    Attributes:
        title: What it shows.
        lines: What the person says, each after the answer to the last, or over it.
        until_ring: It begins when something rings.
    """

    title: str
    lines: tuple[str | Over, ...]
    until_ring: bool = False


TOUR: Final = (
    Scene(
        "A command, and one more without the wake word",
        ("Hey Jarvis, turn on the kitchen light.", "And in the bedroom?"),
    ),
    Scene(
        "Two commands in one breath",
        ("Hey Jarvis, dim the bedroom light to thirty percent and close the blinds.",),
    ),
    Scene(
        "It asks for what is missing, and can be corrected",
        ("Hey Jarvis, set a timer.", "Ten minutes.", "No, five minutes."),
    ),
    Scene(
        "The television",
        ("Hey Jarvis, turn on the television.", "Next channel."),
    ),
    Scene(
        "Lists",
        ("Hey Jarvis, put milk and eggs on my shopping list.", "What's on my shopping list?"),
    ),
    Scene(
        "A door is opened only after a yes",
        ("Hey Jarvis, can you unlock the front door?", "Yes, please."),
    ),
    Scene(
        "It knows things without a network",
        ("Hey Jarvis, what is twelve times fifteen?", "What time is it in Tokyo?"),
    ),
    Scene(
        "It says so when it can't",
        ("Hey Jarvis, the purple elephants are dancing on the moon.",),
    ),
    Scene(
        "The wake word cuts a long answer short",
        ("Hey Jarvis, what can you do?", Over("Hey Jarvis, turn off the kitchen light.")),
    ),
    Scene("The timer rings, and “stop” ends it", (Over("Stop the timer."),), until_ring=True),
    Scene("Alarms", ("Hey Jarvis, wake me up at seven o'clock tomorrow morning.",)),
    Scene("Good night puts the house to sleep", ("Hey Jarvis, good night.",)),
)


def demo(
    out: Annotated[Path, typer.Option(help="Where the sound of the tour is written.")] = Path("demo-out/tour.wav"),
    stt: Annotated[str, typer.Option(help="Speech-to-text engine: moonshine or whisper.")] = "moonshine",
    explain: Annotated[bool, typer.Option(help="Show why, and how long each stage took.")] = True,
) -> None:
    """Hear and see what Homebody does: a spoken tour, without a microphone."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{out.parent} can't be created: {error.strerror}.", remedy="Give another --out.") from error
    console = Console(highlight=False)
    console.print(Rule("Homebody: a spoken tour of a simulated home, with no network", style="cyan"))
    with tempfile.TemporaryDirectory(prefix="homebody-demo-") as home:
        run(lambda clock: _tour(clock, Path(home), console, out, stt, explain), BEGIN)
    console.print()
    console.print(Rule(style="cyan"))
    console.print(f"Listen to the tour:   [bold]{out}[/]")
    console.print("Talk to it yourself:  [bold].venv/bin/homebody talk[/]  (add [bold]--text[/] to type)")


async def _tour(clock: VirtualClock, home: Path, console: Console, out: Path, stt: str, explain: bool) -> None:
    options = EngineOptions(home / "models")
    brain = build_brain(Config(), home, clock, MeasuredWorkers(clock, SystemClock()), Random(0))
    display = DemoDisplay(console, brain.services.house, explain=explain)
    for problem in brain.problems:
        display.problem(problem)
    ears = Renewable(lambda: make_stt(stt, options))
    voice = Renewable(lambda: make_tts("espeak", options))
    # A voice without chance variation: the same sentences are heard the same way on every machine.
    person = PiperTts(options.threads, variation=0)
    async with furnished(brain, ears, voice, person, observe=display, echo=0.05) as room:
        for number, scene in enumerate(TOUR, 1):
            if scene.until_ring:
                await _nearly_due(room)
            display.scene(number, scene.title, clock.now())
            if scene.until_ring:
                await room.sounding(INTO_IT)
            await _play(room, scene, display)
        recording = mixed_down(room.speaker.heard, room.microphone.spoken())
    write_wav(out, recording)
    console.print()
    console.print(the_house(brain.services))
    display.summary()


async def _play(room: Room, scene: Scene, display: DemoDisplay) -> None:
    """Say the lines; the last answer is heard out, and so is the window after it."""
    for line, following in zip(scene.lines, (*scene.lines[1:], None), strict=True):
        text = line.text if isinstance(line, Over) else line
        display.says(text)
        if isinstance(following, Over):
            await room.speak(text)
            await room.sounding(INTO_IT)
        else:
            await room.say(text)
            if isinstance(line, Over) and room.brain.scheduler.ringing():
                display.says(text)  # not heard over the bell: people say it again
                await room.say(text)
    await room.idle()


async def _nearly_due(room: Room) -> None:
    """Let time pass until something is about to ring."""
    due = room.brain.scheduler.next_due()
    if due is None:
        raise DeviceError("The tour's timer was not set.", remedy="It was misheard; see above.")
    clock = room.brain.clock
    await clock.sleep((due - clock.now()).total_seconds() - 0.1)
