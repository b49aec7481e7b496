from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pint
import pytest
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_expression

from device.nlu.pack import PACKS_DIR, ValueSpec, load_pack
from device.nlu.resolve import ResolveContext, resolve
from device.nlu.resolve.colors import color
from device.nlu.types import Color, Percent, Temperature, Value

CONTEXT = ResolveContext(datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("UTC")))


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("percent", "fifty percent", Percent(50)),
        ("percent", "fifty", Percent(50)),
        ("percent", "to twenty per cent", Percent(20)),
        ("percent", "half", Percent(50)),
        ("percent", "a quarter", Percent(25)),
        ("percent", "three quarters", Percent(75)),
        ("percent", "half a percent", None),
        ("percent", "two point five percent", Percent(2.5)),
        ("percent", "a hundred and twenty percent", Percent(120)),
        ("percent", "maximum", Percent(100)),
        ("percent", "full brightness", Percent(100)),
        ("percent", "minimum", Percent(1)),
        ("percent", "zero", Percent(0)),
        ("percent", "loud", None),
        ("temperature", "twenty one degrees", Temperature(21, "")),
        ("temperature", "seventy two", Temperature(72, "")),
        ("temperature", "twenty one and a half", Temperature(21.5, "")),
        ("temperature", "minus five degrees celsius", Temperature(-5, "C")),
        ("temperature", "five below zero", Temperature(-5, "")),
        ("temperature", "sixty eight fahrenheit", Temperature(68, "F")),
        ("temperature", "twenty degrees c", Temperature(20, "C")),
        ("temperature", "warm", None),
        ("amount", "three", 3),
        ("amount", "a", 1),
        ("amount", "half a", 0.5),
        ("amount", "one and a half", 1.5),
        ("amount", "a couple of", 2),
        ("amount", "a dozen", 12),
        ("amount", "two cups", "two cups"),
        ("unit", "kilometers", "kilometer"),
        ("unit", "kilometres", "kilometer"),
        ("unit", "feet", "foot"),
        ("unit", "degrees celsius", "degC"),
        ("unit", "miles per hour", "mile_per_hour"),
        ("unit", "meters a second", "meter_per_second"),
        ("unit", "square kilometers", "kilometer ** 2"),
        ("unit", "cubic feet", "foot ** 3"),
        ("unit", "an inch", "inch"),
        ("unit", "florps", None),
        ("unit", "square", None),
        ("unit", "per hour", None),
        ("currency", "euros", "EUR"),
        ("currency", "swiss francs", "CHF"),
        ("currency", "u s d", "USD"),
        ("currency", "beans", None),
        ("expression", "two plus two", "two plus two"),
        ("message", "  call   mum ", "call mum"),
        ("item", "", None),
        ("a_type_of_a_pack", "espresso", "espresso"),
    ],
)
def test_value(type_: str, text: str, value: Value | None) -> None:
    assert resolve(type_, text, CONTEXT) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("red", "red"),
        ("the color green", "green"),
        ("dark blue", "dark blue"),
        ("warm white", "warm white"),
        ("soft white", "warm white"),
        ("hot pink", "hot pink"),
        ("grey", "gray"),
        ("turquise", "turquoise"),
        ("light red", "light red"),
        ("bright orange", "bright orange"),
    ],
)
def test_color(text: str, name: str) -> None:
    found = color(text)
    assert found is not None
    assert found.name == name
    assert color(found.name) == found


@pytest.mark.parametrize("text", ["banana", "light", "very", "dark", "the"])
def test_no_color(text: str) -> None:
    assert color(text) is None


def test_modifiers_move_the_lightness() -> None:
    def brightness(text: str) -> int:
        found = color(text)
        assert found is not None
        return sum(int(found.rgb[at : at + 2], 16) for at in (1, 3, 5))

    assert brightness("deep purple") < brightness("purple") < brightness("light purple") < brightness("pale purple")
    assert color("red") == Color("red", "#ff0000")


def _closed(type_: str) -> list[tuple[str, str]]:
    """All words of a closed list of the common pack with the value that the pack gives them."""
    pairs = []
    for entry in load_pack(PACKS_DIR / "_common.yaml").types[type_].values:
        spec = entry if isinstance(entry, ValueSpec) else ValueSpec(entry, entry)
        texts = sample_expression(parse_sentence(f"[{spec.spoken}]").expression)
        pairs += [(" ".join(text.split()), str(spec.out)) for text in texts if text.strip()]
    return pairs


@pytest.mark.parametrize("type_", ["unit", "currency"])
def test_agrees_with_the_packs(type_: str) -> None:
    pairs = _closed(type_)
    assert len(pairs) > 20
    wrong = {text: resolve(type_, text, CONTEXT) for text, out in pairs if resolve(type_, text, CONTEXT) != out}
    assert not wrong


def test_colors_of_the_packs_are_known() -> None:
    found = {text: color(text) for text, _ in _closed("color")}
    assert {text: value and value.name for text, value in found.items()} == dict(_closed("color"))


def test_pint_knows_every_unit() -> None:
    registry = pint.UnitRegistry()
    for _, name in _closed("unit"):
        assert registry.parse_units(name) is not None
    for text in ("hectopascals", "megawatt hours", "milliamperes", "gigabits per second", "carats", "microns"):
        found = resolve("unit", text, CONTEXT)
        assert registry.parse_units(str(found)) is not None
