"""The trial of recorded commands: with an engine that knows what was said, and with real voices and engines."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from device.audio.ports import SAMPLE_RATE, Pcm
from device.cli.commands import build
from device.errors import BadInput, EngineMissing
from device.nlu.pack import PACKS_DIR, Pack, load_pack
from device.speech.bias.sentences import Sentences
from device.speech.engines import EngineOptions, make_stt, make_tts
from device.speech.ports import Hypothesis, Transcript, render
from firmware_sim.sound.noise import mix
from firmware_sim.trials.acceptance_picture import LEVELS, PUBLISHED, write
from firmware_sim.trials.gadgets import read_packs, without
from firmware_sim.trials.recordings import Label, foreign, read_clips, read_labels
from firmware_sim.trials.speech_scores import wilson
from firmware_sim.trials.speech_trial import Trial, run
from tests.loudness import LevelStt, LevelVad

COFFEE = PACKS_DIR / "examples" / "coffee.yaml"
PACK = """
skill: bar
types:
  size: {values: [small, large]}
  drink: {values: [mocha, latte, {in: "iced mocha|frozen mocha", out: iced}]}
  name: {wildcard: true}
intents:
  order_drink: {slots: {size: {}, drink: {}}, phrases: ["[a] [{size}] {drink}"]}
  greet: {slots: {name: {}}, phrases: ["hello {name}"]}
