"""What small changes of sentences cost."""

import msgspec
import numpy as np

from device.nlu.onnx_model import Logits
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example
from quantize.evaluate.outcomes import answers, named
from quantize.evaluate.robustness import noisy_slices, robustness


class Spelling:
    """Understands a sentence if it says "lights"."""

    manifest = msgspec.defstruct("Manifest", ["calibration"])(
        Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)
    )
    labels = LabelSchema.of(["light.on", "other.thing"], ["room"], tuple(Act))

    def logits(self, words, context=()):
        scores = np.array([5.0, 0.0, 0.0] if "lights" in words else [0.0, 0.0, 5.0], np.float32)
        return Logits(
            scores, np.zeros((len(words), 3), np.float32), np.eye(8, dtype=np.float32)[0], np.ones(2, np.float32)
        )


def misspell(example, chance):
    at = chance.randrange(len(example.words))
    return msgspec.structs.replace(example, words=(*example.words[:at], "lihgts", *example.words[at + 1 :]))


EXAMPLES = [Example(("lights", "on"), "light.on")] * 40 + [Example(("lights", "hat"), "oos")] * 5


def test_the_loss_is_on_the_sentences_that_changed():
    model = Spelling()
    clean = answers(model, EXAMPLES)
    changes = {"misheard": misspell, "nothing": lambda example, chance: example}
    noisy, same = robustness(model, EXAMPLES, clean, changes, named, seed=1)
    assert noisy["n"] == 40  # in scope only
    assert noisy["clean"] == 100.0
    assert 30 < noisy["accuracy"] < 70
    assert noisy["loss"] == 100.0 - noisy["accuracy"]
    assert (same["n"], same["accuracy"], same["loss"]) == (0, None, None)
    assert robustness(model, EXAMPLES, clean, changes, named, seed=1)[0] == noisy
    assert [row["n"] for row in noisy_slices([noisy, same])] == [40]
