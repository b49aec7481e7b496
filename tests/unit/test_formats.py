"""One's own labelled sentences: JSONL, CoNLL and `datasets`."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from device.errors import BadInput
from device.nlu.types import Act
from models.labels import LabelSchema
from quantize.cli.data import app
from quantize.data.example import Example, Span, read_examples, write_examples
from quantize.data.formats import BadRow, read, read_dataset, without_example, write

LABELS = LabelSchema.of(["alarm.set", "light.on"], ["time", "room"], tuple(Act))


def jsonl(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def slots(example):
    return [(span.type, " ".join(example.words[span.start : span.end])) for span in example.spans]


def test_text_and_slots_come_in_the_spoken_form(tmp_path):
    row = {"text": "Wake me, at 6:30 a.m. tomorrow", "intent": "alarm.set"}
    path = jsonl(tmp_path / "a.jsonl", row | {"slots": {"date": "tomorrow", "time": "6:30 a.m."}})
    (example,) = read(path).examples
    assert " ".join(example.words) == "wake me at six thirty am tomorrow"
    assert slots(example) == [("time", "six thirty am"), ("date", "tomorrow")]
    (example,) = read(path, spoken=False).examples
    assert example.words == ("wake", "me,", "at", "6:30", "a.m.", "tomorrow")


@pytest.mark.parametrize(
    "given_slots",
    [
        {"item": ["milk", "eggs"]},
        [{"type": "item", "value": "milk"}, {"type": "item", "value": "eggs"}],
        [{"type": "item", "start": 3, "end": 4}, {"type": "item", "start": 1, "end": 2}],
    ],
)
def test_the_three_ways_to_name_slots(tmp_path, given_slots):
    path = jsonl(tmp_path / "a.jsonl", {"text": "Add milk and eggs", "intent": "list.add", "slots": given_slots})
    (example,) = read(path).examples
    assert slots(example) == [("item", "milk"), ("item", "eggs")]


def test_places_are_those_of_the_text_as_written(tmp_path):
    row = {"text": "at 6:30 in 5 min", "intent": "x.y", "slots": [{"type": "duration", "start": 3, "end": 5}]}
    (example,) = read(jsonl(tmp_path / "a.jsonl", row)).examples
    assert slots(example) == [("duration", "five minutes")]


def test_answers_have_an_act_and_a_context(tmp_path):
    row = {"text": "Yes.", "act": "affirm", "context": "Shall I set it?"}
    (example,) = read(jsonl(tmp_path / "a.jsonl", row)).examples
    assert example == Example(("yes",), None, Act.AFFIRM, context=("shall", "i", "set", "it"))


BAD = [
    ('{"text": "a" "intent": "b"}', "JSON is malformed"),
    ("[1, 2]", "Expected `object`"),
    ('{"text": "a", "intnet": "b"}', "unknown field `intnet`"),
    ('{"text": "a"}', "no `intent`"),
    ('{"text": "a", "intent": ""}', "`intent` is empty"),
    ('{"intent": "b"}', "either `text` or `words`"),
    ('{"text": "a", "words": ["a"], "intent": "b"}', "either `text` or `words`"),
    ('{"text": " ?!", "intent": "b"}', "no words"),
    ('{"text": "a", "intent": "b", "act": "sing"}', "sing"),
    ('{"text": "a", "intent": "b", "slots": {"x": "c"}}', "“c” is not in “a”"),
    ('{"text": "a", "intent": "b", "slots": {"x": ""}}', "slot `x` is empty"),
    ('{"text": "two to two", "intent": "b", "slots": {"x": "two"}}', "stands there 2 times"),
    ('{"text": "a", "intent": "b", "slots": [{"type": "x", "start": 0, "end": 2}]}', "not within its 1 words"),
    ('{"text": "a", "intent": "b", "slots": [{"type": "x", "start": 0}]}', "needs `start` and `end`"),
    ('{"text": "a c", "intent": "b", "slots": {"x": "a", "y": "a c"}}', "overlap"),
]


@pytest.mark.parametrize(("line", "what"), BAD)
def test_a_bad_row_is_named_with_its_line(tmp_path, line, what):
    path = jsonl(tmp_path / "mine.jsonl", {"text": "go", "intent": "x.y"}, "", line)
    with pytest.raises(BadRow, match=r"mine\.jsonl, line 3: ") as raised:
        read(path)
    assert what in str(raised.value)
    assert raised.value.remedy
    loaded = read(path, skip_bad=True)
    assert [e.words for e in loaded.examples] == [("go",)]
    assert [str(bad) for bad in loaded.bad] == [str(raised.value)]


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "go", "intent": "x.y"}\n{"text": "\xff\xfe", "intent": "x.y"}\n')
    with pytest.raises(BadRow, match="line 2"):
        read(path)
    path = tmp_path / "a.conll"
    path.write_bytes(b"# intent = x.y\ngo O\n\xff\xfe O\n")
    with pytest.raises(BadRow, match="line 3: it is not UTF-8"):
        read(path)


def test_labels_of_a_bundle(tmp_path):
    path = jsonl(
        tmp_path / "a.jsonl",
        {"text": "wake me at six", "intent": "alarm.set", "slots": {"time": "six"}},
        {"text": "lights on", "intent": "ligth.on"},
        {"text": "lights on", "intent": "light.on", "slots": {"rom": "lights"}},
    )
    loaded = read(path, skip_bad=True, labels=LABELS)
    assert ["Did you mean `light.on`?" in str(loaded.bad[0]), "Did you mean `room`?" in str(loaded.bad[1])] == [
        True
    ] * 2
    assert without_example(loaded.examples, LABELS) == (["light.on", "oos"], ["room"])


@pytest.mark.parametrize("name", ["a.jsonl", "a.conll"])
def test_a_file_without_sentences(tmp_path, name):
    (tmp_path / name).write_text("\n\n")
    with pytest.raises(BadInput, match="no sentence"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["missing.jsonl", "a.csv", "missing"])
def test_what_can_not_be_read(tmp_path, name):
    with pytest.raises(BadInput):
        read(tmp_path / name)


CONLL = """# intent = alarm.set
wake O
me O
at O
6:30 B-time
am I-time

