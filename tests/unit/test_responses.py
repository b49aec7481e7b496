"""Replies: keys to words."""

from datetime import UTC, datetime, timedelta

import pytest

from device.dialogue.responses import Responses, fill, placeholders
from device.errors import PackError
from device.nlu.pack import IntentSpec, Pack

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PACK = Pack(
    skill="timer",
    replies={"ringing": "Your {name} timer is done."},
    intents={"start": IntentSpec(replies={"done": ("{duration} starting now.", "{name}: {duration}."), "none": "No."})},
)


def render(key: str, turn: int = 0, **values: object) -> str:
    return Responses([PACK]).render("timer.start", key, values, turn, NOW)


def test_values_are_spoken_and_the_sentence_begins_with_a_capital() -> None:
    assert render("done", duration=timedelta(minutes=10)) == "Ten minutes starting now."


def test_variants_take_turns_but_only_those_that_can_be_filled() -> None:
    assert render("done", 1, duration=timedelta(minutes=1), name="tea") == "Tea: one minute."
    assert render("done", 1, duration=timedelta(minutes=1)) == "One minute starting now."


def test_a_reply_of_the_skill_serves_all_its_intents() -> None:
    assert render("ringing", name="pasta") == "Your pasta timer is done."


def test_missing_reply_and_missing_value_say_what_to_do() -> None:
    with pytest.raises(PackError, match="no reply `huh`"):
        render("huh")
    with pytest.raises(PackError, match="needs duration"):
        render("done")


def test_placeholders() -> None:
    assert placeholders("{a} and {b}, {a}") == {"a", "b"}
    assert fill("", {}) == ""
