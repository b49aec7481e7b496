"""What a television can show: channels, inputs and apps of invention, or those of a file of one's own."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from device.errors import BadInput

TUNER: Final = "TV"
"""The input on which channels are watched."""


class LineUp(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be watched; a TOML file of one's own has the same keys.

    Attributes:
        channels: Their names, numbered from 1.
        inputs: Names of the inputs; "TV" is the tuner, "HDMI 1" the plug with the physical address 1.0.0.0.
        apps: Names of the apps.
    """

    channels: tuple[str, ...] = (
        "Channel One", "City News", "World Report", "Sports Central", "Football Live",
        "Movie Palace", "Classic Cinema", "Comedy Corner", "Drama Plus", "Kids Planet",
        "Cartoon Attic", "Nature Now", "Science Lab", "History House", "Music Box",
        "Kitchen Stories", "Home and Garden", "Travel Diaries", "Parliament Live", "Weather Watch",
    )  # fmt: skip
    inputs: tuple[str, ...] = (TUNER, "HDMI 1", "HDMI 2", "HDMI 3", "AV", "USB")
    apps: tuple[str, ...] = (
        "Streambox", "Filmhouse", "Videotube", "Sport Pass", "Radio World", "Photo Frame", "Web Browser"
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raises: ValueError, if there is no channel, or not the tuner's input."""
        if not self.channels or TUNER not in self.inputs:
            raise ValueError(f"a set has at least one channel, and the input {TUNER!r}")


def load_line_up(path: Path) -> LineUp:
    """Read a line-up from a TOML file.

    Raises:
        BadInput: Not readable, not TOML, an unknown key or an impossible value.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), LineUp)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        known = ", ".join(LineUp.__struct_fields__)
        raise BadInput(f"The line-up {path} can't be used: {error}.", remedy=f"Known keys: {known}.") from error
