"""Changed sentences: slots stay exact, chance is repeatable, and each change is the one that it says."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import BadInput
from device.nlu.text import words
from quantize.data.augment import (
    SMALL_WORDS,
    AsrNoise,
    Confusions,
    Misheard,
    Rates,
    augmented,
    dropped,
    edited,
    false_start,
    filler,
    read_confusions,
    remnant,
)
from quantize.data.example import Example, Span
from quantize.data.numerals import with_digits, with_number_words
from quantize.data.perturb import PERTURBATIONS, casing, dialect, typos

TABLE = Confusions(
    words=100,
    wrong={
        "two": Misheard(10, {"to": 4}),
        "ice tea": Misheard(6, {"i see": 1, "nice tea": 2}),
        "lights": Misheard(8, {"light": 3, "": 1}),
        "living room": Misheard(5, {"livingroom": 2, "leaving room now": 1}),
    },
    extra={"uh huh": 2},
)
VOCABULARY = (
    "set the a my two thirty seven lights ice tea living room color tv please one twenty first half past movie "
    "theater timer for minutes u don't"
).split()


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Any words, with slots that do not overlap."""
    said = draw(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=9))
    borders = sorted(draw(st.sets(st.integers(0, len(said)), max_size=6)))
    pairs = list(zip(borders[::2], borders[1::2], strict=False))
    spans = tuple(Span(draw(st.sampled_from(["room", "time"])), start, end) for start, end in pairs)
    return Example(tuple(said), "x.y", spans=spans, annotated=frozenset({"room"}), context=("what",), source="packs")


def example(text: str, **slots: str) -> Example:
    """Slots by type and words, each found in the text."""
    said = text.split()
    spans = []
    for type_, filled in slots.items():
        inside = filled.split()
        start = next(i for i in range(len(said)) if said[i : i + len(inside)] == inside)
        spans.append(Span(type_, start, start + len(inside)))
    return Example(tuple(said), "x.y", spans=tuple(sorted(spans, key=lambda s: s.start)))


def shown(found: Example) -> str:
    """Words, slots in brackets."""
    said = list(found.words)
    for span in found.spans:
        said[span.start] = "[" + said[span.start]
        said[span.end - 1] += "]"
    return " ".join(said)


CHANGES = {
    **PERTURBATIONS,
    "remnant": remnant,
    "asr": AsrNoise(TABLE, 0.6),
    "with_digits": lambda e, _: with_digits(e),
    "with_number_words": lambda e, _: with_number_words(e),
}


@pytest.mark.parametrize("name", CHANGES)
@given(before=examples(), seed=st.integers(0, 2**32))
def test_spans_stay_valid_and_the_same_seed_gives_the_same(name: str, before: Example, seed: int) -> None:
    after = CHANGES[name](before, random.Random(seed))
    assert after == CHANGES[name](before, random.Random(seed))
    assert after.words
    assert all(word and word.split() == [word] for word in after.words)
    assert [span.type for span in after.spans] == [span.type for span in before.spans]
    end = 0
    for span in after.spans:
        assert end <= span.start < span.end <= len(after.words)
        end = span.end
    assert (after.intent, after.act, after.annotated, after.context, after.source) == (
        before.intent, before.act, before.annotated, before.context, before.source
    )  # fmt: skip


@pytest.mark.parametrize("change", [filler, remnant, dropped, false_start])
@given(before=examples(), seed=st.integers(0, 2**32))
def test_speakers_noise_keeps_the_words_of_slots(change, before: Example, seed: int) -> None:
    after = change(before, random.Random(seed))
    assert [after.words[s.start : s.end] for s in after.spans] == [before.words[s.start : s.end] for s in before.spans]


@settings(max_examples=30)
@given(st.lists(examples(), max_size=5), st.integers(0, 2**32))
def test_nothing_changes_at_rate_zero(before: list[Example], seed: int) -> None:
    none = Rates(asr=0, filler=0, remnant=0, dropped=0, false_start=0)
    assert list(augmented(before, random.Random(seed), none)) == before
    unheard = Rates(asr=1, word_errors=0, filler=0, remnant=0, dropped=0, false_start=0)
    assert list(augmented(before, random.Random(seed), unheard)) == before


