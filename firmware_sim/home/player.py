"""A media player without sound, with a library of invented recordings."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from device.skills.ports import Json, Player, Track
from firmware_sim.home.state_file import StateFile

_ALBUMS: Final = (
    ("The Harbour Lights", "Tide Tables", "folk",
     ("Low Water", "Lantern Song", "The Ferryman's Daughter", "Salt and Rope")),
    ("Mina Okafor Quartet", "Blue Kettle", "jazz",
     ("Blue Kettle", "Slow Elevator", "Rain on Ninth Street", "Paper Moonrise")),
    ("Orchestra of the Old Mill", "Seasons Revisited", "classical",
     ("Spring Awakening", "Summer Storm", "Harvest Dance", "Winter Largo")),
    ("Neon Pigeons", "Rooftop Radio", "pop",
     ("Rooftop Radio", "Call Me Tomorrow", "Paper Planes at Noon", "Sugar Weather")),
    ("Gravel Avenue", "Diesel Hearts", "rock",
     ("Diesel Hearts", "Thunder Road Diner", "Broken Compass", "Last Train East")),
    ("Still Water Ensemble", "Quiet Rooms", "ambient",
     ("Quiet Rooms", "Morning Fog", "Breathing Space", "Distant Rain")),
    ("Tiny Elephants", "Bedtime Parade", "children",
     ("Bedtime Parade", "Ten Little Ducks", "The Sleepy Bear", "Counting Stars")),
    ("Adaeze and the Drums", "Market Day", "world",
     ("Market Day", "Dust and Gold", "Dancing Barefoot", "River Crossing")),
)  # fmt: skip

LIBRARY: Final = tuple(
    Track(f"{artist}/{title}".lower().replace(" ", "_"), title, artist, album, genre)
    for artist, album, genre, titles in _ALBUMS
    for title in titles
)

_INITIAL: Final[Mapping[str, Json]] = {
    "playing": False, "paused": False, "queue": [], "position": 0, "shuffle": False, "repeat": False
}  # fmt: skip


class SimulatedPlayer:
    """Implements `device.skills.ports.Player`.

    Args:
        path: JSON file that keeps the state; None keeps it in memory.
        seed: Of the order in which a shuffled queue is played.

    Attributes:
        on_change: Called with the new state after every change.
    """

    def __init__(self, path: Path | None = None, seed: int = 0) -> None:
        self._file = StateFile(path)
        self._random = random.Random(seed)
        self._tracks = {track.id: track for track in LIBRARY}
        saved = {**_INITIAL, **self._file.load()}
        queue = saved["queue"]
        self._queue = [i for i in queue if i in self._tracks] if isinstance(queue, list) else []
        position = saved["position"]
        self._position = position if isinstance(position, int) and 0 <= position < len(self._queue) else 0
        self._shuffle, self._repeat = bool(saved["shuffle"]), bool(saved["repeat"])
        self._playing = bool(saved["playing"]) and bool(self._queue)
        self._paused = bool(saved["paused"]) and bool(self._queue)
        self.on_change: Callable[[Mapping[str, Json]], None] = lambda _state: None

    def library(self) -> Sequence[Track]:
        """See `Player.library`."""
        return LIBRARY

    def state(self) -> Mapping[str, Json]:
        """See `Player.state`."""
        track = self._tracks[self._queue[self._position]] if self._queue else None
        return {
            "playing": self._playing,
            "paused": self._paused,
            "track": track.id if track else None,
            "title": track.title if track else "",
            "artist": track.artist if track else "",
            "shuffle": self._shuffle,
            "repeat": self._repeat,
            "queue": list(self._queue),
        }

    async def play(self, tracks: Sequence[Track]) -> None:
        """See `Player.play`."""
        self._queue = [track.id for track in tracks]
        if self._shuffle:
            self._random.shuffle(self._queue)
        self._position = 0
        self._playing, self._paused = bool(self._queue), False
        self._changed()

    async def pause(self) -> None:
        """See `Player.pause`."""
        if self._playing:
            self._playing, self._paused = False, True
            self._changed()

    async def resume(self) -> None:
        """See `Player.resume`."""
        if self._paused:
            self._playing, self._paused = True, False
            self._changed()

    async def stop(self) -> None:
        """See `Player.stop`."""
        self._queue, self._position = [], 0
        self._playing = self._paused = False
        self._changed()

    async def skip(self, step: int) -> bool:
        """See `Player.skip`; a queue that repeats goes round."""
        target = self._position + step
        if self._repeat and self._queue:
            target %= len(self._queue)
        if not 0 <= target < len(self._queue):
            return False
        self._position = target
        self._playing, self._paused = True, False
        self._changed()
        return True

    async def set_mode(self, *, shuffle: bool | None = None, repeat: bool | None = None) -> None:
        """See `Player.set_mode`; shuffling mixes what is still to come."""
        if repeat is not None:
            self._repeat = repeat
        if shuffle is not None:
            if shuffle and not self._shuffle:
                rest = self._queue[self._position + 1 :]
                self._random.shuffle(rest)
                self._queue[self._position + 1 :] = rest
            self._shuffle = shuffle
        self._changed()

    def _changed(self) -> None:
        self._file.save(
            {
                "playing": self._playing,
                "paused": self._paused,
                "queue": list(self._queue),
                "position": self._position,
                "shuffle": self._shuffle,
                "repeat": self._repeat,
            }
        )
        self.on_change(self.state())


def build(home: Path) -> Player:
    """Driver entry point: the player, with its state in the home folder."""
    return SimulatedPlayer(home / "simulated" / "player.json")
