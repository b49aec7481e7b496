"""The quick update: lessons are learnt, everything else stays, the old model is not touched."""

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import BertConfig  # noqa: E402

from device.errors import BadInput  # noqa: E402
from device.nlu.tokenizer import WordTokenizer  # noqa: E402
from device.nlu.types import Act  # noqa: E402
from models.joint import JointModel  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from quantize.data.example import Example, Span  # noqa: E402
from quantize.feedback.update import Pace, updated  # noqa: E402
from quantize.predict import opinions  # noqa: E402
from quantize.training.batches import Row, collate, rows  # noqa: E402
from quantize.training.losses import label_losses  # noqa: E402

ROOMS = "kitchen hall attic study den".split()
LABELS = LabelSchema.of(["light.on", "light.off", "scene.activate"], ["room"], tuple(Act))
OLD = [
    Example(("turn", state, article, room), f"light.{state}", spans=(Span("room", 3, 4),))
    for state in ("on", "off")
    for article in ("the", "my")
    for room in ROOMS
] + [Example(("make", "it", "cosy"), "scene.activate"), Example(("what", "a", "mess"), "oos")]
NEW = [Example(("make", "the", room, "snug"), "light.on", spans=(Span("room", 2, 3),)) for room in ROOMS[:3]]
PACE = Pace(steps=60, new=3, old=12, shaken=6, rate=2e-3)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def numbered(examples: list[Example]) -> list[Row]:
    words = sorted({word for example in [*OLD, *NEW] for word in example.words})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return rows(examples, WordTokenizer(tokenizer, 12), LABELS)


@pytest.fixture(scope="module", params=[False, True], ids=["words", "crf"])
def model(request: pytest.FixtureRequest) -> JointModel:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=12, hidden_dropout_prob=0.1,
    )  # fmt: skip
    model = JointModel(config, LABELS, dropout=0.1, crf=request.param)
    optimizer, batch = torch.optim.AdamW(model.parameters(), lr=5e-3), collate(numbered(OLD))
    for _ in range(60):
        output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        loss = label_losses(model, output, batch, torch.ones(len(LABELS.intents))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def read(model: JointModel, examples: list[Example]) -> list[tuple[str, list[str]]]:
    """Intent and slot labels of each."""
    return [
        (LABELS.intents[int(o.intent.argmax())], [LABELS.slot_labels[i] for i in o.slots.argmax(1)])
        for o in opinions(model, numbered(examples))
    ]


def test_lessons_are_learnt_and_the_rest_stays(model: JointModel) -> None:
    state = {name: weight.clone() for name, weight in model.state_dict().items()}
    before = read(model, OLD)
    assert [intent for intent, _ in read(model, NEW)] != ["light.on"] * len(NEW)
    new = updated(model, numbered(NEW), numbered(OLD), PACE)
    assert read(new, NEW) == [("light.on", ["O", "O", "B-room", "O"])] * len(NEW)
    assert read(new, OLD) == before
    unheard = [Example(("make", "the", room, "snug"), "light.on") for room in ROOMS[3:]]
    assert [intent for intent, _ in read(new, unheard)] == ["light.on"] * len(unheard)
    assert all(torch.equal(weight, state[name]) for name, weight in model.state_dict().items())
    assert not new.training


def test_rehearsal_is_what_holds_the_rest(model: JointModel) -> None:
    free = updated(model, numbered(NEW), numbered(OLD), PACE._replace(hold=0.0))
    held = updated(model, numbered(NEW), numbered(OLD), PACE)

    def drift(new: JointModel) -> float:
        pairs = zip(opinions(model, numbered(OLD)), opinions(new, numbered(OLD)), strict=True)
        return sum(float(abs(np.exp(old.intent) - np.exp(now.intent)).max()) for old, now in pairs)

    assert drift(held) < drift(free) / 2


def test_the_same_seed_gives_the_same_weights(model: JointModel) -> None:
    one, other = (updated(model, numbered(NEW), numbered(OLD), PACE._replace(steps=12)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_what_can_not_be_learnt_is_said(model: JointModel, caplog: pytest.LogCaptureFixture) -> None:
    contradictory = [*NEW, Example(NEW[0].words, "light.off", spans=NEW[0].spans)]
    updated(model, numbered(contradictory), numbered(OLD), PACE)
    assert "not every reviewed sentence was learnt" in caplog.text


def test_nothing_to_learn_or_to_rehearse_is_refused(model: JointModel) -> None:
    with pytest.raises(BadInput, match="no reviewed sentences"):
        updated(model, [], numbered(OLD))
    with pytest.raises(BadInput, match="no sentences to rehearse"):
        updated(model, numbered(NEW), [])
