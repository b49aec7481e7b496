"""`homebody say`: speak a text with the configured voice, or write it to a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from device.app import make_tts_engine
from device.audio.card import SoundCardSpeaker
from device.audio.files import write_wav
from device.audio.mixer import Mixer
from device.audio.ports import SAMPLE_RATE, Pcm
from device.audio.volume import DeviceVolume
from device.clock import SystemClock
from device.config import home_folder, load_config
from device.errors import BadInput
from device.speech.ports import render


def say_command(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path | None, typer.Option(help="Write a WAV file instead of playing.")] = None,
) -> None:
    """Speak a text: homebody say "dinner is ready"."""
    home = home_folder()
    config = load_config(home)
    pcm = render(make_tts_engine(config, home), text)
    if not len(pcm):
        raise BadInput("There is nothing to say in that text.", remedy="Give some words.")
    if out:
        write_wav(out, pcm)
        typer.echo(f"{out}: {len(pcm) / SAMPLE_RATE:.1f} s")
        return
    asyncio.run(_play(pcm, config.audio.speaker))


async def _play(pcm: Pcm, card: str) -> None:
    mixer = Mixer(SystemClock(), DeviceVolume())
    speaker = SoundCardSpeaker(card)
    speaker.start(mixer.pull)
    try:
        await mixer.play(pcm, kind="speech").wait()
    finally:
        speaker.stop()
