"""Timings of the hot path, printed; only ratios within one run are asserted.

pytest tests/bench -s
"""

from collections.abc import Callable
from pathlib import Path
from timeit import repeat

import pytest

from device.app import build_brain
from device.audio.ports import SAMPLE_RATE
from device.cli.bench import SENTENCES, machine
from device.clock import SystemClock
from device.config import Config
from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.match import match
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.text import words
from device.speech.ports import Transcript, render
from device.speech.stt_moonshine import MoonshineStt
from device.speech.tts_espeak import EspeakTts
from device.workers import ThreadWorkers

pytestmark = pytest.mark.bench


def best(work: Callable[[], object], number: int = 20) -> float:
    """Seconds of one call: the fastest of five rounds, which other programs disturbed least."""
    return min(repeat(work, number=number, repeat=5)) / number


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return compile_grammar(load_packs(PACKS_DIR))


def test_a_large_household_does_not_slow_matching_down(grammar: Grammar) -> None:
    names = [f"lamp {a} {b}" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrstuvwxyz"]
    large = compile_grammar(load_packs(PACKS_DIR), {"light.device": names})
    sentences = [words(sentence) for sentence in SENTENCES]
    small_time = best(lambda: [match(grammar, sentence) for sentence in sentences])
    large_time = best(lambda: [match(large, sentence) for sentence in sentences])
    each = 1e6 / len(sentences)
    print(f"exact match: {each * small_time:.0f} µs, with {len(names)} names {each * large_time:.0f} µs")
    assert large_time < 3 * small_time


def test_reading_the_compiled_grammar_is_faster_than_compiling(grammar: Grammar) -> None:
    packs = load_packs(PACKS_DIR)
    data = grammar.to_bytes()
    compile_time = best(lambda: compile_grammar(packs), number=1)
    read_time = best(lambda: Grammar.from_bytes(data), number=3)
    print(f"grammar: compile {1e3 * compile_time:.0f} ms, read {1e3 * read_time:.1f} ms")
    assert read_time < compile_time / 5


@pytest.mark.engines
def test_what_is_left_to_do_when_a_command_has_ended(tmp_path: Path) -> None:
    """Three seconds of speech: it is decoded while the pause that proves its end lasts, and only understood after."""
    brain = build_brain(Config(), tmp_path, SystemClock("Europe/Berlin"), ThreadWorkers())
    conversation = brain.conversation
    stt = MoonshineStt(threads=1)
    pcm = render(EspeakTts(), "turn on the kitchen light and close the blinds in the bedroom")

    def decode() -> Transcript:
        stt.start(conversation.sentences())
        stt.feed(pcm)
        return stt.finish()

    heard = decode()
    decoding = best(decode, number=1)
    after = best(lambda: conversation.interpret(heard), number=3)
    print(
        f"{len(pcm) / SAMPLE_RATE:.1f} s of speech: in the pause {1e3 * decoding:.0f} ms, after it {1e3 * after:.1f} ms"
    )
    brain.workers.close()
    brain.database.close()
    assert after < decoding / 2


@pytest.mark.engines
def test_the_model_costs_more_than_the_grammar_and_tokenization_little(grammar: Grammar) -> None:
    from device.app import BUNDLE
    from device.nlu.onnx_model import load_model

    model = load_model(BUNDLE)
    sentence = words("could you make it a bit warmer in the living room")
    whole = best(lambda: model.predict(sentence))
    tokens = best(lambda: model.tokenizer.encode(sentence, ()))
    print(f"model: {1e3 * whole:.2f} ms, of which tokenization {1e3 * tokens:.3f} ms")
    assert tokens < whole / 3


def test_the_machine_is_described() -> None:
    assert machine().keys() == {"cpu", "cores", "arch", "memory_gb", "python", "system"}
