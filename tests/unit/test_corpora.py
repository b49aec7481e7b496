"""Readers and mapping of the corpora, on small samples in the upstream formats."""

import json

import pytest

from device.errors import BadInput
from device.nlu.types import Act
from quantize.data.corpora import HWU_FOLD, HWU_FOLDS, Raw, read_clinc150, read_hwu64, read_slurp, read_snips
from quantize.data.mapping import map_example, map_examples

HEADER = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"


@pytest.fixture
def data_dir(tmp_path):
    hwu = tmp_path / HWU_FOLD / "trainset"
    hwu.mkdir(parents=True)
    (hwu / "alarm_set.csv").write_text(
        HEADER + '1;alarm;set;"wake me at [time : 6:30 a.m.] [date : tomorrow] [timeofday : morning]!";"x";"y"\n'
    )
    (tmp_path / "clinc150").mkdir()
    clinc = {
        "train": [["Set a timer for 5 min", "timer"]],
        "val": [["hi", "greeting"]],
        "oos_train": [["who is it", "oos"]],
    }
    rest = {"oos_val": [], "test": [["yes!", "yes"]], "oos_test": []}
    (tmp_path / "clinc150/data_full.json").write_text(json.dumps(clinc | rest))
    for part in ("train", "valid", "test"):
        folder = tmp_path / "snips" / part
        folder.mkdir(parents=True)
        (folder / "seq.in").write_text("what s the weather in denver colorado on the 25th \n")
        (folder / "seq.out").write_text("O O O O O B-city B-state O B-timeRange I-timeRange \n")
        (folder / "label").write_text("GetWeather\n")
    slurp = tmp_path / "slurp/dataset/slurp"
    slurp.mkdir(parents=True)
    row = {
        "scenario": "play",
        "action": "music",
        "sentence_annotation": "play [song_name : don 't stop] by [artist_name : queen]",
    }
    (slurp / "devel.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def texts(raw):
    return {kind: " ".join(raw.words[start:end]) for kind, start, end in raw.slots}


def test_hwu64(data_dir):
    (raw,) = read_hwu64(data_dir, "train")
    assert raw.intent == "alarm_set"
    assert " ".join(raw.words) == "wake me at six thirty am tomorrow morning"
    assert texts(raw) == {"time": "six thirty am", "date": "tomorrow", "timeofday": "morning"}


def test_clinc150(data_dir):
    train = list(read_clinc150(data_dir, "train"))
    assert [(" ".join(raw.words), raw.intent) for raw in train] == [
        ("set a timer for five minutes", "timer"),
        ("hi", "greeting"),
        ("who is it", "oos"),
    ]
    assert [raw.intent for raw in read_clinc150(data_dir, "test")] == ["yes"]


def test_snips(data_dir):
    assert len(list(read_snips(data_dir, "train"))) == 2  # train and valid
    (raw,) = read_snips(data_dir, "test")
    assert " ".join(raw.words) == "what's the weather in denver colorado on the twenty fifth"
    assert texts(raw)["timeRange"] == "the twenty fifth"


def test_slurp(data_dir):
    (raw,) = read_slurp(data_dir)
    assert raw.intent == "play_music"
    assert texts(raw)["artist_name"] == "queen"


def test_says_which_file_is_missing(tmp_path):
    for read in (
        lambda: read_hwu64(tmp_path, "test"),
        lambda: read_clinc150(tmp_path, "test"),
        lambda: read_slurp(tmp_path),
    ):
        with pytest.raises(BadInput, match="--data-dir"):
            list(read())


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("slurp/dataset/slurp/devel.jsonl", b'{"scenario": "play"}\n', "line 1"),
        ("slurp/dataset/slurp/devel.jsonl", b"\xff\n", "line 1"),
        ("clinc150/data_full.json", b'{"train": []}', "oos_train"),
        ("clinc150/data_full.json", b'{"train": [["a"]]}', "published format"),
        ("snips/test/seq.out", b"O O\n", "line 1: seq.in and seq.out differ"),
        ("snips/test/label", b"", "different numbers of lines"),
        ("nlu-evaluation-data/x", b"", None),
    ],
)
def test_a_damaged_corpus_is_named(data_dir, file, content, what):
    (data_dir / file).write_bytes(content)
    if what is None:
        (next((data_dir / HWU_FOLD / "trainset").glob("*.csv"))).write_text("a;b\n1;2\n")
        what = "answer_annotation"

    def everything():
        yield from read_slurp(data_dir)
        yield from read_clinc150(data_dir, "train")
        yield from read_snips(data_dir, "test")
        yield from read_hwu64(data_dir, "train")

    with pytest.raises(BadInput, match=what):
        list(everything())


