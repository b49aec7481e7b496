"""Suggestions from what the device itself knows: the local library and the television's line-up."""

from __future__ import annotations

from collections.abc import Sequence

from device.skills.api import Outcome, Request, Services
from device.skills.common import closest, failure, named, text_of, unknown_intent
from device.skills.library import search
from device.skills.media import LIKED
from device.skills.ports import Track
from device.store.settings import Settings


class RecommendSkill:
    """See the pack `recommend`."""

    name = "recommend"

    def __init__(self, services: Services) -> None:
        self._player = services.player
        self._tv = services.television
        self._settings = Settings(services.database)
        self._random = services.random

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "listen":
                return self._listen(request)
            case "watch":
                return self._watch(request)
        raise unknown_intent(self.name, request)

    def _listen(self, request: Request) -> Outcome:
        """Something of the wanted kind; before that, something like what the user likes."""
        library = self._player.library()
        if not library:
            return failure("none")
        genre, artist = text_of(request, "genre"), text_of(request, "artist")
        found = search(library, genre=genre, artist=artist) if genre or artist else self._to_taste(library)
        playing = self._player.state()["track"]
        found = [track for track in found if track.id != playing]
        if not found:
            return failure("nothing_like_it")
        track = self._random.choice(found)
        mentioned = {"title": named(track.title)}
        key = "done" if track.artist else "title"
        return Outcome(key, {"title": track.title, "artist": track.artist}, mentioned=mentioned)

    def _to_taste(self, library: Sequence[Track]) -> list[Track]:
        liked = set(self._settings.get(LIKED, []))
        tastes = {(track.artist, track.genre) for track in library if track.id in liked}
        artists, genres = {artist for artist, _ in tastes if artist}, {genre for _, genre in tastes if genre}
        alike = [t for t in library if t.id not in liked and (t.artist in artists or t.genre in genres)]
        return alike or list(library)

    def _watch(self, request: Request) -> Outcome:
        """Without a connection there is no programme: a channel of that kind is all that can be suggested."""
        channels = self._tv.channels()
        if not channels or request.words("app"):
            return failure("none")
        wanted = text_of(request, "genre") or text_of(request, "media_type")
        position = closest(wanted, [channel.name for channel in channels]) if wanted else None
        channel = self._random.choice(channels) if position is None else channels[position]
        values = {"title": channel.name, "number": channel.number}
        return Outcome("channel", values, mentioned={"channel": named(channel.name)})


def build(services: Services) -> RecommendSkill:
    """The skill with the library and the line-up."""
    return RecommendSkill(services)
