"""A whole board: what remains when the program on it ends, and when its power does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from device.audio.mixer import Mixer
from device.audio.ports import SAMPLE_RATE, FrameCallback, Pcm
from device.audio.volume import SoundKind
from device.clock import Clock
from firmware_sim.board.flash import Flash
from firmware_sim.board.lights import LedRing
from firmware_sim.board.processor import Processor
from firmware_sim.board.profile import Profile
from firmware_sim.sound.acoustics import Response
from firmware_sim.sound.air import Bed
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

KINDS: Final[tuple[SoundKind, ...]] = ("speech", "chime", "alarm", "media")

Pull: TypeAlias = Callable[[int], Pcm]
"""Gives so many samples."""

_SILENCE: Final[frozenset[SoundKind]] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a board stands.

    Attributes:
        noise_dbfs: Background noise at its microphone.
        echo: Gain from its loudspeaker to its microphone; None for the profile's.
    """

    noise_dbfs: float = -60.0
    echo: float | None = None


class Board:
    """Processor, flash, lights, microphone and loudspeaker by a profile.

    Args:
        clock: Time.
        profile: What kind of board it is.
        home: Folder on its flash that holds all state.
        seed: Of its noise and of what its flash does.
        place: Where it stands.
        record: Keep what the microphone delivers.

    Attributes:
        audible: What kinds of sound left the loudspeaker, and since when (monotonic seconds), whenever that changed.
        sounds_until: When all that was laid before the microphone will be over, in monotonic seconds.
        switched_off: The mute switch on the case is on "mute".
    """

    def __init__(
        self,
        clock: Clock,
        profile: Profile,
        home: Path,
        seed: int = 0,
        place: Place = Place(),
        *,
        record: bool = False,
    ) -> None:
        self.profile = profile
        self.home = home
        self.seed = seed
        self.flash = Flash(home, clock, size=profile.flash.size_mb * 1_000_000, seed=seed)
        self.processor = Processor(profile, clock, seed)
        self.lights = LedRing(clock, profile.leds)
        self.speaker = SimulatedSpeaker(clock)
        self.microphone = SimulatedMicrophone(
            clock,
            seed=seed,
            noise_dbfs=place.noise_dbfs,
            self_noise_dbfs=profile.microphone.self_noise_dbfs + profile.microphone.gain_db,
            speaker=self.speaker,
        )
        echo = profile.echo.gain if place.echo is None else place.echo
        if echo:
            self.microphone.echo(echo, profile.echo.delay_s)
        self.audible: list[tuple[float, frozenset[SoundKind]]] = []
        self.sounds_until = 0.0
        self.switched_off = False
        self._clock = clock
        self._recording: list[tuple[float, Pcm]] | None = [] if record else None

    def hear(self, pcm: Pcm, *, snr_db: float | None = None, through: Response | None = None) -> float:
        """Let something sound at the microphone from now on; see `SimulatedMicrophone.say`, when it will have ended."""
        ends = self.microphone.say(pcm, snr_db=snr_db, through=through)
        self.sounds_until = max(self.sounds_until, ends)
        return ends

    def lay(self, bed: Bed) -> None:
        """Let a sound go on in the background."""
        self.microphone.lay(bed)
        self.sounds_until = max(self.sounds_until, bed.end)

    def switch(self, off: bool) -> None:
        """Move the mute switch, which cuts the microphone off whatever the program does."""
        self.switched_off = off
        self.microphone.switch(off)

    def open(self, deliver: FrameCallback, mixer: Mixer) -> None:
        """Let the microphone deliver and the loudspeaker play.

        Raises:
            AudioDeviceMissing: One of them is unplugged; the other one works.
        """
        try:
            self.microphone.start(self._recorded(deliver))
        finally:
            self.mouth(mixer).start(mixer.pull)

    def mouth(self, mixer: Mixer) -> NotedSpeaker:
        """The loudspeaker as a program has it: what it takes from the mixer is noted in `audible`."""
        return NotedSpeaker(self.speaker, lambda pull, count: self._noted(mixer, pull, count))

    def close(self) -> None:
        """Let both rest."""
        self.microphone.stop()
        self.speaker.stop()
        self._sounds(_SILENCE)

    def sounds_since(self, count: int) -> frozenset[SoundKind]:
        """Kinds of sound that were heard since `audible` had so many entries; what sounded on then is among them."""
        return frozenset(kind for _, kinds in self.audible[max(0, count - 1) :] for kind in kinds)

    def recorded(self) -> Pcm:
        """What the microphone has delivered from the beginning of time, shape [n]; where it did not, silence."""
        if not self._recording:
            return np.zeros(0, np.int16)
        whole = np.zeros(round(self._recording[-1][0] * SAMPLE_RATE) + 1, np.int16)
        for at, frame in self._recording:
            begin = max(0, round(at * SAMPLE_RATE) - len(frame))
            whole[begin : begin + len(frame)] = frame
        return whole

    def _recorded(self, deliver: FrameCallback) -> FrameCallback:
        """With a recorder before it, where that is wanted."""
        recording = self._recording
        if recording is None:
            return deliver

        def take(frame: Pcm) -> None:
            recording.append((self._clock.monotonic(), frame.copy()))
            deliver(frame)

        return take

    def _noted(self, mixer: Mixer, pull: Pull, count: int) -> Pcm:
        """What the loudspeaker takes, with a note of what it is."""
        kinds = frozenset(kind for kind in KINDS if mixer.playing(kind)) if mixer.playing() else _SILENCE
        pcm = pull(count)
        if kinds and not pcm.any():
            kinds = _SILENCE
        self._sounds(kinds)
        return pcm

    def _sounds(self, kinds: frozenset[SoundKind]) -> None:
        """From now on this is heard."""
        if kinds != (self.audible[-1][1] if self.audible else _SILENCE):
            self.audible.append((self._clock.monotonic(), kinds))


class NotedSpeaker:
    """Implements `Speaker` over a simulated one: `noted(pull, count)` pulls in its place."""

    def __init__(self, speaker: SimulatedSpeaker, noted: Callable[[Pull, int], Pcm]) -> None:
        self.name = speaker.name
        self._speaker = speaker
        self._noted = noted

    def start(self, pull: Pull) -> None:
        """See `Speaker.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        self._speaker.start(lambda count: self._noted(pull, count))

    def stop(self) -> None:
        """See `Speaker.stop`."""
        self._speaker.stop()
