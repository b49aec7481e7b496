"""A microphone in virtual time: what sounds before it, its amplifier, its switch, its plug, and what goes wrong."""

from __future__ import annotations

from typing import Final

import numpy as np

from device.audio.pace import FRAME_SECONDS, Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, FrameCallback, Pcm
from device.clock import Clock
from device.errors import AudioDeviceMissing
from firmware_sim.sound.acoustics import Response, reverberate
from firmware_sim.sound.air import Air, Bed
from firmware_sim.sound.levels import Samples, db, scaled
from firmware_sim.sound.speaker import SimulatedSpeaker

_NOTHING: Final[Pcm] = np.zeros(FRAME, np.int16)
_NOTHING.flags.writeable = False


class SimulatedMicrophone:
    """Implements `Microphone`: always on, never finished, the same for the same seed.

    All that is said is laid on the clock's time line, whether the microphone runs or not: what is said while it
    is stopped or unplugged is lost, as in a real room. Frames are read-only.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        noise_dbfs: float = -60.0,
        noise: Pcm | None = None,
        self_noise_dbfs: float | None = None,
        gain_db: float = 0.0,
        speaker: SimulatedSpeaker | None = None,
    ) -> None:
        """Furnish the room.

        Args:
            clock: Time.
            seed: Seed of the white noise.
            noise_dbfs: RMS of the background, relative to full scale, as all levels at a gain of 0 dB.
            noise: A recorded background, repeated and scaled to `noise_dbfs`; white noise without one.
            self_noise_dbfs: RMS of the microphone's own noise; none without.
            gain_db: See `amplify`.
            speaker: The loudspeaker of which `echo` lets something back.
        """
        self.name = "simulated microphone"
        self._air = Air(seed, noise_dbfs, noise, self_noise_dbfs, speaker)
        self._clock = clock
        self._said: list[tuple[float, Pcm]] = []
        self._plugged = True
        self._silent = False
        self._off = False
        self._xruns = 0.0
        self._chance = np.random.default_rng(seed)
        self._callback: FrameCallback | None = None
        self._pacer = Pacer(clock, self._deliver, first=FRAME_SECONDS)
        self.amplify(gain_db)

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

    # What sounds -----------------------------------------------------------------------------------------------

    def say(
        self, pcm: Pcm, *, snr_db: float | None = None, at: float | None = None, through: Response | None = None
    ) -> float:
        """Let somebody speak.

        Args:
            pcm: The speech.
            snr_db: Loudness over the background, which is the noise and the beds laid so far that sound when it begins;
                both as RMS at the microphone, pauses of the speech not counted. As loud as it is if None.
            at: Begin, in the clock's monotonic seconds; now if None. What lies in the past is not heard.
            through: The way from the mouth to the microphone; none if None.

        Returns:
            When the speech will have ended, in monotonic seconds; its reverberation rings on.
        """
        begin = round((self._clock.monotonic() if at is None else at) * SAMPLE_RATE)
        speech = pcm.astype(np.float64) if through is None or not len(pcm) else reverberate(pcm, through)
        if snr_db is not None:
            speech = scaled(speech, self._air.background(begin) * db(snr_db))
        self._air.add(speech, begin)
        self._said.append((begin / SAMPLE_RATE, pcm))
        return (begin + len(pcm)) / SAMPLE_RATE

    def lay(self, bed: Bed) -> None:
        """Let a sound go on in the background.

        Raises:
            ValueError: The bed is empty.
        """
        self._air.lay(bed)

    def spoken(self) -> tuple[tuple[float, Pcm], ...]:
        """All that people said: begin in monotonic seconds, and the sound as it left their mouths."""
        return tuple(self._said)

    def echo(self, gain: float, delay: float) -> None:
        """Mix the loudspeaker back in, at this amplitude gain and after `delay` seconds.

        Raises:
            ValueError: The microphone was made without a loudspeaker, or `delay` is negative.
        """
        self._air.echo(np.array([gain], np.float32), delay)

    def echo_through(self, response: Response) -> None:
        """Mix the loudspeaker back in by this way, e.g. `Space.echo`.

        Raises:
            ValueError: The microphone was made without a loudspeaker.
        """
        self._air.echo(response)

    # The microphone itself -------------------------------------------------------------------------------------

    def amplify(self, gain_db: float) -> None:
        """Set the gain of its amplifier in dB; what goes beyond full scale is clipped."""
        self._gain = db(gain_db)
        self._floor = self._convert(self._air.floor)
        self._floor.flags.writeable = False

    def switch(self, off: bool) -> None:
        """Move the mute switch, which cuts the microphone off before any software: exact zeros."""
        self._off = off

    def unplug(self) -> None:
        """Deliver nothing from now on; starting fails until `plug`."""
        self._plugged = False
        self._pacer.stop()

    def silence(self) -> None:
        """Deliver exact zeros, like a broken capsule, until `plug`."""
        self._silent = True

    def plug(self) -> None:
        """Undo `unplug` and `silence`. After `unplug` it has to be started again, as a real one."""
        self._plugged = True
        self._silent = False

    def slow(self, rate: float) -> None:
        """Deliver only this share of the frames that real time has, evenly late; the sound between them is lost.

        So does a board that is too busy to fetch each block in time; 0.9999 is a crystal that runs slow. 1 is normal.

        Raises:
            ValueError: The rate is not above 0 and at most 1.
        """
        if not 0 < rate <= 1:
            raise ValueError(f"a rate must be above 0 and at most 1, not {rate}")
        running = self._pacer.running
        self._pacer.stop()
        self._pacer = Pacer(self._clock, self._deliver, first=FRAME_SECONDS / rate, period=FRAME_SECONDS / rate)
        if running:
            self._pacer.start()

    def xruns(self, rate: float, seed: int = 0) -> None:
        """Lose frames at random, each with the probability `rate`, by `seed`; 0 is normal.

        Raises:
            ValueError: The rate is not a probability.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"a rate must be between 0 and 1, not {rate}")
        self._xruns, self._chance = rate, np.random.default_rng(seed)

    def _deliver(self) -> bool:
        if self._callback is not None and not (self._xruns and self._chance.random() < self._xruns):
            self._callback(_NOTHING if self._silent or self._off else self._hear())
        return True

    def _hear(self) -> Pcm:
        """The frame that ends now."""
        begin = round(self._clock.monotonic() * SAMPLE_RATE) - FRAME
        room = self._air.frame(begin)
        if room is None:
            phase = self._air.phase(begin)
            return self._floor[phase : phase + FRAME]
        return self._convert(room)

    def _convert(self, room: Samples) -> Pcm:
        pcm: Pcm = np.rint(room * self._gain).clip(-32768, 32767).astype(np.int16)
        return pcm
