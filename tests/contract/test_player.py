"""What every player promises: the simulated one, and the local one on a library of three short files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from device.audio.mixer import Mixer
from device.audio.ports import SAMPLE_RATE
from device.audio.volume import DeviceVolume
from device.errors import Missing, SkillError
from device.skills.library import Library
from device.skills.player import LocalPlayer, Reader
from device.skills.ports import Player
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.home.player import SimulatedPlayer, build
from firmware_sim.manual_clock import ManualClock

SECONDS = 3
RATE = 22_050


def tone(hertz: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(SECONDS * RATE) / RATE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pieces of one artist, one of them in stereo and FLAC, and things that are no music."""
    album = tmp_path / "music" / "The Beeps" / "First Tones"
    album.mkdir(parents=True)
    soundfile.write(album / "1_one.wav", tone(300), RATE)
    soundfile.write(album / "2_two.flac", np.stack([tone(400), tone(500)], axis=1), RATE)
    soundfile.write(album / "3_three.wav", tone(600), RATE)
    (album / "cover.jpg").write_bytes(b"not music")
    (album / "notes.txt").write_text("not music", encoding="utf-8")
    return tmp_path / "music"


def read_all(reader: Reader) -> np.ndarray:
    """Everything that is left in a file."""
    parts = [np.zeros(0, np.int16)]
    while len(pcm := reader.read()):
        parts.append(pcm)
    reader.close()
    return np.concatenate(parts)


