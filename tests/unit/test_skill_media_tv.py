"""Music, television, suggestions, loudness."""

from collections.abc import Awaitable, Callable

import pytest

from device.nlu.types import Percent, Slot
from device.skills.api import Outcome, Services
from device.skills.library import search
from firmware_sim.home.player import LIBRARY, SimulatedPlayer
from firmware_sim.home.television import SimulatedTelevision

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]


@pytest.mark.parametrize(
    ("said", "artists", "count"),
    [
        ({"title": "Blue Kettle"}, {"Mina Okafor Quartet"}, 1),
        ({"title": "the fairyman's daughter"}, {"The Harbour Lights"}, 1),
        ({"title": "tide tables"}, {"The Harbour Lights"}, 4),
        ({"album": "tide tables"}, {"The Harbour Lights"}, 4),
        ({"artist": "neon pigeons"}, {"Neon Pigeons"}, 4),
        ({"artist": "harbour lights"}, {"The Harbour Lights"}, 4),
        ({"genre": "jazz"}, {"Mina Okafor Quartet"}, 4),
        ({"title": "sugar weather", "artist": "neon pigeons"}, {"Neon Pigeons"}, 1),
        ({"title": "sugar weather", "artist": "gravel avenue"}, set(), 0),
        ({"title": "yesterday"}, set(), 0),
    ],
)
def test_search(said: dict[str, str], artists: set[str], count: int) -> None:
    found = search(LIBRARY, **said)
    assert {track.artist for track in found} == artists
    assert len(found) == count


async def test_play_by_title_artist_genre(ask: Ask, player: SimulatedPlayer) -> None:
    reply, outcome = await ask("media.play", title="blue kettle")
    assert "Blue Kettle by Mina Okafor Quartet" in reply
    assert outcome.mentioned["artist"].value == "Mina Okafor Quartet"
    await ask("media.play", artist="gravel avenue")
    assert player.state()["artist"] == "Gravel Avenue"
    reply, _ = await ask("media.play", "play some jazz", artist="jazz")
    assert player.state()["artist"] == "Mina Okafor Quartet"
    await ask("media.play", "play some music", media_type="music")
    assert len(player.state()["queue"]) == len(LIBRARY)  # type: ignore[arg-type]
    assert (await ask("media.play", media_type=Slot("podcasts", "podcast")))[1].reply == "no_kind"
    assert (await ask("media.play", title="yesterday", artist="the beatles"))[1].failed


async def test_controls(ask: Ask, player: SimulatedPlayer) -> None:
    for intent in ("pause", "resume", "stop", "next", "previous", "repeat", "like"):
        assert (await ask(f"media.{intent}"))[1].failed, intent
    await ask("media.play", title="tide tables")
    assert (await ask("media.resume"))[1].reply == "already"
    await ask("media.pause")
    assert player.state()["paused"]
    assert (await ask("media.pause"))[1].reply == "already"
    await ask("media.resume")
    assert player.state()["playing"]
    assert "Lantern Song" in (await ask("media.next"))[0]
    assert "Low Water" in (await ask("media.previous"))[0]
    assert (await ask("media.previous"))[1].reply == "start"
    assert "Low Water" in (await ask("media.query"))[0]
    await ask("media.repeat", "repeat this")
    await ask("media.previous")
    assert player.state()["title"] == "Salt and Rope"
    await ask("media.repeat", "turn repeat off")
    assert (await ask("media.next"))[1].reply == "end"
    await ask("media.stop")
    assert player.state()["queue"] == []


async def test_shuffle_starts_something(ask: Ask, player: SimulatedPlayer) -> None:
    await ask("media.shuffle", "shuffle my music")
    assert player.state()["shuffle"]
    assert player.state()["playing"]
    await ask("media.shuffle", "turn shuffle off")
    assert not player.state()["shuffle"]


async def test_what_is_liked_is_played_and_suggested(ask: Ask, player: SimulatedPlayer) -> None:
    await ask("media.play", title="blue kettle")
    await ask("media.like")
    await ask("media.like")
    await ask("media.play", title="my favourites")
    assert player.state()["queue"] == ["mina_okafor_quartet/blue_kettle"]
    for _ in range(5):
        _, outcome = await ask("recommend.listen")
        assert outcome.values["artist"] == "Mina Okafor Quartet"
        assert outcome.values["title"] != "Blue Kettle"


