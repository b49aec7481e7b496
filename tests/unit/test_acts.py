"""Fixed answers, correcting openers and what may interrupt."""

import pytest

from device.nlu.acts import correction, exact_act, follow_on, interruption, strip_fillers
from device.nlu.types import Act


@pytest.mark.parametrize(
    ("said", "act"),
    [("yes please", Act.AFFIRM), ("nope", Act.DENY), ("never mind", Act.CANCEL), ("say that again", Act.REPEAT)],
)
def test_fixed_answers(said: str, act: Act) -> None:
    assert exact_act(said.split()) is act


def test_a_command_is_no_fixed_answer() -> None:
    assert exact_act("yes turn on the light".split()) is None


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("no fifteen minutes", "fifteen minutes"),
        ("no i meant the bedroom", "the bedroom"),
        ("make that seven", "seven"),
        ("actually half past six", "half past six"),
    ],
)
def test_what_is_corrected(said: str, rest: str) -> None:
    assert correction(said.split()) == tuple(rest.split())


def test_a_bare_no_corrects_nothing() -> None:
    assert correction(("no",)) is None


def test_what_carries_over() -> None:
    assert follow_on("and what about tomorrow".split()) == ("tomorrow",)
    assert follow_on("tomorrow".split()) is None


def test_fillers_never_eat_the_last_word() -> None:
    assert strip_fillers("for the please".split()) == ("the",)
    assert strip_fillers("for ten minutes please".split()) == ("ten", "minutes")


@pytest.mark.parametrize(
    ("text", "word"),
    [("Stop.", "stop"), ("Okay, stop!", "stop"), ("Snooze.", "snooze"), ("Stop the train to Lyon", None), ("", None)],
)
def test_what_may_interrupt(text: str, word: str | None) -> None:
    assert interruption(text) == word