class Hall:
    """A mixer whose speaker the test turns by hand."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.mixer = Mixer(clock, DeviceVolume(100))

    async def listen(self, seconds: float) -> np.ndarray:
        """Pull sound for a while; what was heard."""
        parts = []
        for _ in range(round(seconds * 20)):
            for _ in range(5):
                await asyncio.sleep(0)
            parts.append(self.mixer.pull(SAMPLE_RATE // 20))
            self.clock.advance(0.05)
        return np.concatenate(parts)


@pytest.fixture
def hall(clock: ManualClock) -> Hall:
    return Hall(clock)


@pytest.fixture
async def local(folder: Path, hall: Hall) -> AsyncIterator[LocalPlayer]:
    player = LocalPlayer(Library(folder), InlineWorkers(hall.clock), Random(1))
    player.mixer = hall.mixer
    yield player
    await player.stop()


@pytest.fixture(params=["simulated", "local"])
def any_player(request: pytest.FixtureRequest) -> Player:
    if request.param == "simulated":
        return SimulatedPlayer()
    player: Player = request.getfixturevalue("local")
    return player


async def test_the_state_has_its_keys(any_player: Player) -> None:
    state = any_player.state()
    assert state.keys() == {"playing", "paused", "track", "title", "artist", "shuffle", "repeat", "queue"}
    assert (state["playing"], state["paused"], state["track"], state["queue"]) == (False, False, None, [])


async def test_play_pause_resume_stop(any_player: Player) -> None:
    await any_player.pause()
    await any_player.resume()
    assert not any_player.state()["playing"], "with nothing to play these do nothing"
    tracks = any_player.library()[:3]
    await any_player.play(tracks)
    state = any_player.state()
    assert (state["playing"], state["paused"]) == (True, False)
    assert (state["track"], state["title"]) == (tracks[0].id, tracks[0].title)
    assert state["queue"] == [track.id for track in tracks]
    await any_player.pause()
    await any_player.pause()
    state = any_player.state()
    assert (state["playing"], state["paused"], state["track"]) == (False, True, tracks[0].id)
    await any_player.resume()
    assert any_player.state()["playing"]
    await any_player.stop()
    state = any_player.state()
    assert (state["playing"], state["paused"], state["track"], state["queue"]) == (False, False, None, [])


async def test_skip(any_player: Player) -> None:
    assert not await any_player.skip(1)
    tracks = any_player.library()[:3]
    await any_player.play(tracks)
    assert await any_player.skip(1)
    assert any_player.state()["track"] == tracks[1].id
    assert not await any_player.skip(2)
    assert any_player.state()["track"] == tracks[1].id
    assert await any_player.skip(-1)
    assert not await any_player.skip(-1)
    await any_player.set_mode(repeat=True)
    assert await any_player.skip(-1)
    assert any_player.state()["track"] == tracks[2].id
    assert any_player.state()["playing"]


async def test_shuffle_keeps_what_plays_and_every_track(any_player: Player) -> None:
    tracks = any_player.library()
    await any_player.play(tracks)
    await any_player.set_mode(shuffle=True)
    state = any_player.state()
    assert state["shuffle"]
    assert state["track"] == tracks[0].id
    assert sorted(state["queue"]) == sorted(track.id for track in tracks)  # type: ignore[arg-type, type-var]


async def test_playing_something_else_replaces_the_queue(any_player: Player) -> None:
    first, second, *_ = any_player.library()
    await any_player.play([first])
    await any_player.play([second])
    assert any_player.state()["queue"] == [second.id]


async def test_playing_nothing_stops(any_player: Player) -> None:
    await any_player.play(any_player.library()[:1])
    await any_player.play([])
    assert not any_player.state()["playing"]


async def test_the_simulated_one_survives_the_process(tmp_path: Path) -> None:
    player = build(tmp_path)
    await player.play(player.library()[2:5])
    await player.skip(1)
    assert build(tmp_path).state() == player.state()


def test_the_library_is_named_after_its_folders(folder: Path) -> None:
    tracks = Library(folder).tracks()
    assert [(t.title, t.artist, t.album) for t in tracks] == [
        ("1 one", "The Beeps", "First Tones"),
        ("2 two", "The Beeps", "First Tones"),
        ("3 three", "The Beeps", "First Tones"),
    ]


def test_tags_come_before_file_names(folder: Path) -> None:
    path = folder / "x.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        file.title, file.artist, file.genre = "Blue Kettle", "Mina", "Jazz"
        file.write(tone(300))
    track = next(track for track in Library(folder).tracks() if track.id == "x.flac")
    assert (track.title, track.artist, track.genre) == ("Blue Kettle", "Mina", "Jazz")


def test_links_do_not_lead_out_of_the_library(folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "secret.wav", tone(300), RATE)
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert len(Library(folder).tracks()) == 3


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="music folder"):
        Library(tmp_path / "nowhere")


def test_files_are_read_at_the_rate_of_the_house(folder: Path) -> None:
    path = folder / "The Beeps" / "First Tones" / "1_one.wav"
    pcm = read_all(Reader(path))
    assert abs(len(pcm) - SECONDS * SAMPLE_RATE) < 10
    spectrum = np.abs(np.fft.rfft(pcm[:SAMPLE_RATE]))
    assert abs(int(np.argmax(spectrum)) - 300) <= 1
    assert abs(len(read_all(Reader(path, start=2 * SAMPLE_RATE))) - (SECONDS - 2) * SAMPLE_RATE) < 10
    assert len(read_all(Reader(path, start=99 * SAMPLE_RATE))) == 0


async def test_the_local_one_is_heard_and_goes_on_to_the_end(local: LocalPlayer, hall: Hall) -> None:
    await local.play(local.library())
    first = await hall.listen(SECONDS - 0.5)
    assert np.abs(first).max() > 5000
    assert local.state()["title"] == "1 one"
    await hall.listen(SECONDS)
    assert local.state()["title"] == "2 two"
    await hall.listen(2 * SECONDS)
    assert not local.state()["playing"]
    assert np.abs(await hall.listen(0.2)).max() == 0


async def test_the_local_one_goes_on_where_it_was_paused(local: LocalPlayer, hall: Hall) -> None:
    await local.play(local.library()[:1])
    await hall.listen(1.0)
    await local.pause()
    await hall.listen(0.1)  # the fade
    assert np.abs(await hall.listen(2.0)).max() == 0
    await local.resume()
    assert np.abs(await hall.listen(1.5)).max() > 5000
    await hall.listen(1.0)
    assert not local.state()["playing"], "one second before the pause, two after it"


async def test_an_unreadable_file_is_passed_over(folder: Path, hall: Hall) -> None:
    (folder / "0_broken.wav").write_bytes(b"RIFF but no more")
    player = LocalPlayer(Library(folder), InlineWorkers(hall.clock))
    player.mixer = hall.mixer
    await player.play(player.library())
    await hall.listen(0.5)
    assert player.state()["title"] == "1 one"
    await player.set_mode(repeat=True)
    await player.play(player.library()[:1])
    await hall.listen(0.5)
    assert not player.state()["playing"], "a queue of nothing but broken files comes to an end"


async def test_without_a_speaker_nothing_is_played(folder: Path, hall: Hall) -> None:
    player = LocalPlayer(Library(folder), InlineWorkers(hall.clock))
    with pytest.raises(SkillError, match="no speaker"):
        await player.play(player.library())
    assert player.state()["queue"] == []
