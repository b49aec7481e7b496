"""The local media library: play, pause, skip, shuffle, like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.nlu.text import spoken
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import failure, named, says, text_of, unknown_intent
from device.skills.library import search
from device.skills.ports import Player, Track
from device.store.settings import Settings

LIKED: Final = "media.liked"
"""Setting that holds the ids of tracks that the user likes."""

_MUSIC: Final = frozenset({"song", "music", "album", "playlist"})
"""Media types that a music library has."""

_OFF: Final = ("off", "stop", "disable", "don't", "no")


class MediaSkill:
    """See the pack `media`."""

    name = "media"

    def __init__(self, services: Services) -> None:
        self._player: Player = services.player
        self._settings = Settings(services.database)
        self._random = services.random

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "play":
                return await self._play(request)
            case "pause" | "resume":
                return await self._hold(request)
            case "stop":
                return await self._stop(request)
            case "next":
                return await self._skip(request, 1)
            case "previous":
                return await self._skip(request, -1)
            case "shuffle":
                return await self._shuffle(request)
            case "repeat":
                return await self._repeat(request)
            case "query":
                return self._query()
            case "like":
                return self._like(request)
        raise unknown_intent(self.name, request)

    async def _play(self, request: Request) -> Outcome:
        """Most particular first: a title, an artist, a genre, anything; "my favourites" are what was liked."""
        library = self._player.library()
        if not library:
            return failure("empty")
        title, artist, genre = (text_of(request, slot) for slot in ("title", "artist", "genre"))
        kind = text_of(request, "media_type")
        if spoken(title) in ("my favourites", "my favorites", "favourites", "favorites") or says(request, "liked"):
            return await self._queue(request, self._liked(), "shuffle")
        if title:
            album = kind == "album"
            found = search(library, artist=artist, **({"album": title} if album else {"title": title}))
            if not found and not artist:  # "play miles davis" may have been heard as a title
                found, artist = search(library, artist=title), title
            return await self._queue(request, found, "by" if found and found[0].artist else "done")
        if artist or genre:
            key, found = ("artist" if artist else "genre"), search(library, artist=artist, genre=genre)
            if artist and not found:  # "play some jazz" leaves open what jazz is
                key, found = "genre", search(library, genre=artist)
            if artist and not found:
                key, found = "by", search(library, title=artist)
            return await self._queue(request, self._mixed(found), key)
        if kind and kind not in _MUSIC:
            found = search(library, genre=kind)
            return await self._queue(request, found, "genre") if found else failure("no_kind", {"kind": kind})
        return await self._queue(request, self._mixed(library), "shuffle")

    async def _queue(self, request: Request, tracks: Sequence[Track], key: str) -> Outcome:
        if not tracks:
            return failure("not_found")
        first = tracks[0]
        await self._player.play(tracks)
        values = {"title": first.title, "artist": first.artist, "genre": first.genre, "count": len(tracks)}
        mentioned = {"title": named(first.title), **({"artist": named(first.artist)} if first.artist else {})}
        change = Change(self.name, request.intent, first.id, {"queue": len(tracks)})
        return Outcome(key, values, (change,), mentioned=mentioned, undo=self._player.stop)

    async def _hold(self, request: Request) -> Outcome:
        state = self._player.state()
        pausing = request.intent == "pause"
        if not (state["playing"] or state["paused"]):
            return failure("none")
        if state["paused"] == pausing:
            return Outcome("already")
        await (self._player.pause() if pausing else self._player.resume())
        return Outcome("done", changes=(Change(self.name, request.intent, "player", {"paused": pausing}),))

    async def _stop(self, request: Request) -> Outcome:
        state = self._player.state()
        if not (state["playing"] or state["paused"]):
            return failure("none")
        await self._player.stop()
        return Outcome("done", changes=(Change(self.name, request.intent, "player", {"playing": False}),))

    async def _skip(self, request: Request, step: int) -> Outcome:
        if self._player.state()["track"] is None:
            return failure("none")
        if not await self._player.skip(step):
            return failure("end" if step > 0 else "start")
        state = self._player.state()
        values = {"title": state["title"], "artist": state["artist"]}
        return Outcome("done", values, (Change(self.name, request.intent, "player", {"track": state["track"]}),))

    async def _shuffle(self, request: Request) -> Outcome:
        """Alone it mixes what plays; with nothing playing, or with a name, it starts something."""
        on = not says(request, *_OFF)
        await self._player.set_mode(shuffle=on)
        change = Change(self.name, request.intent, "player", {"shuffle": on})
        if on and (request.slots or self._player.state()["track"] is None):
            if not self._player.library():
                return failure("empty")
            return await self._play(request)
        return Outcome("done" if on else "off", changes=(change,))

    async def _repeat(self, request: Request) -> Outcome:
        if self._player.state()["track"] is None:
            return failure("none")
        on = not says(request, *_OFF)
        await self._player.set_mode(repeat=on)
        return Outcome("done" if on else "off", changes=(Change(self.name, request.intent, "player", {"repeat": on}),))

    def _query(self) -> Outcome:
        state = self._player.state()
        if state["track"] is None:
            return Outcome("none")
        values = {"title": state["title"], "artist": state["artist"]}
        return Outcome("done" if state["artist"] else "title", values)

    def _like(self, request: Request) -> Outcome:
        state = self._player.state()
        if state["track"] is None:
            return failure("none")
        liked = self._settings.get(LIKED, [])
        if state["track"] not in liked:
            self._settings.set(LIKED, [*liked, state["track"]])
        change = Change(self.name, request.intent, str(state["track"]), {"liked": True})
        return Outcome("done", {"title": state["title"]}, (change,))

    def _liked(self) -> list[Track]:
        liked = set(self._settings.get(LIKED, []))
        return self._mixed([track for track in self._player.library() if track.id in liked])

    def _mixed(self, tracks: Sequence[Track]) -> list[Track]:
        """Another one first each time: nobody asks for "some jazz" to hear the same song again."""
        return self._random.sample(list(tracks), len(tracks))


def build(services: Services) -> MediaSkill:
    """The skill with its player."""
    return MediaSkill(services)
