"""From kept turns to reports: wrong, confirmed, corrected, said again, taught."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from device.feedback.redact import Redactor
from device.feedback.reports import SECOND_TRY, Reporter
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.report import LONGEST, Report, encode
from device.nlu.text import spoken
from device.nlu.types import Act
from device.store.turns import Reading, Turn

PACKS = load_packs(PACKS_DIR)
SPECS = {f"{pack.skill}.{name}": spec for pack in PACKS for name, spec in pack.intents.items()}
START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def turn(
    number: int, heard: str, intent: str, seconds: float = 5, failed: bool = False, act: Act = Act.COMMAND, **slots: str
) -> Turn:
    """Turn `number`, `seconds` after the one before if all take as long."""
    route = "model" if intent else "dialogue"
    reading = Reading(intent, act, route, 0.9, spoken(heard), slots)
    at = START + timedelta(seconds=seconds * number)
    return Turn(number, at, heard, intent, "Okay.", (reading,), failed)


def reports(turns: Sequence[Turn], *wrong: int, taught: dict[str, str] | None = None, all_turns: bool = False):
    redact = Redactor(PACKS, {"room": ("kitchen",)}, lambda word: word in {"cosy", "oven"})

    def read(text: str) -> list[Reading]:
        return [Reading("light.dim", Act.COMMAND, "grammar", 1.0, text, {"device": "kitchen light"})]

    reporter = Reporter(SPECS, redact, taught or {}, read)
    return [told.report for told in reporter.reports(turns, wrong, all_turns=all_turns)]


COSY = turn(1, "make it cosy in the kitchen", "scene.activate", failed=True, scene="cosy", room="kitchen")
DIM = turn(2, "dim the lights in the kitchen", "light.dim", room="kitchen")


@pytest.mark.parametrize("opener", ["no, I meant", "I said", "no", "sorry I meant"])
def test_no_i_meant_links_and_says_wrong(opener: str) -> None:
    done = msgspec.structs.replace(COSY.readings[0], text=COSY.heard)
    first = Turn(1, COSY.at, COSY.heard, "scene.activate", "Okay.", (done,))  # it did something, but the wrong thing
    second = turn(2, f"{opener} dim the lights in the kitchen", "light.dim", room="kitchen")
    (report,) = reports([first, second])
    assert (report.text, report.verdict) == ("make it cosy in the {room}", "wrong")
    assert report.meant is not None
    assert (report.meant.intent, report.meant.how) == ("light.dim", "corrected")
    assert report.meant.text == "dim the lights in the {room}"


def test_the_next_command_after_a_wrong_one_is_meant() -> None:
    said_wrong = turn(2, "that was wrong", "feedback.wrong")
    (report,) = reports([COSY, said_wrong, turn(3, DIM.heard, "light.dim", room="kitchen")], COSY.id)
    assert report.verdict == "wrong"
    assert report.meant is not None
    assert (report.meant.intent, report.meant.how) == ("light.dim", "again")


def test_a_second_failure_does_not_hide_the_third_try() -> None:
    again = turn(2, "cosy please", "oos", failed=True)
    found = reports([COSY, again, turn(3, DIM.heard, "light.dim", room="kitchen")])
    assert [report.meant and report.meant.intent for report in found] == ["light.dim", "light.dim"]


def test_what_comes_later_means_nothing() -> None:
    late = turn(1 + int(SECOND_TRY.total_seconds()), DIM.heard, "light.dim", seconds=1.1, room="kitchen")
    (report,) = reports([COSY, late])
    assert report.meant is None


def test_what_went_well_is_told_only_if_asked_for() -> None:
    assert reports([DIM]) == []
    (report,) = reports([DIM], all_turns=True)
    assert (report.text, report.verdict, report.understood.slots) == ("dim the lights in the {room}", "none", ("room",))


def test_a_command_after_one_that_went_well_is_no_correction() -> None:
    found = reports([DIM, turn(3, "turn on the lights", "light.on")], all_turns=True)
    assert [report.meant for report in found] == [None, None]
    changed = turn(3, "no, make it the kitchen", "light.dim", act=Act.CORRECT, room="kitchen")
    assert [report.verdict for report in reports([DIM, changed], all_turns=True)] == ["none"]


@pytest.mark.parametrize(
    "answer", [turn(3, "yes", "", act=Act.AFFIRM), turn(3, "thank you", "smalltalk.thanks")], ids=["yes", "thanks"]
)
def test_yes_and_thanks_confirm(answer: Turn) -> None:
    (report,) = reports([DIM, answer])
    assert (report.verdict, report.understood.intent) == ("confirmed", "light.dim")


def test_a_phrase_taught_for_what_failed_is_meant_by_it() -> None:
    taught = {"make it cosy in the kitchen": "dim the kitchen light"}
    (report,) = reports([COSY], taught=taught)
    assert report.meant is not None
    assert (report.meant.intent, report.meant.how) == ("light.dim", "taught")


def test_a_phrase_of_the_household_is_told_to_nobody() -> None:
    own = turn(1, "pizza time", "timer.start", duration="ten minutes")
    reading = msgspec.structs.replace(own.readings[0], text="set a timer for ten minutes")
    own = Turn(1, own.at, own.heard, own.intent, own.reply, (reading,))
    assert reports([own], taught={"pizza time": "set a timer for ten minutes"}, all_turns=True) == []


def test_what_was_taken_for_a_message_does_not_leave_even_if_that_was_wrong() -> None:
    note = turn(1, "remember the oven is cosy", "note.remember", message="the oven is cosy")
    (report,) = reports([note], note.id)
    assert report.text == "remember {withheld}"
    (same,) = reports([note], all_turns=True)
    assert same.text == "remember {message}"


def test_only_single_commands_of_a_sane_length_are_told() -> None:
    two = Turn(1, START, "dim it and turn it on", "light.dim light.on", "", (DIM.readings[0], DIM.readings[0]))
    old = Turn(2, START, "dim it", "light.dim", "")
    answer = turn(3, "ten minutes", "timer.start", act=Act.INFORM)
    about = turn(4, "forget everything", "privacy.forget")
    talk = turn(5, "oven " * (LONGEST + 1), "oos", failed=True)
    secret = turn(6, "qqq", "oos", failed=True)
    assert reports([two, old, answer, about, talk, secret], all_turns=True) == []


def test_reports_tell_neither_time_nor_order() -> None:
    turns = [COSY, turn(30, "dim the oven", "oos", failed=True)]
    found = reports(turns)
    assert found == reports([turn(1, "dim the oven", "oos", failed=True), turn(30, COSY.heard, "scene.activate", failed=True, scene="cosy", room="kitchen")])  # fmt: skip # noqa: E501
    assert [msgspec.json.decode(encode(report), type=Report) for report in found] == found
    assert b"2026" not in b"".join(map(encode, found))
