from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from device.nlu.resolve import ResolveContext, candidates, resolve

CONTEXT = ResolveContext(
    datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("UTC")),
    {
        "room": ["kitchen", "living room", "dining room", "bedroom", "guest room"],
        "device": ["kitchen light", "ceiling light", "desk lamp", "bedroom ceiling light", "robot vacuum", "blinds"],
        "channel": ["BBC One", "CNN", "Channel 4"],
        "input": ["HDMI 1", "HDMI 2"],
        "app": ["Prime Video", "YouTube"],
        "person": ["Anna", "Ben"],
    },
    {"hoover": "robot vacuum", "lounge": "living room"},
)


@pytest.mark.parametrize(
    ("type_", "text", "name"),
    [
        ("room", "the kitchen", "kitchen"),
        ("room", "kitchin", "kitchen"),
        ("room", "living room", "living room"),
        ("room", "dining room", "dining room"),
        ("room", "bed room", "bedroom"),
        ("room", "lounge", "living room"),
        ("device", "kitchen light", "kitchen light"),
        ("device", "the kitchen lights", "kitchen light"),
        ("device", "light in the kitchen", "kitchen light"),
        ("device", "ceiling light", "ceiling light"),
        ("device", "bedroom light", "bedroom ceiling light"),
        ("device", "desk", "desk lamp"),
        ("device", "lamp", "desk lamp"),
        ("device", "the blind", "blinds"),
        ("device", "the hoover", "robot vacuum"),
        ("channel", "bbc one", "BBC One"),
        ("channel", "b b c one", "BBC One"),
        ("channel", "c n n", "CNN"),
        ("channel", "channel four", "Channel 4"),
        ("input", "h d m i two", "HDMI 2"),
        ("app", "you tube", "YouTube"),
        ("app", "prime", "Prime Video"),
        ("person", "anna's", "Anna"),
    ],
)
def test_known_name(type_: str, text: str, name: str) -> None:
    assert resolve(type_, text, CONTEXT) == name


@pytest.mark.parametrize(
    ("type_", "text", "words"),
    [
        ("room", "the bathroom", "bathroom"),  # near "bedroom", but another room
        ("room", "west wing", "west wing"),
        ("device", "the light", "light"),  # three of them
        ("device", "lamps", "lamps"),  # may be more than the one called so
        ("device", "toaster", "toaster"),
        ("input", "hdmi", "hdmi"),
        ("list", "my shopping", "shopping"),  # no names of this type
    ],
)
def test_other_words_stay(type_: str, text: str, words: str) -> None:
    assert resolve(type_, text, CONTEXT) == words


def test_candidates_show_ambiguity() -> None:
    found = candidates("device", "the light", CONTEXT)
    near = {name for name, score in found if score >= found[0][1] - 4}
    assert near == {"kitchen light", "ceiling light", "bedroom ceiling light"}
    assert candidates("device", "kitchen lights", CONTEXT)[0] == ("kitchen light", 100.0)
    assert candidates("device", "zzz", CONTEXT) == []
    assert candidates("list", "shopping", CONTEXT) == []


@pytest.mark.parametrize(("text", "value"), [("one oh five", 105), ("channel seven", 7), ("number twenty one", 21)])
def test_channel_numbers(text: str, value: int) -> None:
    assert resolve("channel", text, CONTEXT) == value


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        ResolveContext(datetime(2026, 7, 15))  # noqa: DTZ001
