"""`homebody talk`: a conversation, by microphone or typed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from device.app import Brain, build_brain, load_engines, make_edge_loop
from device.cli.render import show_problems, show_row, show_turn, turn_json
from device.clock import SystemClock
from device.config import home_folder, load_config
from device.errors import DeviceError
from device.events import Interrupted, Observation, PhaseChanged, Rang, SoundBegan, Trouble, TurnDone
from device.turns import Phase
from device.workers import ThreadWorkers

_PHASES = {
    Phase.LISTENING: ("●", "listening", "bold green"),
    Phase.THINKING: ("●", "thinking", "yellow"),
    Phase.FOLLOW_UP: ("○", "still listening", "green"),
}


def talk(
    text: Annotated[bool, typer.Option("--text", help="Type instead of speaking.")] = False,
    explain: Annotated[bool, typer.Option("--explain", "-e", help="Show why, and how long each stage took.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a turn, one a line.")] = False,
) -> None:
    """Talk to it; with --text, type to it."""
    home = home_folder()
    config = load_config(home)
    console = Console(highlight=False)
    display = Display(console, explain=explain, as_json=as_json)
    with (
        contextlib.closing(build_brain(config, home, SystemClock(config.home.timezone), ThreadWorkers())) as brain,
        contextlib.suppress(KeyboardInterrupt),
    ):
        show_problems(brain.problems)
        asyncio.run(_typed(brain, display) if text else _spoken(brain, display))


class Display:
    """Shows what happens: lines for people, or one JSON object a turn for programs (`as_json`)."""

    def __init__(self, console: Console, *, explain: bool, as_json: bool) -> None:
        self._console = console
        self._explain = explain
        self.as_json = as_json

    def __call__(self, seen: Observation) -> None:
        """Show one observation."""
        if isinstance(seen, Trouble):
            show_problems([seen.error], "trouble")  # on standard error: JSON of turns stays whole
        elif isinstance(seen, TurnDone):
            if self.as_json:
                typer.echo(json.dumps(turn_json(seen.turn), ensure_ascii=False))
            else:
                turn = replace(seen.turn, reply="") if seen.ignored else seen.turn
                show_turn(self._console, turn, explain=self._explain)
        elif not self.as_json:
            self._person(seen)

    def _person(self, seen: Observation) -> None:
        match seen:
            case PhaseChanged(phase) if phase in _PHASES:
                mark, words, style = _PHASES[phase]
                self._console.print(Text.assemble((f"   {mark}   ", style), (words, "dim")))
            case SoundBegan(latency, after_speech) if self._explain:
                endpoint, word = f"{1000 * latency:.0f} ms after the endpoint", f"{1000 * after_speech:.0f} ms"
                show_row(
                    self._console, Text("       "), Text(f"first sound {endpoint}, {word} after the last word", "dim")
                )
            case Rang(_, words):
                show_row(self._console, Text("  ring ", "bold yellow"), Text(words))
            case Interrupted():
                self._console.print(Text("       (interrupted)", "dim"))


async def _typed(brain: Brain, display: Display) -> None:
    """Read lines until the end of input; alarms and timers are shown when they are due."""
    watch = asyncio.create_task(_watch(brain, display))
    prompt = "" if display.as_json or not sys.stdin.isatty() else "› "
    try:
        while True:
            try:
                line = await asyncio.to_thread(input, prompt)
            except EOFError:
                return
            if line.strip():
                try:
                    display(TurnDone(await brain.conversation.turn(line), brain.clock.monotonic()))
                except DeviceError as error:  # one turn failed, the conversation goes on
                    display(Trouble(error, brain.clock.monotonic()))
    finally:
        watch.cancel()


async def _watch(brain: Brain, display: Display) -> None:
    trouble = ""
    while True:
        try:
            for ring in brain.scheduler.due():
                display(Rang(ring, brain.words(ring), brain.clock.monotonic()))
                if ring.trouble:
                    display(Trouble(ring.trouble, brain.clock.monotonic()))
            trouble = ""
        except DeviceError as error:  # a full disk: what is due is asked for again, and the trouble told once
            if str(error) != trouble:
                display(Trouble(error, brain.clock.monotonic()))
            trouble = str(error)
        await brain.clock.sleep(0.5)


async def _spoken(brain: Brain, display: Display) -> None:
    """Listen and answer until interrupted."""
    edge = make_edge_loop(brain, load_engines(brain.config, brain.home), display)
    try:
        edge.open()
        wake = " or ".join(f"“{word.replace('_', ' ')}”" for word in brain.config.speech.wake_words)
        if not display.as_json:
            typer.echo(f"Say {wake}, then a command. Ctrl+C ends.")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.watch())
            tasks.create_task(edge.run())
    finally:
        edge.close()
