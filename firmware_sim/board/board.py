"""A whole board: what remains when the program on it ends, and when its power does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        ears: The microphone as a program has it.
        mouth: The loudspeaker as a program has it.
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
        self.ears = Ears(self.microphone, self._delivered)
        self.mouth = Mouth(self.speaker, self._sounds)

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

    def _sounds(self, kinds: frozenset[SoundKind]) -> None:
        """From now on this is heard."""
        if kinds != (self.audible[-1][1] if self.audible else _SILENCE):
            self.audible.append((self._clock.monotonic(), kinds))

    def _delivered(self, frame: Pcm) -> None:
        if self._recording is not None:
            self._recording.append((self._clock.monotonic(), frame.copy()))


class Ears:
    """Implements `Microphone` over a simulated one: what it delivers is told first."""

    def __init__(self, microphone: SimulatedMicrophone, delivered: FrameCallback) -> None:
        self.name = microphone.name
        self._microphone = microphone
        self._delivered = delivered

    @property
    def finished(self) -> bool:
        """See `Microphone.finished`."""
        return self._microphone.finished

    def start(self, callback: FrameCallback) -> None:
        """See `Microphone.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """

        def deliver(frame: Pcm) -> None:
            self._delivered(frame)
            callback(frame)

        self._microphone.start(deliver)

    def stop(self) -> None:
        """See `Microphone.stop`."""
        self._microphone.stop()


class Mouth:
    """Implements `Speaker` over a simulated one: kinds of what it takes are told.

    Attributes:
        mixer: Knows of what kind it is; to be set by whoever makes one.
    """

    def __init__(self, speaker: SimulatedSpeaker, sounds: Callable[[frozenset[SoundKind]], None]) -> None:
        self.name = speaker.name
        self.latency = speaker.latency
        self.mixer: Mixer | None = None
        self._speaker = speaker
        self._sounds = sounds

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """

        def take(count: int) -> Pcm:
            mixer = self.mixer
            kinds = frozenset(filter(mixer.playing, KINDS)) if mixer and mixer.playing() else _SILENCE
            pcm = pull(count)
            self._sounds(kinds if kinds and pcm.any() else _SILENCE)
            return pcm

        self._speaker.start(take)

    def stop(self) -> None:
        """See `Speaker.stop`."""
        self._speaker.stop()
        self._sounds(_SILENCE)
