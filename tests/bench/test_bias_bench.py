"""What it costs to tell the ears what can be said: printed; only ratios within one run are asserted."""

from time import process_time

import numpy as np
import pytest

from device.audio.ports import Pcm
from device.errors import EngineMissing
from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.pack import PACKS_DIR, load_packs
from device.speech.bias.sentences import Sentences
from device.speech.ports import SttEngine, render
from device.speech.stt_moonshine import MoonshineStt
from device.speech.tts_espeak import EspeakTts

SPOKEN = (
    "turn on the kitchen light", "set a timer for ten minutes", "add milk to the shopping list", "play some jazz",
    "remind me to call mum at five", "what time is it in tokyo", "lock the front door", "switch to channel seven",
)  # fmt: skip
HOUSEHOLD = {
    "device": ("kitchen light", "reading lamp"), "lock.device": ("front door",), "person": ("mum",),
    "channel": ("city news",), "list": ("shopping",), "room": ("kitchen",),
}  # fmt: skip


def names(count: int) -> list[str]:
    """Made-up names of one to three words, as in a library of music or a book of contacts."""
    rnd = np.random.default_rng(7)
    syllables = "ka ri lo men ta vi son der bel mar an ti go ru fel ne sha wen dor mi".split()
    word = lambda: "".join(rnd.choice(syllables, rnd.integers(2, 4)))  # noqa: E731
    return [" ".join(word() for _ in range(rnd.integers(1, 4))) for _ in range(count)]


def grammar(extra: int) -> Grammar:
    more = names(extra)
    household = {
        **HOUSEHOLD, "person": (*HOUSEHOLD["person"], *more[::2]), "channel": (*HOUSEHOLD["channel"], *more[1::2])
    }  # fmt: skip
    return compile_grammar(load_packs(PACKS_DIR), household)


@pytest.fixture(scope="module")
def spoken() -> list[Pcm]:
    try:
        voice = EspeakTts()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    said = [render(voice, text) for text in SPOKEN]
    voice.close()
    return said


def cpu(engine: SttEngine, spoken: list[Pcm], bias: Sentences | None) -> float:
    began = process_time()
    for pcm in spoken:
        engine.start(bias)
        engine.feed(pcm)
        engine.finish()
    return (process_time() - began) / len(spoken)


def test_two_thousand_names(spoken: list[Pcm]) -> None:
    try:
        engine = MoonshineStt(threads=1)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    free = min(cpu(engine, spoken, None) for _ in range(3))
    costs = {}
    for extra in (0, 2000):
        began = process_time()
        bias = Sentences(grammar(extra))
        compiled = process_time() - began
        first = cpu(engine, spoken, bias)
        costs[extra] = min(cpu(engine, spoken, bias) for _ in range(3))
        print(
            f"\n{extra} names: compiled in {compiled:.2f} s; {1000 * first:.0f} ms a command when it is said for the "
            f"first time, then {1000 * costs[extra]:.0f} ms; {1000 * free:.0f} ms without",
        )
    assert costs[2000] < 1.3 * costs[0]
