"""What people of a scenario sound like: pauses inside a sentence, and how loud a gadget answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.audio.ports import FRAME, SAMPLE_RATE
from firmware_sim.clock import VirtualClock, run
from firmware_sim.kit import TonesKit
from firmware_sim.scenario.model import Said
from firmware_sim.scenario.sounds import Sounds
from firmware_sim.sound.speaker import SimulatedSpeaker

GAP = 0.04
"""Seconds of silence after each tone."""


@given(st.integers(50, 3000))
def test_a_pause_lasts_as_long_as_it_says(milliseconds: int) -> None:
    sounds = Sounds(TonesKit(), Path(), 0)
    pcm = sounds.said(Said("turn on ... the light", pause=f"{milliseconds} ms"))
    silent = np.flatnonzero(np.diff(np.flatnonzero(pcm), prepend=0) > GAP * SAMPLE_RATE + 16)
    gaps = np.diff(np.flatnonzero(pcm), prepend=0)[silent]
    assert len(gaps) == 1
    assert abs(gaps[0] / SAMPLE_RATE - milliseconds / 1000) < 0.005


def test_a_sentence_without_a_pause_is_spoken_as_it_is() -> None:
    sounds = Sounds(TonesKit(), Path(), 0)
    assert np.array_equal(sounds.said(Said("turn on the light")), sounds.said(Said("turn on the light", pause=3)))


def test_the_peak_counts_only_what_was_heard_since() -> None:
    async def listen(clock: VirtualClock) -> tuple[int, int, int]:
        speaker = SimulatedSpeaker(clock)
        loudness = 9000

        def pull(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
            return np.full(count, -loudness, np.int16)

        speaker.start(pull)
        await clock.sleep(1.0)
        loudness = 500
        changed = clock.monotonic()
        await clock.sleep(1.0)
        speaker.stop()
        return speaker.peak(0.0), speaker.peak(changed + FRAME / SAMPLE_RATE), speaker.peak(clock.monotonic() + 1)

    assert run(listen) == (9000, 500, 0)
