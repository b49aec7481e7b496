"""Colours by name: CSS's 147 (webcolors), the whites of light bulbs, and light, dark, bright or pale ones of them."""

from __future__ import annotations

import colorsys
from functools import lru_cache
from typing import Final

import webcolors
from rapidfuzz import fuzz, process

from device.nlu.resolve.grammar import trim
from device.nlu.types import Color

_OWN: Final = {
    # Light sources as FastLED's `ColorTemperature` has them: Tungsten100W, OvercastSky, Candle.
    "warm white": "#ffd6aa",
    "cool white": "#c9e2ff",
    "candlelight": "#ff9329",
    # Names that people say and CSS lacks.
    "amber": "#ffbf00",
    "apricot": "#fbceb1",
    "burgundy": "#800020",
    "mint": "#98ff98",
    "peach": "#ffe5b4",
    "rose": "#ff007f",
    "lilac": "#c8a2c8",
    "mauve": "#e0b0ff",
    "ruby": "#e0115f",
    "emerald": "#50c878",
    "jade": "#00a86b",
    "mustard": "#ffdb58",
}
_SYNONYMS: Final = {
    "soft white": "warm white",
    "cold white": "cool white",
    "neutral white": "cool white",
    "natural white": "cool white",
    "candle light": "candlelight",
    "golden": "gold",
    "grey": "gray",
    "lime green": "lime",
    "navy blue": "navy",
    "light blue": "sky blue",
    "mint green": "mint",
    "daylight": "cool white",
}
_LIGHTNESS: Final = {"light": 0.45, "pale": 0.6, "soft": 0.4, "bright": 0.15, "dark": -0.45, "deep": -0.35}
"""How far towards white (or black) a modifier moves the lightness."""

_MISHEARD: Final = 85.0


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    css = {name: webcolors.name_to_hex(name) for name in webcolors.names("css3")}
    return css | {name.replace(" ", ""): rgb for name, rgb in _OWN.items()}


def color(text: str) -> Color | None:
    """The colour of these words, tolerant of small mishearings; None if they are no colour."""
    words = trim(text.split(), ("to", "a", "the", "in", "color", "colour"), ("color", "colour", "please", "light"))
    name = " ".join(words)
    name = _SYNONYMS.get(name, name)
    table = _table()
    if rgb := table.get(name.replace(" ", "")):
        return Color(name, rgb)
    if len(words) > 1 and words[0] in _LIGHTNESS and (base := color(" ".join(words[1:]))):
        return Color(f"{words[0]} {base.name}", _shade(base.rgb, _LIGHTNESS[words[0]]))
    near = process.extractOne(name.replace(" ", ""), table.keys(), scorer=fuzz.ratio, score_cutoff=_MISHEARD)
    return Color(near[0], table[near[0]]) if near else None


def _shade(rgb: str, by: float) -> str:
    """Move the lightness (HLS) towards white or black by a share of what is left."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in webcolors.hex_to_rgb(rgb)))
    lightness += (1 - lightness) * by if by > 0 else lightness * by
    parts = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
