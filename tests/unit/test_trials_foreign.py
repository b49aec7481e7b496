"""Speech that is not for the device: where its sentences come from, how it is made, cut and kept."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from device.audio.files import read_audio
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import BadInput
from device.skills.wordnet import PLACES
from firmware_sim.sound.levels import active_rms
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.foreign import ASSETS, INDEX, Foreign, Take, cut, foreign, keep, music
from firmware_sim.trials.foreign_texts import Texts, read_texts

TEXTS = Texts(
    commands=("book a flight to lisbon", "what is my credit limit", "order a pizza for two"),
    prose=("a horse that is kept for hire", "a small boat with one sail"),
    talk=("he has the manners of a pig", "they explored several ruins", "too much sugar is bad for you"),
)
CAST = ("en-gb", "en-us+f2")


class Loudness:
    """Implements `VadEngine`: who is loud speaks."""

    def process(self, frame: Pcm) -> float:
        return float(np.abs(frame.astype(np.int32)).max() > 1000)

    def reset(self) -> None:
        pass


def tone(seconds: float) -> Pcm:
    return np.resize(np.array([5000, -5000], np.int16), round(seconds * SAMPLE_RATE))


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def test_a_take_is_cut_where_people_pause_and_each_part_has_its_words() -> None:
    sound = np.concatenate([silence(1), tone(1), silence(0.2), tone(1), silence(2), tone(0.8)])
    spans = [(1.0, 2.0, "one"), (2.2, 3.2, "two"), (5.2, 6.0, "three")]
    take = Take("t", "prose", sound, tuple((round(a * 16000), round(b * 16000), words) for a, b, words in spans))
    said = list(cut(take, Loudness()))
    assert [(u.name, u.text, u.kind) for u in said] == [("t-00", "one two", "prose"), ("t-01", "three", "prose")]
    assert [len(u.pcm) / SAMPLE_RATE for u in said] == pytest.approx([2.7, 1.3], abs=3 * FRAME / SAMPLE_RATE)
    assert not list(cut(Take("t", "prose", silence(3)), Loudness()))


def utterances(seconds: float = 1e9, seed: int = 0, known: str = "") -> list[Foreign]:
    made = foreign(
        TEXTS, [], Voices(), Loudness(), seconds=seconds, seed=seed, cast=CAST, known=lambda text: text == known
    )
    return [utterance for utterance in made if utterance.kind != "recorded"]


def test_all_kinds_are_said_and_the_same_for_the_same_seed() -> None:
    said = utterances()
    texts = " ".join(utterance.text for utterance in said)
    assert {utterance.kind for utterance in said} == {"command", "prose", "television"}
    assert all(text in texts for text in (*TEXTS.commands, *TEXTS.prose, *TEXTS.talk))
    assert len({utterance.name for utterance in said}) == len(said)
    again, other = utterances(), utterances(seed=1)
    assert all(a.pcm.tobytes() == b.pcm.tobytes() and a.text == b.text for a, b in zip(said, again, strict=True))
    assert [each.text for each in other] != [each.text for each in said]


def test_what_is_for_the_device_after_all_is_not_said() -> None:
    assert not any("credit" in utterance.text for utterance in utterances(known="what is my credit limit"))


def test_recordings_come_first_and_it_ends_when_it_is_long_enough(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "hello.wav", np.concatenate([silence(0.5), tone(1), silence(1)]), SAMPLE_RATE)
    (tmp_path / "label.json").write_text("{}")
    made = foreign(TEXTS, [tmp_path], Voices(), Loudness(), seconds=1e9, cast=CAST)
    first = list(itertools.takewhile(lambda utterance: utterance.kind == "recorded", made))
    assert {utterance.name.rpartition("-")[0] for utterance in first} <= {
        *(f"moonshine-{Path(name).stem}" for name in ASSETS),
        f"{tmp_path.name}-hello",
    }
    assert first[-1].name == f"{tmp_path.name}-hello-00"
    short = list(foreign(TEXTS, [tmp_path], Voices(), Loudness(), seconds=5, cast=CAST))
    lengths = [len(utterance.pcm) for utterance in short]
    assert sum(lengths) >= 5 * SAMPLE_RATE > sum(lengths[:-1])


def test_what_is_kept_has_its_words_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    whole = [Foreign("prose-0000-00", tone(0.5), "one two", "prose"), Foreign("a-1", tone(1), "", "recorded")]
    assert keep(folder, iter(whole)) == whole
    rows = json.loads((folder / INDEX).read_text())
    assert [(row["name"], row["text"], row["kind"]) for row in rows] == [(u.name, u.text, u.kind) for u in whole]
    for utterance in whole:
        np.testing.assert_array_equal(read_audio(folder / f"{utterance.name}.wav"), utterance.pcm)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        keep(tmp_path, iter([]))
    with pytest.raises(BadInput, match="can't keep speech"):
        keep(tmp_path / "mine.txt", iter([]))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_to_say_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing foreign"):
        next(foreign(Texts((), TEXTS.prose, TEXTS.talk), [], Voices(), Loudness()))
    with pytest.raises(BadInput, match="There is no folder"):
        list(foreign(TEXTS, [tmp_path / "none"], Voices(), Loudness(), seconds=1))


def test_music_plays_all_the_time_and_otherwise_for_another_seed() -> None:
    tune = music(3.5, seed=1)
    assert tune.dtype == np.int16
    assert len(tune) == round(3.5 * SAMPLE_RATE)
    assert np.abs(tune).max() == 16384
    assert all(active_rms(part) > 200 for part in np.array_split(tune, 7))
    np.testing.assert_array_equal(tune, music(3.5, seed=1))
    assert tune.tobytes() != music(3.5, seed=2).tobytes()


def data(folder: Path) -> Path:
    clinc = folder / "clinc150"
    clinc.mkdir()
    rows = [["transfer ten dollars to savings", "transfer"], ["turn on the light please", "smart_home"]]
    oos = [["how tall is the eiffel tower", "oos"], ["too short", "oos"], ["what is 5 + 5 again", "oos"]]
    (clinc / "data_full.json").write_text(json.dumps({"test": rows, "oos_test": oos}))
    hwu = folder / "nlu-evaluation-data" / "x" / "KFold_1" / "testset" / "csv"
    hwu.mkdir(parents=True)
    head = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user"
    for name, text in (("email_query", "read my last five emails"), ("alarm_set", "wake me at seven tomorrow")):
        (hwu / f"{name}.csv").write_text(f'{head}\n1;a;b;"x";"{text}";"y"\n')
    slurp = folder / "slurp" / "dataset" / "slurp"
    slurp.mkdir(parents=True)
    said = [("transport_taxi", "call me a taxi now"), ("email_query", "Read my last five emails.")]
    (slurp / "devel.jsonl").write_text("\n".join(json.dumps({"intent": i, "sentence": s}) for i, s in said))
    return folder


needs_wordnet = pytest.mark.skipif(
    not any((place / "data.noun").exists() for place in PLACES), reason="wordnet-base is not installed"
)


@needs_wordnet
def test_sentences_of_other_gadgets_are_found_once_and_those_of_ours_are_not(tmp_path: Path) -> None:
    texts = read_texts(data(tmp_path))
    assert {text.lower().rstrip(".") for text in texts.commands} == {
        "transfer ten dollars to savings",
        "how tall is the eiffel tower",
        "read my last five emails",
        "call me a taxi now",
    }
    assert len(texts.commands) == 4
    assert len(texts.prose) > 10_000
    assert len(texts.talk) > 10_000
    assert all(4 <= len(text.split()) <= 24 for text in texts.prose + texts.talk)


@needs_wordnet
def test_a_folder_without_data_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none of the data sets"):
        read_texts(tmp_path)
    (data(tmp_path) / "clinc150" / "data_full.json").write_text("[]")
    with pytest.raises(BadInput, match="not of its form"):
        read_texts(tmp_path)