"""
SAID = {1000: "A large mocha", 2000: "a small latte", 3000: "good morning", 4000: "LARGE, frozen mocha!"}


def hears(level: int, bias: Sentences | None) -> Transcript:
    """The sentence of a level, also as one that can be said if it is."""
    text = SAID.get(level, "")
    words = "".join(letter for letter in text.lower() if letter not in ",!")
    known = bias is not None and bias.accepts(words.split())
    return Transcript(text, 0.9, (Hypothesis(words, -0.1, -0.5),) if known else (), 20.0)


def tone(level: int, seconds: float = 1.0) -> Pcm:
    quiet = np.zeros(SAMPLE_RATE, np.int16)
    return np.concatenate([quiet, np.full(round(seconds * SAMPLE_RATE), level, np.int16), quiet])


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    path = tmp_path / "bar.yaml"
    path.write_text(PACK, encoding="utf-8")
    return read_packs([path])[0]


def trial(pack: Pack, **options: object) -> Trial:
    labels = {
        "a.wav": Label("order_drink", {"size": "large", "drink": "mocha"}),
        "b.wav": Label("order_drink", {"drink": "latte"}),
        "c.wav": Label("order_drink", {"drink": "mocha"}),
        "d.wav": Label("order_drink", {"drink": "frozen mocha"}),
    }
    clips = {name: tone(level) for name, level in zip(labels, SAID, strict=True)}
    return Trial([pack], clips, labels, **options)  # type: ignore[arg-type]


def test_a_command_counts_when_all_that_was_labelled_is_right(pack: Pack) -> None:
    (row,) = run(trial(pack), LevelStt(hears), LevelVad(), [None])
    assert (row["engine"], row["snr"], row["n"]) == ("level", None, 4)
    assert (row["acceptance"], row["strict"], row["rejections"]) == (0.75, 0.25, 1)
    assert row["interval"][0] < 0.75 < row["interval"][1]
    assert row["cpu_s_per_command"] >= 0
    (failure,) = row["failures"]
    assert failure["clip"] == "c.wav"
    assert failure["heard"] == "good morning"
    assert failure["understood"] == ""
    assert failure["expected"] == "order_drink(drink=mocha)"


def test_strict_counts_what_was_not_said(pack: Pack) -> None:
    (row,) = run(trial(pack, strict=True), LevelStt(hears), LevelVad(), [None])
    assert row["acceptance"] == row["strict"] == 0.25
    assert row["failures"][0]["understood"] == "bar.order_drink(size=small, drink=latte)"
    assert row["failures"][0]["hypotheses"] == [{"text": "a small latte", "score": -0.1}]


def test_every_seed_is_told_and_counts(pack: Pack) -> None:
    noise = np.random.default_rng(2).normal(0, 300, 200_000).astype(np.int16)
    clean, noisy = run(trial(pack, noise=noise, seeds=(4, 5)), LevelStt(hears), LevelVad(), [None, 12.0])
    assert [seed["seed"] for seed in clean["seeds"]] == [4]
    assert [seed["seed"] for seed in noisy["seeds"]] == [4, 5]
    assert (noisy["snr"], noisy["n"], noisy["acceptance"], noisy["rejections"]) == (12.0, 8, 0.0, 8)
    assert noisy["interval"] == wilson(0.0, 4)  # as many as there are recordings


def test_what_is_taken_out_must_be_rejected(pack: Pack) -> None:
    (row,) = run(trial(pack, taken=(("drink", "mocha"),)), LevelStt(hears), LevelVad(), [None])
    misses = row["near_misses"]
    assert (row["n"], misses["n"], misses["accepted"]) == (2, 2, 0)
    assert misses["values"] == {"drink=mocha": {"n": 2, "accepted": 0}}
    assert misses["false_rejects"] == {"n": 2, "rejected": 0, "rate": 0.0}
    every = (("drink", "mocha"), ("drink", "latte"), ("drink", "frozen mocha"))
    with pytest.raises(BadInput, match="Every command"):
        list(run(trial(pack, taken=every), LevelStt(hears), LevelVad(), [None]))


def test_near_misses_take_out_what_is_often_said(pack: Pack) -> None:
    given = trial(pack, near_miss=True)
    labels = {name: Label("order_drink", {"drink": "latte"}) for name in given.clips}
    given = Trial([pack], given.clips, labels, near_miss=True)
    (row,) = run(given, LevelStt(hears), LevelVad(), [None])
    assert row["n"] == 4
    assert row["near_misses"]["values"] == {"drink=latte": {"n": 4, "accepted": 2}}  # "large mocha" and "frozen mocha"
    assert {wrong["clip"] for wrong in row["near_misses"]["taken_for"]} == {"a.wav", "d.wav"}


def test_foreign_speech_is_cut_as_a_device_would_cut_it(tmp_path: Path, pack: Pack) -> None:
    talk = np.concatenate([tone(3000), tone(1000), tone(3000, 0.6)])
    soundfile.write(tmp_path / "talk.flac", talk, SAMPLE_RATE)
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    heard = list(foreign(tmp_path, LevelVad()))
    (row,) = run(trial(pack, strangers=heard), LevelStt(hears), LevelVad(), [None])
    assert (row["foreign"]["n"], row["foreign"]["accepted"], row["foreign"]["rate"]) == (3, 1, 0.3333)
    assert row["foreign"]["taken_for"][0]["understood"] == "bar.order_drink(size=large, drink=mocha)"
    with pytest.raises(BadInput, match="no recordings"):
        list(foreign(tmp_path / "empty", LevelVad()))


def test_a_value_is_taken_out_with_its_other_words(pack: Pack) -> None:
    def left(slot: str, value: str, given: Pack = pack) -> set[str]:
        type_ = given.intents[next(n for n, i in given.intents.items() if slot in i.slots)].slot_type(slot)
        return {each.spoken for each in without([given], slot, value)[0].types[type_].values}  # type: ignore[union-attr]

    assert left("drink", "Mocha") == {"latte", "iced mocha", "frozen mocha"}
    assert left("drink", "iced mocha") == {"mocha", "latte"}
    coffee = load_pack(COFFEE)
    assert "lots of whole milk" in left("milk_amount", "whole milk", coffee)
    assert "whole milk" not in left("milk_amount", "whole milk", coffee)
    with pytest.raises(BadInput, match="can't be said for drink") as raised:
        without([pack], "drink", "mokka")
    assert "mocha" in raised.value.remedy
    with pytest.raises(BadInput, match="can't be said for cup"):
        without([pack], "cup", "mocha")
    with pytest.raises(BadInput, match="free words"):
        without([pack], "name", "joe")
    with pytest.raises(BadInput, match="all that can be said"):
        without(without([pack], "size", "small"), "size", "large")


def test_labels_have_our_names_and_words(tmp_path: Path) -> None:
    path = tmp_path / "label.json"
    path.write_text(json.dumps({"x.wav": {"intent": "orderDrink", "slots": {"numberOfShots": " 2 shots"}}}))
    assert read_labels(path) == {"x.wav": Label("order_drink", {"number_of_shots": "two shots"})}
    for wrong in ("{", "[]", "{}", '{"x.wav": {"intent": "go"}}', '{"x.wav": {"intent": 1, "slots": {}}}'):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(BadInput, match="label"):
            read_labels(path)


def test_clips_may_be_fewer_than_labels_and_of_another_format(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "b.flac", tone(2000), SAMPLE_RATE)
    soundfile.write(tmp_path / "a.wav", tone(1000), SAMPLE_RATE)
    assert list(read_clips(tmp_path, ["b.wav", "c.wav", "a.wav"])) == ["a.wav", "b.wav"]
    with pytest.raises(BadInput, match="none of the labelled"):
        read_clips(tmp_path, ["c.wav"])
    with pytest.raises(BadInput, match="no folder"):
        read_clips(tmp_path / "nowhere", ["a.wav"])


def test_intervals_are_wilsons() -> None:
    low, high = wilson(0.5, 100)
    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(0.0, 10)[0] == 0.0
    assert wilson(1.0, 119) == pytest.approx((0.9687, 1.0), abs=1e-4)


def test_the_picture_names_every_line(tmp_path: Path) -> None:
    rows = [
        {"engine": engine, "snr": level, "acceptance": 0.98, "interval": (0.94, 0.99)}
        for engine in ("moonshine", "whisper")
        for level in (None, 6.0, 24.0)
    ]
    write(rows, tmp_path / "x.svg", "Cafe")
    drawn = (tmp_path / "x.svg").read_text(encoding="utf-8")
    for name in (*PUBLISHED["cafe"], "Homebody, moonshine", "Homebody, whisper", "café"):
        assert f"<!-- {name}" in drawn or name in drawn
    write(rows[:1], tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(BadInput, match=r"\.svg or \.png"):
        write(rows, tmp_path / "x.pdf")
    assert all(len(line) == len(LEVELS) for lines in PUBLISHED.values() for line in lines.values())


def evaluate(*arguments: object) -> str:
    result = CliRunner().invoke(build("evaluate"), ["evaluate", "speech", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


ORDERS = {
    "make me a large dark roast latte": {"size": "large", "roast": "dark roast", "coffeeDrink": "latte"},
    "can i have a double shot espresso": {"numberOfShots": "double shot", "coffeeDrink": "espresso"},
    "i'd like an iced coffee with brown sugar": {"coffeeDrink": "iced coffee", "sugarAmount": "brown sugar"},
    "get me a small cappuccino": {"size": "small", "coffeeDrink": "cappuccino"},
}


@pytest.mark.engines
def test_spoken_orders_are_understood(tmp_path: Path) -> None:
    try:
        make_stt("moonshine", EngineOptions(tmp_path))
        voice = make_tts("piper", EngineOptions(tmp_path))
    except EngineMissing as missing:
        pytest.skip(str(missing))
    for number, order in enumerate(ORDERS):
        soundfile.write(tmp_path / f"{number}.wav", render(voice, order), SAMPLE_RATE)
    labels = {f"{n}.wav": {"intent": "orderDrink", "slots": slots} for n, slots in enumerate(ORDERS.values())}
    (tmp_path / "label.json").write_text(json.dumps(labels), encoding="utf-8")
    hiss = np.random.default_rng(0).normal(0, 1000, 20 * SAMPLE_RATE).astype(np.int16)
    soundfile.write(tmp_path / "hiss.flac", hiss, SAMPLE_RATE)
    given = ("--pack", COFFEE, "--clips", tmp_path, "--labels", tmp_path / "label.json")
    noise = ("--noise", tmp_path / "hiss.flac", "--snr", "24", "--seed", "7", "--engine", "moonshine", "--strict")
    found = json.loads(evaluate(*given, *noise, "--picture", tmp_path / "x.svg", "--json"))
    assert [row["snr"] for row in found["results"]] == [None, 24.0]
    assert found["missing"] == []
    for row in found["results"]:
        assert row["n"] == 4
        assert row["acceptance"] >= 0.75, row["failures"]
    assert (tmp_path / "x.svg").stat().st_size > 1000
    assert "understood" in evaluate(*given, "--verbose")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--noise", "N", "--snr", "loud"], "noise levels"),
        (["--seed", "one"], "seeds"),
        (["--without", "mocha"], "value of a slot"),
        (["--pack", "nowhere.yaml"], "no pack"),
        (["--engine", "ears"], "ears"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, arguments: list[str], message: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1000), SAMPLE_RATE)
    (tmp_path / "label.json").write_text('{"a.wav": {"intent": "go", "slots": {}}}', encoding="utf-8")
    given = ["--pack", COFFEE, "--clips", tmp_path, "--labels", tmp_path / "label.json"]
    with pytest.raises(BadInput, match=message):
        evaluate(*given, *(str(tmp_path / "a.wav") if each == "N" else each for each in arguments))


@pytest.mark.parametrize("snr_db", [20.0, 6.0, -6.0])
def test_noise_stands_at_the_ratio(snr_db: float) -> None:
    rng = np.random.default_rng(1)
    speech = np.zeros(40_960, np.int16)
    speech[8192:16_384] = 8000
    noise = rng.choice(np.array([-500, 500], np.int16), 100_000)
    mixed = mix(speech, noise, snr_db, rng).astype(float)
    assert np.abs(mixed).max() == pytest.approx(16_384, abs=1)
    floor = np.sqrt(np.mean(mixed[20_000:] ** 2))
    voice = mixed[8192:16_384].mean()
    assert 20 * np.log10(voice / floor) == pytest.approx(snr_db, abs=0.2)


def test_the_same_seed_gives_the_same_noise() -> None:
    speech = tone(1000)
    noise = np.random.default_rng(2).normal(0, 300, 200_000).astype(np.int16)
    one, two, other = (mix(speech, noise, 12, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_noise_that_can_not_be_mixed_is_refused() -> None:
    rng = np.random.default_rng(0)
    for speech, noise in ((tone(1), tone(1)[:-1]), (tone(1)[:100], tone(1)), (tone(0), tone(1)), (tone(1), tone(0))):
        with pytest.raises(ValueError, match=r"must be as long|no level"):
            mix(speech, noise, 12, rng)
