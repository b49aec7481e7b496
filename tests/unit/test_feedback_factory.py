"""Intake of reports, review, training sentences: nothing that a device says is trusted."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.report import FORMAT, Meant, Report, Understood, encode
from quantize.data.example import Span
from quantize.feedback.filled import examples
from quantize.feedback.intake import (
    MAX_LINE,
    Decision,
    Item,
    Known,
    Review,
    merged,
    read_reports,
    read_review,
    write_review,
)
from quantize.feedback.review import (
    Decided,
    Edited,
    Told,
    accept_confirmed,
    candidates,
    decide,
    open_items,
    parse,
    undo,
)

PACKS = load_packs(PACKS_DIR)
KNOWN = Known.of(PACKS)


def report(text: str, understood: str = "oos", meant: str = "", verdict: str = "none") -> Report:
    wanted = Meant(meant, "dim the lights", "again") if meant else None
    return Report(FORMAT, text, Understood(understood, (), "model", 0.9), True, verdict, wanted)  # type: ignore[arg-type]


def exported(path: Path, *reports: Report) -> Path:
    path.write_bytes(b"".join(map(encode, reports)))
    return path


def line(**changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(report("make it cosy")), **changes})


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (line(format=2), "Invalid enum value 2"),
        (line(text="Make it cosy"), "of another form - at `$.text`"),
        (line(text="make it cosy\n"), "of another form"),
        (line(text="make it \x1b[31mred"), "of another form"),
        (line(text="word " * 99 + "word"), "`str` of length"),
        (line(text="in the {hall}"), "no pack defines the slot type `hall`"),
        (line(understood={"intent": "light.burn", "slots": [], "route": "model", "probability": 1}), "light.burn"),
        (line(understood={"intent": "light.on", "slots": [], "route": "model", "probability": 2}), "<= 1.0"),
        (line(meant={"intent": "shell.run", "text": "a", "how": "again"}), "shell.run"),
        (line(verdict="great"), "Invalid enum value"),
        (line(device="4711"), "unknown field `device`"),
        (b" " * MAX_LINE + line(), "more than 4096"),
        (b'{"text": "\xff"}', "utf-8"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path: Path, row: bytes, wrong: str) -> None:
    path = tmp_path / "export.jsonl"
    path.write_bytes(line() + b"\n\n" + row.replace(b"\n", b"") + b"\n" + line() + b"\n")
    with pytest.raises(BadInput, match=r"line 3: ") as refused:
        read_reports(path, KNOWN)
    assert wrong in str(refused.value)
    found, bad = read_reports(path, KNOWN, skip_bad=True)
    assert (len(found), len(bad)) == (2, 1)


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    with pytest.raises(BadInput, match="can't be read"):
        read_reports(path, KNOWN)
    with path.open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(BadInput, match="17 MB"):
        read_reports(path, KNOWN)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("reports") / "export.jsonl"
    path.write_bytes(data)
    found, bad = read_reports(path, KNOWN, skip_bad=True)
    assert not found
    assert len(bad) == sum(bool(part.strip()) for part in data.splitlines())


def test_each_file_has_one_vote(tmp_path: Path) -> None:
    review = Review()
    loud = [report("make it cosy", meant="climate.up")] * 50
    for number, reports in enumerate(
        [loud, [report("make it cosy", meant="light.dim")], [report("make it cosy", "scene.activate", "light.dim")]]
    ):
        path = exported(tmp_path / f"{number}.jsonl", *reports)
        new = merged(review, path, reports)
        assert new == (number == 0)
    (item,) = review.items
    assert item.understood == {"oos": 2, "scene.activate": 1}
    assert item.meant == {"climate.up": 1, "light.dim": 2}
    assert (item.devices, item.suggestion) == (3, "light.dim")
    with pytest.raises(BadInput, match="imported before"):
        merged(review, path, reports)


def test_a_tie_suggests_nothing_and_what_was_confirmed_suggests_itself() -> None:
    assert Item("a", meant={"light.on": 1, "light.off": 1}).suggestion is None
    assert Item("a", {"light.on": 2}, confirmed=1).suggestion == "light.on"
    assert Item("a", {"light.on": 2}, confirmed=1, wrong=1).suggestion is None
    assert Item("a", {"light.on": 2}).suggestion is None


def test_a_later_import_keeps_decisions(tmp_path: Path) -> None:
    file = tmp_path / "review.jsonl"
    review = Review()
    first = [report("make it cosy"), report("make it snug")]
    merged(review, exported(tmp_path / "1.jsonl", *first), first)
    decide(review, review.items[0], Decision("rejected"))
    write_review(file, review)
    again = read_review(file)
    assert again == review
    second = [report("make it cosy", meant="light.dim"), report("make it dark")]
    assert merged(again, exported(tmp_path / "2.jsonl", *second), second) == 1
    assert [item.text for item in open_items(again)] == ["make it dark", "make it snug"]
    assert again.items[0].devices == 2


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"text": "a"}\n', b"\xff"])
def test_a_foreign_file_is_not_reviewed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "review.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no file to be reviewed"):
        read_review(path)


OFFERED = ["light.dim", "scene.activate"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("", Decided(Decision("accepted", "light.dim", "now"))),
        ("2", Decided(Decision("accepted", "scene.activate", "now"))),
        ("oos", Decided(Decision("accepted", "oos", "now"))),
        ("timer.start", Decided(Decision("accepted", "timer.start", "now"))),
        ("brighten", Decided(Decision("accepted", "light.brighten", "now"))),
        ("r", Decided(Decision("rejected"))),
        ("s", Decided(Decision("later"))),
        (" u ", "undo"),
        ("q", "quit"),
        ("?", "help"),
        ("e make it  cosy in the {room}", Edited("make it cosy in the {room}")),
    ],
)
def test_what_a_line_means(typed: str, answer: object) -> None:
    assert parse(typed, "now", OFFERED, KNOWN) == answer


@pytest.mark.parametrize(
    "typed", ["3", "0", "light", "lihgt.on", "xyzzy", "e Make It", "e in the {hall}", "e", "\x1b[A"]
)
def test_what_is_no_decision_is_explained(typed: str) -> None:
    assert isinstance(parse(typed, "now", OFFERED, KNOWN), Told)
    assert isinstance(parse("", "now", [], KNOWN), Told)


def test_candidates_begin_with_what_devices_say() -> None:
    item = Item("a", {"oos": 3}, {"climate.down": 1, "light.dim": 2})
    assert candidates(item, "a", lambda text: ["light.dim", "tv.on", "tv.off"]) == [
        "light.dim", "climate.down", "tv.on", "tv.off", "oos",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["accept", "reject", "later", "undo"]), max_size=30))
def test_taking_back_restores_what_was(keys: list[str]) -> None:
    review = Review(items=[Item(text) for text in "abcde"])
    states = [msgspec.json.encode(review)]
    for key in keys:
        waiting = [item for item in review.items if item.decision is None]
        if key == "undo":
            back = undo(review)
            assert (back is None) == (len(states) == 1)
            states = states[:-1] or states
            assert msgspec.json.encode(review) == (states[-1] if back else states[0])
        elif waiting:
            verdict = {"accept": "accepted", "reject": "rejected", "later": "later"}[key]
            decide(review, waiting[0], Decision(verdict, "light.on" if key == "accept" else None))  # type: ignore[arg-type]
            states.append(msgspec.json.encode(review))


def test_only_what_was_confirmed_and_never_called_wrong_is_accepted_unseen() -> None:
    good = Item("a", {"light.on": 2}, confirmed=1)
    items = [good, Item("b", {"light.on": 2}), Item("c", {"light.on": 2}, confirmed=1, wrong=1)]
    review = Review(items=items)
    assert accept_confirmed(review) == 1
    assert [item.decision and item.decision.intent for item in items] == ["light.on", None, None]


def accepted(text: str, intent: str, edited: str = "") -> Item:
    return Item(text, decision=Decision("accepted", intent, edited or text))


def test_sentences_are_filled_from_the_packs() -> None:
    found = examples([accepted("make it cosy in the {room}", "light.dim")], PACKS, seed=1, copies=8)
    assert len(found) == 8
    assert len({example.words for example in found}) > 3
    for example in found:
        (span,) = example.spans
        assert (span.type, example.intent, example.annotated) == ("room", "light.dim", None)
        assert example.words[:5] == ("make", "it", "cosy", "in", "the")
        assert example.words[span.start : span.end] and span.end == len(example.words)  # noqa: PT018


def test_the_values_of_a_sentence_do_not_depend_on_the_others() -> None:
    item, other = accepted("dim the {room}", "light.dim"), accepted("play {genre}", "media.play")
    assert examples([item], PACKS, 3) == examples([other, item], PACKS, 3)[6:]
    assert examples([item], PACKS, 3) != examples([item], PACKS, 4)


def test_withheld_words_and_foreign_slots_are_not_labelled() -> None:
    found = examples([accepted("dim {withheld} in the {room} {app}", "light.dim")], PACKS, 1, 2)
    for example in found:
        assert [span.type for span in example.spans] == ["room"]
        assert example.annotated == {"room"}
    (nothing,) = examples([accepted("sell my {item}", "oos")], PACKS, 1, 1)
    assert (nothing.spans, nothing.annotated) == ((), frozenset())


def test_only_accepted_sentences_are_trained_as_they_were_edited() -> None:
    items = [
        Item("a"), Item("b", decision=Decision("rejected")), Item("c", decision=Decision("later")),
        accepted("wake up at {number}", "alarm.set", "wake me at {time}"),
    ]  # fmt: skip
    (example,) = examples(items, PACKS, 1, 1)
    assert example.words[:3] == ("wake", "me", "at")
    assert example.spans == (Span("time", 3, len(example.words)),)
