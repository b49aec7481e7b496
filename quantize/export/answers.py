"""What a bundle answers, as a program that needs the device's understanding and nothing else of the factory.

`python -m quantize.export.answers BUNDLE SENTENCES OUT` runs on any machine, and under emulation.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from device.nlu.onnx_model import Logits, load_model

Sentence = tuple[tuple[str, ...], tuple[str, ...]]
"""Words, and the words of the context."""


@dataclass(frozen=True)
class Answers:
    """Outputs for N sentences of W words in all.

    Attributes:
        machine: Architecture that computed them.
        intent: [N, intents].
        slots: [W, slot labels].
    """

    machine: str
    intent: npt.NDArray[np.float32]
    slots: npt.NDArray[np.float32]

    @classmethod
    def of(cls, outputs: Sequence[Logits]) -> Answers:
        """This machine's."""
        intent = np.stack([output.intent for output in outputs])
        return cls(platform.machine(), intent, np.concatenate([output.slots for output in outputs]))

    def write(self, path: Path) -> None:
        """Write an `.npz` file."""
        with path.open("wb") as file:
            np.savez(file, machine=self.machine, intent=self.intent, slots=self.slots)

    @classmethod
    def read(cls, path: Path) -> Answers:
        """Read what `write` wrote."""
        with np.load(path) as file:
            return cls(str(file["machine"]), file["intent"], file["slots"])

    def compared(self, other: Answers) -> dict[str, float | int]:
        """Agreement with another machine's answers to the same sentences.

        Returns:
            `sentences`; `same_intent` and `same_slot_labels`, shares of sentences and words; `max_logit_difference`,
            over both heads.
        """
        heads = ((self.intent, other.intent), (self.slots, other.slots))
        same = [float((mine.argmax(1) == theirs.argmax(1)).mean()) if len(mine) else 1.0 for mine, theirs in heads]
        return {
            "sentences": len(self.intent),
            "same_intent": round(same[0], 4),
            "same_slot_labels": round(same[1], 4),
            "max_logit_difference": round(max(float(np.abs(a - b).max(initial=0)) for a, b in heads), 4),
        }


def answer(bundle: Path, sentences: Sequence[Sentence]) -> Answers:
    """Load a bundle and answer, one unpadded sentence at a time.

    Raises:
        BundleError: The bundle can't be used.
    """
    model = load_model(bundle)
    return Answers.of([model.logits(words, context) for words, context in sentences])


if __name__ == "__main__":
    bundle, sentences, out = map(Path, sys.argv[1:])
    answer(bundle, msgspec.json.decode(sentences.read_bytes(), type=list[Sentence])).write(out)
