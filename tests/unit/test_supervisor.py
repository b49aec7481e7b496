"""The keepers of microphone and speaker in virtual time: notice silence, tell once, try again with growing pauses."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from device.audio.fileports import FileMicrophone
from device.audio.mixer import Mixer
from device.audio.ports import FRAME, FrameCallback, Pcm
from device.audio.ring import Ring
from device.audio.volume import DeviceVolume
from device.errors import DeviceError, MicrophoneSilent, MicrophoneStalled, SpeakerStalled
from device.supervisor import DEAD_AFTER, FIRST_PAUSE, LONGEST_PAUSE, MicrophoneKeeper, SpeakerKeeper
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

STALL = 2.0


class Room:
    """A kept microphone, and when it was tried, lost and found, in virtual seconds."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.ring = Ring(clock)
        self.tried: list[float] = []
        self.lost: list[tuple[float, DeviceError]] = []
        self.found: list[float] = []
        room = self

        class Watched(SimulatedMicrophone):
            """Remembers when it was asked to start."""

            def start(self, callback: FrameCallback) -> None:
                room.tried.append(clock.monotonic())
                super().start(callback)

        self.microphone = Watched(clock)
        self.off = False

    def keeper(self) -> MicrophoneKeeper:
        return MicrophoneKeeper(
            self.microphone,
            self.ring,
            self.clock,
            STALL,
            lost=lambda error: self.lost.append((self.clock.monotonic(), error)),
            found=lambda: self.found.append(self.clock.monotonic()),
            off=lambda: self.off,
        )


def kept(scene: Callable[[Room], Awaitable[None]], *, started: bool = True) -> Room:
    """Play a scene while the keeper runs."""

    async def main(clock: VirtualClock) -> Room:
        room = Room(clock)
        if started:
            room.microphone.start(room.ring.push)
        keeping = asyncio.create_task(room.keeper().run())
        await scene(room)
        keeping.cancel()
        return room

    return run(main, limit=5000)


def test_a_microphone_that_delivers_is_left_alone() -> None:
    async def scene(room: Room) -> None:
        await room.clock.sleep(3600)

    room = kept(scene)
    assert room.tried == [0.0]
    assert not room.lost
    assert not room.found


def test_an_unplugged_microphone_is_told_once_and_found_after_plugging() -> None:
    async def scene(room: Room) -> None:
        await room.clock.sleep(10)
        room.microphone.unplug()
        await room.clock.sleep(100)
        room.microphone.plug()
        await room.clock.sleep(LONGEST_PAUSE + STALL)

    room = kept(scene)
    [(lost_at, error)] = room.lost
    assert isinstance(error, MicrophoneStalled)
    assert error.remedy
    assert abs(lost_at - (10 + STALL)) < 0.1
    [found_at] = room.found
    assert 110 < found_at <= 110 + LONGEST_PAUSE + STALL
    assert room.clock.monotonic() - room.ring.last_push < 0.1, "it delivers again"


def test_pauses_between_attempts_grow_to_a_limit() -> None:
    async def scene(room: Room) -> None:
        room.microphone.unplug()
        await room.clock.sleep(400)

    room = kept(scene, started=False)
    pauses = np.diff(room.tried)
    assert list(pauses[:4].round(2)) == [FIRST_PAUSE, 2.0, 4.0, 8.0]
    assert set(pauses[5:].round(2)) == {LONGEST_PAUSE}
    assert len(room.lost) == 1
    assert not room.found


def test_a_microphone_that_starts_but_stays_dumb_is_opened_again() -> None:
    """The driver says yes and no sample comes: only the samples themselves count."""

    async def scene(room: Room) -> None:
        await room.clock.sleep(1)
        deliver, room.ring.push = room.ring.push, lambda frame: None  # type: ignore[method-assign]
        room.microphone.start(room.ring.push)
        await room.clock.sleep(30)
        assert not room.found
        room.ring.push = deliver  # type: ignore[method-assign]
        await room.clock.sleep(LONGEST_PAUSE + STALL)

    room = kept(scene)
    assert len(room.lost) == 1
    assert len(room.found) == 1
    assert len(room.tried) > 4


