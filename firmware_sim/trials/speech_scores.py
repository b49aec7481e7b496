"""What a gadget makes of recorded commands, and how often that is right: acceptance, rejections, near misses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any, Final

from device.audio.ports import Pcm
from device.dialogue.conversation import Conversation
from device.nlu.text import spoken
from device.nlu.types import Interpretation
from device.nlu.understand import is_command
from device.speech.ports import SttEngine, Transcript
from firmware_sim.trials.recordings import Label

_Z: Final = 1.96
"""Standard normal quantile of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One command, as it was heard and understood.

    Attributes:
        name: File name of the recording.
        transcript: What the engine heard; empty where there was no speech.
        readings: What it was taken for.
        cpu_s: CPU seconds of this process for decoding and understanding; finding the speech is not counted.
    """

    name: str
    transcript: Transcript
    readings: tuple[Interpretation, ...]
    cpu_s: float

    @property
    def rejected(self) -> bool:
        """Whether the answer is "sorry"."""
        return not any(map(is_command, self.readings))


@dataclass(frozen=True, slots=True)
class Score:
    """How a command was understood.

    Attributes:
        heard: The command.
        label: What was said.
        right: The intent and every labelled slot are right, in spoken form, and nothing else was understood.
        strict: No slot was understood beyond those.
    """

    heard: Heard
    label: Label
    right: bool
    strict: bool


def hear(name: str, pcm: Pcm | None, engine: SttEngine, conversation: Conversation) -> Heard:
    """Decode and understand one command; nothing is done.

    Args:
        name: File name of the recording.
        pcm: What is said, 16 kHz mono; None where nobody speaks.
        engine: Decodes it; it is told what can be said.
        conversation: Understands it.

    Raises:
        EngineFailed: The engine broke.
    """
    before = process_time()
    engine.start(conversation.sentences())
    if pcm is not None:
        engine.feed(pcm)
    transcript = engine.finish()
    readings = conversation.interpret(transcript)
    return Heard(name, transcript, readings, process_time() - before)


def score(heard: Heard, label: Label) -> Score:
    """Compare what was understood with what was said."""
    reading = heard.readings[0] if len(heard.readings) == 1 else Interpretation("")
    understood = {name: spoken(slot.text) for name, slot in reading.slots.items()}
    right = reading.intent.rpartition(".")[2] == label.intent and label.slots.items() <= understood.items()
    return Score(heard, label, right, right and len(understood) == len(label.slots))


def summary(scores: Sequence[Sequence[Score]], seeds: Sequence[int], *, strict: bool) -> dict[str, Any]:
    """Figures of one noise level.

    Args:
        scores: Of the same commands, once for each seed.
        seeds: Their seeds.
        strict: Slots that were not said count as wrong in `acceptance`, too.

    Returns:
        `n` commands, `acceptance` (0 to 1), `interval` (Wilson, 95 %, of as many commands as there are recordings:
        the same one in other noise is no new speaker), `strict`, `cpu_s_per_command`, `rejections`; `seeds`, each with
        `seed`, `acceptance`, `strict`, `rejections`; `failures`.
    """
    every = [each for run in scores for each in run]
    right = [sum(each.strict if strict else each.right for each in run) for run in scores]
    acceptance, clips = sum(right) / len(every), len(scores[0])
    return {
        "n": len(every),
        "acceptance": round(acceptance, 4),
        "interval": wilson(acceptance, clips),
        "strict": round(sum(each.strict for each in every) / len(every), 4),
        "cpu_s_per_command": round(sum(each.heard.cpu_s for each in every) / len(every), 3),
        "rejections": sum(each.heard.rejected for each in every),
        "seeds": [
            {
                "seed": seed,
                "acceptance": round(count / clips, 4),
                "strict": round(sum(each.strict for each in run) / clips, 4),
                "rejections": sum(each.heard.rejected for each in run),
            }
            for seed, count, run in zip(seeds, right, scores, strict=True)
        ],
        "failures": [
            {"seed": seed, **told(each.heard), "expected": words(each.label.intent, each.label.slots)}
            for seed, run in zip(seeds, scores, strict=True)
            for each in run
            if not (each.strict if strict else each.right)
        ],
    }


def false_accepts(heard: Iterable[Heard]) -> dict[str, Any]:
    """Figures of commands that should all be rejected.

    Returns:
        `n`, `accepted`, `rate` (0 to 1), `interval` (Wilson, 95 %), `taken_for`: what was accepted, and as what.
    """
    every = list(heard)
    accepted = [each for each in every if not each.rejected]
    return {
        "n": len(every),
        "accepted": len(accepted),
        "rate": round(len(accepted) / len(every), 4) if every else None,
        "interval": wilson(len(accepted) / len(every), len(every)) if every else None,
        "taken_for": [told(each) for each in accepted],
    }


def told(heard: Heard) -> dict[str, Any]:
    """A command as it was heard: the open transcript, the best sentences with their scores, and what was understood."""
    transcript = heard.transcript
    return {
        "clip": heard.name,
        "heard": transcript.text,
        "confidence": transcript.confidence and round(transcript.confidence, 4),
        "hypotheses": [{"text": each.text, "score": round(each.score, 4)} for each in transcript.hypotheses[:3]],
        "snr_db": transcript.snr_db and round(transcript.snr_db, 1),
        "understood": " and ".join(
            words(reading.intent, {name: slot.text for name, slot in reading.slots.items()})
            for reading in heard.readings
            if is_command(reading)
        ),
    }


def words(intent: str, slots: Mapping[str, str]) -> str:
    """An intent with its slots, as in `order_drink(size=large)`."""
    return f"{intent}({', '.join(f'{name}={text}' for name, text in slots.items())})"


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson 1927).

    Args:
        share: 0 to 1.
        n: Of how many.
    """
    z2 = _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)
