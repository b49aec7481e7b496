"""What a recogniser hears: aligned by sound, counted, and gone on with after a kill."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import firmware_sim.trials.confusions as module
from device.audio.ports import Pcm
from device.errors import BadInput, EngineFailed
from device.nlu.phonemes import Phonemizer
from device.speech.bias.sentences import Sentences
from device.speech.ports import SttCapabilities, Transcript, TtsCapabilities
from firmware_sim.trials.confusion_table import Confusions, Hearing, Take, aligned, error_rate, tabulate
from firmware_sim.trials.confusions import Speakers, babble, hear, plan, read_levels, read_log, read_sentences
from quantize.data.augment import AsrNoise, read_confusions

SOUNDS = {
    "ice": ("aɪ", "s"), "nice": ("n", "aɪ", "s"), "tea": ("t", "i"), "the": ("ð", "ə"), "an": ("ə", "n"), "a": ("ə",),
    "on": ("ɑ", "n"), "off": ("ɔ", "f"), "lamp": ("l", "æ", "m", "p"), "lamb": ("l", "æ", "m"), "i": ("aɪ",),
    "see": ("s", "i"), "turn": ("t", "ɚ", "n"), "uh": ("ʌ",), "banana": ("b", "ə", "n", "æ", "n", "ə"),
}  # fmt: skip


class FakePhonemizer(Phonemizer):
    def vocabulary(self, words):
        return {word: SOUNDS[word] for word in words}


class LengthTts:
    """Says a text as as many loud samples as it has letters; breaks on "banana"."""

    name = "length"
    capabilities = TtsCapabilities("en", ())

    def synthesize(self, text: str) -> Iterator[Pcm]:
        if "banana" in text:
            raise EngineFailed("broken")
        yield np.full(4000 * len(text), 9000, np.int16)


class LengthStt:
    """Hears a lamb in short speech and nothing in long speech."""

    name = "length"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=False, language="en")
    decoded = 0

    def start(self, bias: Sentences | None = None) -> None:
        self.samples = 0

    def feed(self, pcm: Pcm) -> None:
        self.samples += len(pcm)

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        LengthStt.decoded += 1
        return Transcript("Turn on the lamb." if self.samples < 100_000 else "")


@pytest.mark.parametrize(
    ("said", "heard", "groups"),
    [
        ("turn on the lamp", "turn on the lamb", ["turn|turn", "on|on", "the|the", "lamp|lamb"]),
        ("turn on the lamp", "turn on lamp", ["turn|turn", "on|on", "the|", "lamp|lamp"]),
        ("turn on", "uh turn on", ["|uh", "turn|turn", "on|on"]),
        ("an ice tea", "a nice tea", ["an ice|a nice", "tea|tea"]),
        ("ice tea", "i see tea", ["ice|i see", "tea|tea"]),
        ("lamp on", "", ["lamp|", "on|"]),
        ("", "uh", ["|uh"]),
    ],
)
def test_words_are_aligned_by_sound(said: str, heard: str, groups: list[str]) -> None:
    found = aligned(tuple(said.split()), tuple(heard.split()), SOUNDS)
    assert [f"{' '.join(a)}|{' '.join(b)}" for a, b in found] == groups


WORDS = st.lists(st.sampled_from(sorted(SOUNDS)), max_size=7).map(tuple)


@given(WORDS, WORDS)
def test_no_word_is_lost_in_the_alignment(said: tuple[str, ...], heard: tuple[str, ...]) -> None:
    groups = aligned(said, heard, SOUNDS)
    assert tuple(word for spoken, _ in groups for word in spoken) == said
    assert tuple(word for _, got in groups for word in got) == heard
    assert all(len(spoken) <= 2 and len(got) <= 3 for spoken, got in groups)
    assert (error_rate(groups) == 0) == (said == heard)


def hearing(said: str, heard: str) -> Hearing:
    return Hearing("r", Take(tuple(said.split()), "e", "v", 1.0, None), tuple(heard.split()))


def test_the_table_counts() -> None:
    table = tabulate(
        [
            hearing("turn on the lamp", "turn on the lamb"),  # seen once, but sounds alike
            hearing("the tea", "the tea"),
            hearing("turn on the tea", "turn on tea"),
            hearing("turn on an lamp", "turn on lamp"),  # once, and nothing sounds like nothing
            hearing("turn off the tea", "turn off tea"),
            hearing("turn the lamp on", "turn the lamp off"),  # opposites are not learned
            hearing("turn the lamp on", "turn the banana on"),  # once, and sounds otherwise
            hearing("lamp the tea", "banana banana banana"),  # lost
        ],
        FakePhonemizer(),
    )
    assert (table.sentences, table.lost) == (8, 1)
    assert table.words == 4 + 2 + 4 * 5
    assert (table.substituted, table.deleted, table.inserted) == (3, 3, 0)
    assert {said: (m.said, m.heard) for said, m in table.wrong.items()} == {
        "lamp": (4, {"lamb": 1}),
        "the": (6, {"": 2}),
    }


def test_an_empty_hearing_gives_an_empty_table() -> None:
    assert tabulate([], FakePhonemizer()) == Confusions("", [], [], 0, 0, 0, 0, 0, 0, {}, {})


def test_a_plan_is_repeatable_and_uses_all_voices() -> None:
    said = [(str(number),) for number in range(200)]
    voices = {"a": ("x", "y"), "b": ("z",)}
    takes = plan(said, voices, [None, 12.0], 1)
    assert takes == plan(said, voices, [None, 12.0], 1) != plan(said, voices, [None, 12.0], 2)
    assert [take.said for take in takes] == said
    assert {(take.engine, take.voice) for take in takes} == {("a", "x"), ("a", "y"), ("b", "z")}
    assert {take.snr_db for take in takes} == {None, 12.0}


def test_speech_is_faster_at_a_higher_speed_and_has_silent_edges() -> None:
    speakers = Speakers(lambda engine, voice: LengthTts())
    slow, usual, fast = (speakers.say(Take(("lamp",), "e", "v", speed, None)) for speed in (0.8, 1.0, 1.25))
    assert len(slow) - 9600 == pytest.approx(16000 / 0.8, abs=2)
    assert len(usual) - 9600 == 16000
    assert len(fast) - 9600 == pytest.approx(16000 / 1.25, abs=2)
    assert not usual[:4800].any()
    assert not usual[-4800:].any()


def test_babble_goes_on_while_somebody_speaks() -> None:
    speakers = Speakers(lambda engine, voice: LengthTts())
    noise = babble(speakers, plan([("lamp",)] * 12, {"e": ("v",)}, [None], 0))
    assert np.abs(noise.astype(int)).max() == 16384
    assert len(noise) > 2 * 16000


def test_a_broken_voice_is_not_heard() -> None:
    takes = plan([("banana",), ("lamp",)], {"e": ("v",)}, [None], 0)
    found = list(hear(takes, LengthStt(), Speakers(lambda engine, voice: LengthTts()), [], 0))
    assert [h.heard for h in found] == [(), ("turn", "on", "the", "lamb")]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr(module, "available_voices", lambda: {"e": ("v",)})
    monkeypatch.setattr(module, "make_stt", lambda name, options: LengthStt())
    monkeypatch.setattr(module, "_make_voice", lambda engine, voice: LengthTts())
    monkeypatch.setattr(module, "Phonemizer", FakePhonemizer)
    built = typer.Typer()
    built.command()(module.confusions)
    return built


def test_the_command_writes_what_augmentation_reads(tmp_path: Path, app: typer.Typer) -> None:
    sentences, table = tmp_path / "s.txt", tmp_path / "t.json"
    sentences.write_text('Turn on the lamp!\n{"text": "turn on the tea"}\n{"words": ["turn", "on", "the", "lamp"]}\n')
    run = CliRunner().invoke(app, [str(sentences), "-o", str(table), "--recogniser", "length", "--snr", "clean,20"])
    assert run.exit_code == 0, run.output
    found = read_confusions(table)
    assert found.words == 8
    assert found.wrong["lamp"].heard == {"lamb": 1}
    assert AsrNoise(found, 0.5)
    first = table.read_bytes()
    (tmp_path / "t.heard.jsonl").unlink()
    assert CliRunner().invoke(app, [str(sentences), "-o", str(table), "--snr", "clean,20"]).exit_code == 0
    assert table.read_bytes() == first


def test_a_killed_run_goes_on(tmp_path: Path, app: typer.Typer) -> None:
    sentences, table, log = tmp_path / "s.txt", tmp_path / "t.json", tmp_path / "t.heard.jsonl"
    sentences.write_text("turn on the lamp\nturn on the tea\nturn on the ice\n")
    arguments = [str(sentences), "-o", str(table), "--recogniser", "length"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    whole, lines = table.read_bytes(), log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:-9])
    before = LengthStt.decoded
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert LengthStt.decoded - before == 2
    assert table.read_bytes() == whole
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert LengthStt.decoded - before == 2


def test_another_recognisers_hearings_are_not_taken(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert read_log(log, "r") == {}
    log.write_bytes(msgspec.json.encode(hearing("a", "the")) + b"\n")
    assert len(read_log(log, "r")) == 1
    assert read_log(log, "other") == {}
    log.write_bytes(b"{}\n")
    with pytest.raises(BadInput, match="holds no hearings"):
        read_log(log, "r")


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "no sentence"), ("\n ?!\n", "no sentence"), ('{"text": 3}', "line 1"), ('stop\n{"text": "a', "line 2")],
)
def test_bad_sentences_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "s.txt"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        read_sentences(path)
    with pytest.raises(BadInput, match="can't be read"):
        read_sentences(tmp_path / "none.txt")


def test_levels() -> None:
    assert read_levels("clean, 12,-3.5") == [None, 12.0, -3.5]
    with pytest.raises(BadInput, match="noise levels"):
        read_levels("loud")