def test_a_microphone_that_delivers_only_zeros_is_told_once_and_found_when_it_hears() -> None:
    async def scene(room: Room) -> None:
        await room.clock.sleep(10)
        room.microphone.silence()
        await room.clock.sleep(100)
        room.microphone.plug()
        await room.clock.sleep(LONGEST_PAUSE + STALL)

    room = kept(scene)
    [(lost_at, error)] = room.lost
    assert isinstance(error, MicrophoneSilent)
    assert error.remedy
    assert abs(lost_at - (10 + DEAD_AFTER)) < 0.1
    [found_at] = room.found
    assert 110 < found_at <= 110 + LONGEST_PAUSE + STALL
    assert len(room.tried) > 3, "opening a hung device again may help"


def test_a_microphone_that_is_switched_off_is_silent_and_well() -> None:
    async def scene(room: Room) -> None:
        room.off = True
        room.microphone.switch(True)
        await room.clock.sleep(600)
        room.off = False
        await room.clock.sleep(DEAD_AFTER - 2 * STALL)
        assert not room.lost
        await room.clock.sleep(2 * STALL + 1)
        assert [type(error) for _, error in room.lost] == [MicrophoneSilent], "it is on, and hears nothing"
        room.microphone.switch(False)
        await room.clock.sleep(LONGEST_PAUSE)

    assert kept(scene).found


def test_a_second_loss_is_told_again_and_begins_with_a_short_pause() -> None:
    async def scene(room: Room) -> None:
        for _ in range(2):
            await room.clock.sleep(60)
            room.microphone.unplug()
            await room.clock.sleep(20)
            room.microphone.plug()
        await room.clock.sleep(60)

    room = kept(scene)
    assert len(room.lost) == len(room.found) == 2
    second = [at for at in room.tried if at >= room.lost[1][0]]
    assert second[1] - second[0] == FIRST_PAUSE


def test_a_recording_that_has_ended_is_left_alone() -> None:
    async def main(clock: VirtualClock) -> list[DeviceError]:
        lost: list[DeviceError] = []
        ring = Ring(clock)
        microphone = FileMicrophone(np.zeros(20 * FRAME, np.int16), clock)
        microphone.start(ring.push)
        await MicrophoneKeeper(microphone, ring, clock, STALL, lost.append).run()
        assert microphone.finished
        return lost

    assert run(main, limit=60) == []


class Buffered(SimulatedSpeaker):
    """As long as its sound server hangs, it fills its buffer at the start and then takes nothing."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.hangs = False
        self.starts = 0

    def start(self, pull: Callable[[int], Pcm]) -> None:
        self.starts += 1
        for _ in range(3):
            pull(FRAME)
        if not self.hangs:
            super().start(pull)


def test_a_lost_speaker_is_told_once_and_opened_again_when_it_takes_sound() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), Buffered(clock)
        lost: list[DeviceError] = []
        found: list[float] = []
        speaker.start(mixer.pull)
        keeper = SpeakerKeeper(speaker, mixer, clock, STALL, lost.append, lambda: found.append(clock.monotonic()))
        keeping = asyncio.create_task(keeper.run())
        await clock.sleep(60)
        assert not lost
        speaker.stop()
        speaker.hangs = True  # it opens, and its buffer is filled, but nothing leaves it
        await clock.sleep(40)
        assert speaker.starts > 3
        assert not found
        speaker.hangs = False
        await clock.sleep(LONGEST_PAUSE + STALL)
        assert len(found) == 1
        playback = mixer.play(np.ones(FRAME, np.int16), kind="chime")
        assert await playback.wait() == "finished"
        [error] = lost
        assert isinstance(error, SpeakerStalled)
        assert error.remedy
        keeping.cancel()

    run(main, limit=500)