def test_augmented_mixes_the_changes_at_their_rates() -> None:
    before = [example("set the living room lights to blue", room="living room")] * 2000
    rates = Rates(asr=0, filler=0.1, remnant=0.05, dropped=0.2, false_start=0.1)
    after = list(augmented(before, random.Random(1), rates))
    assert after == list(augmented(before, random.Random(1), rates))
    assert after != list(augmented(before, random.Random(2), rates))
    unchanged = sum(a == b for a, b in zip(after, before, strict=True)) / len(before)
    assert unchanged == pytest.approx(0.9 * 0.95 * 0.8 * 0.9, abs=0.04)
    misheard = list(augmented(before, random.Random(1), Rates(1, 0.3, 0, 0, 0, 0)))
    assert sum(a != b for a, b in zip(misheard, before, strict=True)) > 0.3 * len(before)
    quarter = list(augmented(before, random.Random(1), Rates.shared(0.25)))
    assert 0.16 < sum(a != b for a, b in zip(quarter, before, strict=True)) / len(before) < 0.26
    assert list(augmented(before, random.Random(1), Rates.shared(0))) == before


@pytest.mark.parametrize(
    ("start", "end", "said", "expected"),
    [
        (0, 0, "um", "um dim the [living room] lamp"),
        (2, 2, "uh", "dim the uh [living room] lamp"),
        (4, 4, "uh", "dim the [living room] uh lamp"),
        (3, 3, "uh", "dim the [living uh room] lamp"),
        (1, 2, "", "dim [living room] lamp"),
        (2, 4, "hall", "dim the [hall] lamp"),
        (2, 3, "the leaving", "dim the [the leaving room] lamp"),
        (4, 5, "lamps now", "dim the [living room] lamps now"),
        (1, 3, "deliving", "dim the [living room] lamp"),  # would cut across the border
        (2, 4, "", "dim the [living room] lamp"),  # would empty the slot
        (0, 5, "", "dim the [living room] lamp"),
    ],
)
def test_slots_move_along(start: int, end: int, said: str, expected: str) -> None:
    assert shown(edited(example("dim the living room lamp", room="living room"), start, end, said.split())) == expected


def test_two_slots_that_touch_stay_apart() -> None:
    before = Example(("hall", "noon"), "x.y", spans=(Span("room", 0, 1), Span("time", 1, 2)))
    assert shown(edited(before, 1, 1, ["uh"])) == "[hall] uh [noon]"
    assert edited(Example(("stop",), "x.y"), 0, 1, []).words == ("stop",)


def test_what_is_misheard_follows_the_table() -> None:
    before = example("two lights in the living room", room="living room")
    heard = Counter(shown(AsrNoise(TABLE, 0.12)(before, random.Random(seed))) for seed in range(1500))
    said = {word for text in heard for word in text.replace("[", "").replace("]", "").split()}
    assert said <= set("two to lights light in the living room livingroom leaving now uh huh".split())
    assert any("[livingroom]" in text for text in heard)
    assert any("[leaving room now]" in text for text in heard)
    to = sum(count for text, count in heard.items() if text.startswith("to "))
    light = sum(count for text, count in heard.items() if " light " in text)
    assert 0.7 < (to / 4 * 12) / (light / 3 * 10) < 1.4  # as often as counted: 4 of 10 and 3 of 8, and the prior


def test_the_rate_is_the_share_of_wrong_words() -> None:
    """On sentences like those that the table was learned from."""
    only = Confusions(1000, {"two": Misheard(300, {"to": 60}), "tea": Misheard(100, {"tee": 50})}, {})
    before = Example(tuple(["two"] * 300 + ["tea"] * 100 + ["x"] * 600), "x.y")
    for rate in (0.02, 0.1, 0.2):
        after = AsrNoise(only, rate)(before, random.Random(3))
        wrong = sum(a != b for a, b in zip(after.words, before.words, strict=True))
        assert wrong / 1000 == pytest.approx(rate, rel=0.35)


def test_an_empty_table_hears_everything() -> None:
    before = example("stop the timer")
    assert AsrNoise(Confusions(0, {}, {}), 1.0)(before, random.Random(1)) == before