# intent: music.play
# note = no column of ours
play\tVB\tO
queen\tNN\tB-artist
#\tNN\tO
"""


def test_conll(tmp_path):
    (tmp_path / "a.conll").write_text(CONLL)
    one, other = read(tmp_path / "a.conll").examples
    assert (one.intent, slots(one)) == ("alarm.set", [("time", "six thirty am")])
    assert (other.intent, slots(other)) == ("music.play", [("artist", "queen")])


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("# intent = a.b\ngo\n", "line 8: “go” has no tag"),
        ("# intent = a.b\ngo I-x\n", "line 7: word 1: `I-x` follows no `B-x`"),
        ("# intent = a.b\ngo B-y\non I-x\n", "`I-x` follows no `B-x`"),
        ("# intent = a.b\ngo X\n", "the tag `X`"),
        ("# intent = a.b\n# act = sing\ngo O\n", "no act `sing`"),
        ("go O\n", "line 7: it has no `intent`"),
    ],
)
def test_a_bad_block_is_named_with_its_line(tmp_path, block, what):
    good = "# intent = a.b\nstop O\n"
    (tmp_path / "a.conll").write_text(f"{good}\n{good}\n{block}")
    with pytest.raises(BadRow) as raised:
        read(tmp_path / "a.conll")
    assert what in str(raised.value)
    assert len(read(tmp_path / "a.conll", skip_bad=True).examples) == 2


def test_datasets(tmp_path):
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "tags": datasets.Sequence(datasets.ClassLabel(names=["O", "B-time", "I-time"])),
            "intent": datasets.ClassLabel(names=["alarm.set", "oos"]),
            "id": datasets.Value("int64"),
        }
    )
    rows = [
        {"tokens": ["wake", "me", "at", "6"], "tags": [0, 0, 0, 1], "intent": 0, "id": 7},
        {"tokens": ["sing"], "tags": [0, 0], "intent": 1, "id": 8},
    ]
    made = datasets.Dataset.from_list(rows, features=features)
    loaded = read_dataset(made, "mine", skip_bad=True)
    (example,) = loaded.examples
    assert (example.intent, slots(example)) == ("alarm.set", [("time", "six")])
    assert "mine, row 1: it has 1 tokens and 2 tags" in str(loaded.bad[0])
    with pytest.raises(BadInput, match="rename_column"):
        read_dataset(made.remove_columns("intent"), "mine")
    datasets.DatasetDict({"train": made}).save_to_disk(str(tmp_path / "both"))
    with pytest.raises(BadInput, match="both/train"):
        read(tmp_path / "both")


SAID = st.lists(st.text(string.ascii_lowercase, min_size=3, max_size=6), min_size=1, max_size=6)


@st.composite
def examples(draw):
    words = tuple(f"x{word}" for word in draw(SAID))
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=4)))
    spans = tuple(
        Span(draw(st.sampled_from(["time", "room"])), start, end)
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    )
    act = draw(st.sampled_from(Act))
    intent = draw(st.sampled_from(["alarm.set", "light.on"] + ([None] if act is not Act.COMMAND else [])))
    context = tuple(draw(st.lists(st.sampled_from(["which", "room"]), max_size=2)))
    return Example(words, intent, act, spans, None, context, draw(st.sampled_from(["", "mine"])))


@given(st.lists(examples(), min_size=1, max_size=5))
def test_jsonl_and_conll_lose_nothing(tmp_path_factory, made):
    for name in ("a.jsonl", "a.conll"):
        path = tmp_path_factory.mktemp("formats") / name
        write(path, made)
        assert read(path).examples == made


def test_datasets_lose_nothing(tmp_path):
    made = [
        Example(("wake", "me", "at", "six"), "alarm.set", spans=(Span("time", 3, 4),), annotated=frozenset({"time"})),
        Example(("yes",), None, Act.AFFIRM, context=("really",), source="mine"),
    ]
    write(tmp_path / "folder", made)
    assert read(tmp_path / "folder").examples == made


def test_the_factorys_own_files_are_read(tmp_path):
    made = [Example(("ten", "s"), "x.y", spans=(Span("time", 0, 1),), annotated=frozenset(), context=("a", "m"))]
    write_examples(tmp_path / "a.jsonl", made)
    assert read(tmp_path / "a.jsonl").examples == made == read_examples(tmp_path / "a.jsonl")
    write(tmp_path / "b.jsonl", made)
    assert read(tmp_path / "b.jsonl").examples == made


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_command_checks(tmp_path):
    good = jsonl(tmp_path / "good.jsonl", {"text": "go", "intent": "alarm.set"}, {"text": "go", "intent": "light.on"})
    result = run("check", good)
    assert result.exit_code == 0
    assert "2 sentences, 2 intents" in result.stdout
    bad = jsonl(tmp_path / "bad.jsonl", {"text": "go", "intent": "alarm.set"}, "oh", {"text": "go", "intent": "a.b"})
    LABELS.write(tmp_path / "labels.json")
    result = run("check", bad, "--bundle", tmp_path, "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert (found["sentences"], len(found["bad"])) == (1, 2)
    assert found["intents_without_sentence"] == ["light.on", "oos"]
    assert run("check", bad, "--skip-bad").exit_code == 0


def test_command_converts(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", {"text": "At 6!", "intent": "x.y", "slots": {"time": "6"}}, "oh")
    assert "1 bad rows left out" in run("convert", path, tmp_path / "a.conll", "--skip-bad").stdout
    assert (tmp_path / "a.conll").read_text() == "# intent = x.y\nat\tO\nsix\tB-time\n"
    with pytest.raises(BadInput, match="is there already"):
        run("convert", path, tmp_path / "a.conll", "--skip-bad")
    with pytest.raises(BadRow, match="line 2"):
        run("convert", path, tmp_path / "b.conll")