def test_each_fold_of_hwu64_has_its_own_folder(data_dir):
    folder = data_dir / HWU_FOLDS / "KFold_7/testset/csv"
    folder.mkdir(parents=True)
    (folder / "qa_maths.csv").write_text(HEADER + 'null;qa;maths;"what is 2 + 2";"x";"y"\n')
    (raw,) = read_hwu64(data_dir, "test", fold=7)
    assert " ".join(raw.words) == "what is two plus two"
    with pytest.raises(BadInput, match="no fold 11"):
        list(read_hwu64(data_dir, "test", fold=11))


def mapped(intent, text, *slots, corpus="hwu64"):
    said = tuple(text.split())
    found = []
    for kind, inside in slots:
        part = tuple(inside.split())
        start = next(i for i in range(len(said)) if said[i : i + len(part)] == part)
        found.append((kind, start, start + len(part)))
    return map_example(Raw(corpus, said, intent, tuple(found)))


def spans(example):
    return [(s.type, " ".join(example.words[s.start : s.end])) for s in example.spans]


def test_times_and_dates_become_ours():
    example = mapped(
        "alarm_set", "at six in the morning next friday", ("time", "six"), ("timeofday", "morning"), ("date", "friday")
    )
    assert spans(example) == [("time", "six in the morning"), ("date", "next friday")]
    example = mapped("alarm_set", "wake me tomorrow morning", ("date", "tomorrow"), ("timeofday", "morning"))
    assert spans(example) == [("date", "tomorrow morning")]
    example = mapped("alarm_set", "wake me on mondays in ten minutes", ("date", "mondays"), ("time", "ten minutes"))
    assert spans(example) == [("recurrence", "mondays"), ("time", "in ten minutes")]


def test_neighbouring_places_are_one():
    (example,) = map_examples(
        [Raw("snips", ("rain", "in", "denver", "colorado"), "GetWeather", (("city", 2, 3), ("state", 3, 4)))]
    )
    assert spans(example) == [("place", "denver colorado")]
    assert example.annotated == {"date", "time", "place"}


@pytest.mark.parametrize(
    ("corpus", "theirs", "text", "ours"),
    [
        ("hwu64", "calendar_set", "remind me to eat", "reminder.set"),
        ("hwu64", "calendar_set", "add a meeting", "calendar.add"),
        ("hwu64", "datetime_query", "what time is it", "time.query"),
        ("hwu64", "datetime_query", "what day is it", "date.query"),
        ("hwu64", "audio_volume_up", "turn the volume up to ninety", "volume.set"),
        ("hwu64", "iot_wemo_on", "turn on the kitchen light", "light.on"),
        ("hwu64", "iot_wemo_on", "turn on the lamp socket", "switch.on"),
        ("hwu64", "lists_remove", "delete my shopping list", "list.clear"),
        ("hwu64", "lists_remove", "delete eggs from my shopping list", "list.remove"),
        ("hwu64", "play_audiobook", "resume my book", "media.resume"),
        ("hwu64", "recommendation_movies", "movies playing near me", "oos"),
        ("hwu64", "email_query", "any new mail", "oos"),
        ("clinc150", "shopping_list_update", "take milk off my shopping list", "list.remove"),
        ("clinc150", "change_volume", "volume to four", "volume.set"),
        ("clinc150", "greeting", "how are you", "smalltalk.wellbeing"),
        ("clinc150", "smart_home", "lock all the doors", "lock.lock"),
        ("clinc150", "balance", "what is my balance", "oos"),
        ("snips", "RateBook", "rate this five stars", "oos"),
    ],
)
def test_words_decide_where_an_intent_is_wider_than_ours(corpus, theirs, text, ours):
    example = mapped(theirs, text, corpus=corpus)
    assert example is not None
    assert example.intent == ours


def test_two_commands_in_one_are_left_out():
    assert mapped("shopping_list_update", "add milk and remove eggs", corpus="clinc150") is None


def test_yes_and_no_have_an_act_and_no_intent():
    example = mapped("yes", "that's right", corpus="clinc150")
    assert (example.intent, example.act) == (None, Act.AFFIRM)
    assert mapped("repeat", "say that again", corpus="clinc150").act is Act.REPEAT