async def test_suggestions_are_honest(ask: Ask) -> None:
    assert (await ask("recommend.listen", genre="polka"))[1].failed
    _, outcome = await ask("recommend.watch", genre="comedy")
    assert outcome.values == {"title": "Comedy Corner", "number": 8}
    assert (await ask("recommend.watch", app="streambox"))[1].failed


async def test_tv_power_and_channels(ask: Ask, television: SimulatedTelevision) -> None:
    await ask("tv.on")
    assert (await ask("tv.on"))[1].reply == "already"
    assert "Football Live" in (await ask("tv.channel", channel=Slot("five", 5)))[0]
    await ask("tv.channel", channel="kids planet")
    assert television.state()["channel"] == 10
    await ask("tv.channel_up")
    assert television.state()["channel"] == 11
    await ask("tv.channel_down")
    await ask("tv.channel_down")
    assert television.state()["channel"] == 9
    assert (await ask("tv.channel", channel=Slot("ninety", 90)))[1].failed
    assert (await ask("tv.channel", channel="bbc one"))[1].failed
    assert (await ask("tv.channel"))[1].question is not None
    await ask("tv.off")
    assert not television.state()["on"]


async def test_the_line_up_goes_round(ask: Ask, television: SimulatedTelevision) -> None:
    await ask("tv.channel_down")
    assert television.state()["channel"] == 20
    await ask("tv.channel_up")
    assert television.state()["channel"] == 1


async def test_a_set_that_is_off_is_turned_on_and_off_again_by_undo(ask: Ask, television: SimulatedTelevision) -> None:
    _, outcome = await ask("tv.app", app="filmhouse")
    assert television.state()["on"]
    assert television.state()["app"] == "Filmhouse"
    assert outcome.undo is not None
    await outcome.undo()
    assert not television.state()["on"]


async def test_inputs_apps_subtitles(ask: Ask, television: SimulatedTelevision) -> None:
    await ask("tv.input", input="hdmi two")
    assert television.state()["input"] == "HDMI 2"
    _, outcome = await ask("tv.input", input="hdmi")
    assert outcome.question is not None
    assert outcome.question.options == ("HDMI 1", "HDMI 2", "HDMI 3")
    reply, outcome = await ask("tv.app", app="netflix")
    assert outcome.failed
    assert "Filmhouse" in reply
    await ask("tv.subtitles", "turn on the subtitles")
    await ask("tv.subtitles", "turn on the subtitles")
    assert television.state()["subtitles"]
    await ask("tv.subtitles", "toggle the subtitles")
    assert not television.state()["subtitles"]
    assert "20 channels" in (await ask("tv.guide"))[0]


async def test_a_dead_tv_is_reported(ask: Ask, television: SimulatedTelevision) -> None:
    television.reachable = False
    for intent, slots in [("on", {}), ("channel", {"channel": "kids planet"}), ("app", {"app": "filmhouse"})]:
        _, outcome = await ask(f"tv.{intent}", **slots)
        assert (outcome.reply, outcome.failed) == ("offline", True)


async def test_volume(ask: Ask, services: Services) -> None:
    volume = services.volume
    await ask("volume.set", percent=Percent(30))
    await ask("volume.up", "louder")
    assert volume.level() == 40
    await ask("volume.up", "up by twenty", percent=Percent(20))
    await ask("volume.down", "down to fifteen", percent=Percent(15))
    assert volume.level() == 15
    _, outcome = await ask("volume.down", "quieter")
    assert outcome.undo is not None
    await outcome.undo()
    assert volume.level() == 15
    await ask("volume.mute")
    assert (await ask("volume.mute"))[1].reply == "already"
    await ask("volume.unmute")
    assert (volume.level(), volume.muted()) == (15, False)
    assert (await ask("volume.set", percent=Percent(130)))[1].failed
    await ask("volume.set", percent=Percent(100))
    assert (await ask("volume.up", "louder"))[1].reply == "maximum"
    await ask("volume.set", percent=Percent(0))
    assert (await ask("volume.down", "quieter"))[1].reply == "minimum"