def test_the_shipped_table_is_whole_and_changes_sentences() -> None:
    table = read_confusions()
    assert len(table.wrong) > 300
    for said, wrong in table.wrong.items():
        assert words(said) == tuple(said.split())
        assert said not in wrong.heard
        assert sum(wrong.heard.values()) <= wrong.said
    before = example("set a timer for ten minutes in the kitchen", room="kitchen")
    assert len({AsrNoise(table, 0.2)(before, random.Random(seed)).words for seed in range(50)}) > 10


@pytest.mark.parametrize("content", [None, b"{", b'{"words": 1}'])
def test_a_damaged_table_is_refused(tmp_path, content) -> None:
    path = tmp_path / "table.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match="homebody data confusions"):
        read_confusions(path)


def test_only_small_words_are_dropped() -> None:
    before = example("turn on the lamp in the hall", room="the hall")
    assert {dropped(before, random.Random(seed)).words for seed in range(20)} == {
        tuple("turn on lamp in the hall".split())
    }
    assert "the" in SMALL_WORDS
    assert dropped(example("the lamp"), random.Random(1)).words == ("the", "lamp")


def test_false_starts_repeat_what_is_outside_of_slots() -> None:
    before = example("wake me at seven", time="seven")
    after = {shown(false_start(before, random.Random(seed))) for seed in range(200)}
    assert {"wake wake me at [seven]", "wake me wake me at [seven]", "wake me at uh at [seven]"} <= after
    assert false_start(example("seven", time="seven"), random.Random(1)).words == ("seven",)


@pytest.mark.parametrize(
    ("spoken", "slots", "written"),
    [
        ("timer for twenty five minutes", {"duration": "twenty five minutes"}, "timer for [25 minutes]"),
        ("on the twenty first of may", {"date": "the twenty first of may"}, "on [the 21st of may]"),
        ("channel one hundred and five", {}, "channel 105"),
        ("this one at seven thirty", {"time": "seven thirty"}, "this one at [7 30]"),
        ("volume one", {"level": "one"}, "volume [1]"),
        ("room two five", {"room": "two", "level": "five"}, "room [2] [5]"),
        ("the twelfth track in thirty second steps", {}, "the 12th track in 30 second steps"),
    ],
)
def test_number_words_to_digits(spoken, slots, written) -> None:
    assert shown(with_digits(example(spoken, **slots))) == written


@pytest.mark.parametrize(
    ("written", "slots", "spoken"),
    [
        ("timer for 25 minutes", {"duration": "25 minutes"}, "timer for [twenty five minutes]"),
        ("wake me at 7:30 on the 21st", {"time": "7:30"}, "wake me at [seven thirty] on the twenty first"),
        ("at 5pm", {"time": "5pm"}, "at [five pm]"),
        ("no number", {}, "no number"),
    ],
)
def test_digits_to_number_words(written, slots, spoken) -> None:
    assert shown(with_number_words(example(written, **slots))) == spoken


@pytest.mark.parametrize(
    ("american", "british"),
    [
        ("play my favorite movie on tv", "play my favourite film on telly"),
        ("when is the movie theater open", "when is the cinema open"),
        ("wake me at seven thirty", "wake me at half seven"),
        ("wake me at half past six", "wake me at half six"),
        ("twenty one thirty", "twenty one thirty"),
        ("in two weeks", "in a fortnight"),
        ("dim the lamp", "dim the lamp"),
    ],
)
def test_dialect(american, british) -> None:
    assert " ".join(dialect(example(american), random.Random(1)).words) == british


def test_a_dialect_word_may_not_cut_a_slot() -> None:
    before = Example(("movie", "theater"), "x.y", spans=(Span("type", 0, 1),))
    assert shown(dialect(before, random.Random(1))) == "[film] theatre"


@given(st.integers(0, 2**32))
def test_typos_are_small(seed: int) -> None:
    before = example("turn the kitchen lights off")
    after = typos(before, random.Random(seed))
    changed = [(a, b) for a, b in zip(before.words, after.words, strict=True) if a != b]
    assert after.words[1] == "the" or len(after.words[1]) in (2, 3, 4)
    for a, b in changed:
        assert abs(len(a) - len(b)) <= 1
        assert len(a) > 2


def test_casing_changes_only_case() -> None:
    before = example("don't stop the music")
    found = {casing(before, random.Random(seed)).words for seed in range(40)}
    assert {" ".join(said) for said in found} == {
        "Don't stop the music", "DON'T STOP THE MUSIC", "Don't Stop The Music"
    }  # fmt: skip
