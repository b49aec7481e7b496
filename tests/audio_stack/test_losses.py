"""Microphones that vanish and a sound server that dies: the device says so, and recovers by itself."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.audio_stack.stack import MICROPHONE, SoundServer, Talk, eventually

pytestmark = pytest.mark.engines

Voice = Callable[[str], NDArray[np.int16]]


def unplug(server: SoundServer) -> None:
    """Take the source away, and with it the device's stream, which the server would give another source."""
    server.pactl("unload-module", MICROPHONE[0])
    [stream] = server.streams("source-outputs")
    server.kill("source-output", stream)


def plug(server: SoundServer) -> None:
    server.pactl("load-module", *MICROPHONE)


def suspend(server: SoundServer) -> None:
    server.pactl("suspend-source", "microphone", "1")


def resume(server: SoundServer) -> None:
    server.pactl("suspend-source", "microphone", "0")


@pytest.mark.parametrize(("lose", "give_back"), [(unplug, plug), (suspend, resume)], ids=["unplugged", "suspended"])
def test_a_microphone_that_vanishes_is_told_and_used_again_when_it_is_back(
    server: SoundServer,
    talk: Talk,
    voice: Voice,
    lose: Callable[[SoundServer], None],
    give_back: Callable[[SoundServer], None],
) -> None:
    lose(server)
    talk.wait_for_note("trouble kitchen_microphone has delivered nothing")
    give_back(server)
    eventually(lambda: "RUNNING" in server.pactl("list", "short", "sources"), talk.said)
    talk.command(voice("Hey Jarvis, turn on the kitchen light."))
    assert len([trouble for trouble in talk.troubles() if "delivered nothing" in trouble]) == 1, "a loss is told once"
    assert talk.interrupt() == 0


def test_a_sound_server_that_is_started_anew_gives_both_devices_back(
    server: SoundServer, talk: Talk, voice: Voice
) -> None:
    server.stop()
    talk.wait_for_note("trouble kitchen_microphone has delivered nothing")
    talk.wait_for_note("trouble kitchen_speaker has taken nothing")
    assert server.start() == ""
    eventually(lambda: server.streams("sink-inputs") and server.streams("source-outputs"), talk.said)
    with server.record("speaker.monitor") as heard:
        talk.command(voice("Hey Jarvis, turn on the kitchen light."))
        heard.wait_for_sound(seconds=0.5)
    assert talk.interrupt() == 0


def test_a_dead_sound_server_keeps_nobody_from_ending_the_program(server: SoundServer, talk: Talk) -> None:
    server.stop()
    talk.wait_for_note("trouble")
    assert talk.interrupt() == 0
