"""`homebody ask`: one utterance, typed or recorded; the answer as text, JSON or a WAV file."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from device.app import Brain, build_brain, make_listener, make_stt_engine, make_tts_engine
from device.audio.files import check_target, read_audio, write_wav
from device.audio.ports import SAMPLE_RATE, Pcm
from device.cli.render import show_problems, show_turn, turn_json
from device.clock import SystemClock
from device.config import home_folder, load_config
from device.dialogue.conversation import Turn
from device.errors import AudioFormatError, BadInput
from device.speech.ports import render
from device.speech.recording import speech_in
from device.workers import ThreadWorkers


def ask(
    text: Annotated[str, typer.Argument(help="What you would say.", show_default=False)] = "",
    wav: Annotated[Path | None, typer.Option(help="A recording to be heard instead (WAV, FLAC, ...).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the spoken reply to this WAV file.")] = None,
    explain: Annotated[bool, typer.Option("--explain", "-e", help="Show why, and how long each stage took.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Ask one thing: homebody ask "turn on the kitchen light"."""
    if bool(text.strip()) == bool(wav):
        raise BadInput("Give either words or --wav FILE.", remedy='For example: homebody ask "what time is it"')
    home = home_folder()
    config = load_config(home)
    if out:
        check_target(out)
    pcm = read_audio(wav) if wav else None
    with closing(build_brain(config, home, SystemClock(config.home.timezone), ThreadWorkers())) as brain:
        show_problems(brain.problems)
        tts = make_tts_engine(config, home) if out else None
        turn = asyncio.run(_turn(brain, text, pcm))
    if as_json:
        typer.echo(json.dumps(turn_json(turn), ensure_ascii=False))
    else:
        show_turn(Console(highlight=False), turn, explain=explain)
    if out and tts:
        write_wav(out, render(tts, turn.reply))
    raise typer.Exit(1 if turn.failed else 0)


async def _turn(brain: Brain, text: str, pcm: Pcm | None) -> Turn:
    if pcm is None:
        return await brain.conversation.turn(text)
    clock = brain.clock
    began = clock.monotonic()
    spoken = speech_in(pcm, make_listener(brain.config, wake=False))
    if spoken is None:
        raise AudioFormatError("Nobody speaks in this recording.", remedy="Speak louder or check the recording.")
    heard = clock.monotonic()
    stt = make_stt_engine(brain.config, brain.home)
    loaded = clock.monotonic()
    stt.start(brain.conversation.sentences())
    stt.feed(spoken)
    transcript = stt.finish()
    decoded = clock.monotonic()
    turn = await brain.conversation.turn(transcript)
    stages = {
        "speech": 1000 * len(spoken) / SAMPLE_RATE,
        "vad": 1000 * (heard - began),
        "load": 1000 * (loaded - heard),
        "stt": 1000 * (decoded - loaded),
    }
    return replace(turn, timeline_ms={**stages, **turn.timeline_ms})
