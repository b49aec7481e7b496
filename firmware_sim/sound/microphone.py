"""A microphone in virtual time: a room's noise, people who speak, the loudspeaker's echo, and a plug."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.level import FULL_SCALE
from device.audio.pace import FRAME_SECONDS, Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, FrameCallback, Pcm
from device.clock import Clock
from device.errors import AudioDeviceMissing
from firmware_sim.sound.speaker import SimulatedSpeaker

_LOOP_SECONDS: Final = 10
"""Length of the white noise, which is then repeated."""

_ACTIVE_DB: Final = 40.0
"""Samples' frames quieter than the loudest one by more than this are pauses: they don't count for the SNR."""


class SimulatedMicrophone:
    """Implements `Microphone`: always on, never finished, the same for the same seed.

    All that is said is laid on the clock's time line, whether the microphone runs or not: what is said while it
    is stopped or unplugged is lost, as in a real room.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        noise_dbfs: float = -60.0,
        noise: Pcm | None = None,
        speaker: SimulatedSpeaker | None = None,
    ) -> None:
        """Furnish the room.

        Args:
            clock: Time.
            seed: Seed of the white noise.
            noise_dbfs: RMS of the background, relative to full scale.
            noise: A recorded background, repeated and scaled to `noise_dbfs`; white noise without one.
            speaker: The loudspeaker of which `echo` lets something back.
        """
        self.name = "simulated microphone"
        background = (
            np.random.default_rng(seed).standard_normal(_LOOP_SECONDS * SAMPLE_RATE)
            if noise is None
            else noise.astype(np.float64)
        )
        self._noise_rms = FULL_SCALE * 10 ** (noise_dbfs / 20)
        self._noise: NDArray[np.float64] = background * (self._noise_rms / max(_rms(background), 1e-9))
        self._clock = clock
        self._speaker = speaker
        self._echo_gain = 0.0
        self._echo_delay = 0.0
        self._speech: list[tuple[int, NDArray[np.float64]]] = []
        self._said: list[tuple[float, Pcm]] = []
        self._plugged = True
        self._silent = False
        self._callback: FrameCallback | None = None
        self._pacer = Pacer(clock, self._deliver, first=FRAME_SECONDS)

    @property
    def finished(self) -> bool:
        """Never: a room has no end."""
        return False

    def start(self, callback: FrameCallback) -> None:
        """See `Microphone.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        if not self._plugged:
            raise AudioDeviceMissing("The simulated microphone is unplugged.", remedy="Plug it in.")
        self._callback = callback
        self._pacer.start()

    def stop(self) -> None:
        """See `Microphone.stop`."""
        self._pacer.stop()

    def say(self, pcm: Pcm, *, snr_db: float | None = None, at: float | None = None) -> float:
        """Let somebody speak.

        Args:
            pcm: The speech.
            snr_db: Loudness over the background, both as RMS, pauses of the speech not counted; as it is if
                None.
            at: Begin, in the clock's monotonic seconds; now if None. What lies in the past is not heard.

        Returns:
            When the speech will have ended, in monotonic seconds.
        """
        speech = pcm.astype(np.float64)
        if snr_db is not None:
            speech *= self._noise_rms * 10 ** (snr_db / 20) / max(_active_rms(speech), 1e-9)
        begin = round((self._clock.monotonic() if at is None else at) * SAMPLE_RATE)
        self._speech.append((begin, speech))
        self._said.append((begin / SAMPLE_RATE, pcm))
        return (begin + len(speech)) / SAMPLE_RATE

    def spoken(self) -> tuple[tuple[float, Pcm], ...]:
        """All that people said: begin in monotonic seconds, and the sound."""
        return tuple(self._said)

    def echo(self, gain: float, delay: float) -> None:
        """Mix the loudspeaker back in, at this amplitude gain and after `delay` seconds.

        Raises:
            ValueError: The microphone was made without a loudspeaker, or `delay` is negative.
        """
        if self._speaker is None or delay < 0:
            raise ValueError("an echo needs a speaker and a delay of at least 0")
        self._echo_gain, self._echo_delay = gain, delay

    def unplug(self) -> None:
        """Deliver nothing from now on; starting fails until `plug`."""
        self._plugged = False
        self._pacer.stop()

    def silence(self) -> None:
        """Deliver exact zeros, like a microphone whose switch is off, until `plug`."""
        self._silent = True

    def plug(self) -> None:
        """Undo `unplug` and `silence`. After `unplug` it has to be started again, as a real one."""
        self._plugged = True
        self._silent = False

    def _deliver(self) -> bool:
        end = round(self._clock.monotonic() * SAMPLE_RATE)
        if self._callback is not None:
            self._callback(np.zeros(FRAME, np.int16) if self._silent else self._hear(end - FRAME))
        return True

    def _hear(self, begin: int) -> Pcm:
        """The frame that begins at this sample of the time line."""
        room = self._noise[np.arange(begin, begin + FRAME) % len(self._noise)]
        self._speech = [(at, speech) for at, speech in self._speech if at + len(speech) > begin]
        for at, speech in self._speech:
            offset = at - begin
            if offset < FRAME:
                part = speech[max(0, -offset) : FRAME - offset]
                room[max(0, offset) : max(0, offset) + len(part)] += part
        if self._speaker is not None and self._echo_gain:
            room += self._echo_gain * self._speaker.between(begin / SAMPLE_RATE - self._echo_delay, FRAME)
        return np.rint(room).clip(-32768, 32767).astype(np.int16)


def _rms(samples: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def _active_rms(speech: NDArray[np.float64]) -> float:
    """RMS over the frames in which somebody speaks."""
    whole = speech[: len(speech) // FRAME * FRAME].reshape(-1, FRAME)
    if not len(whole):
        return _rms(speech)
    power = np.mean(np.square(whole), axis=1)
    return float(np.sqrt(np.mean(power[power >= np.max(power) * 10 ** (-_ACTIVE_DB / 10)])))
