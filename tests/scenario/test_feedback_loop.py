"""A phrase that a device got wrong goes the whole way round: said, corrected, exported, reviewed, learnt, right."""

import asyncio
import io
import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402
from transformers import BertConfig  # noqa: E402

from device.app import Brain, build_brain  # noqa: E402
from device.cli.feedback import reports  # noqa: E402
from device.config import Config, NluConfig, PrivacyConfig  # noqa: E402
from device.dialogue.conversation import Turn  # noqa: E402
from device.dialogue.state import DialogueState  # noqa: E402
from device.nlu.onnx_model import Prediction, load_model  # noqa: E402
from device.nlu.pack import PACKS_DIR, load_packs  # noqa: E402
from device.nlu.report import encode  # noqa: E402
from device.nlu.tokenizer import WordTokenizer  # noqa: E402
from device.nlu.types import OOS, Act  # noqa: E402
from firmware_sim.board.workers import InlineWorkers  # noqa: E402
from firmware_sim.manual_clock import ManualClock  # noqa: E402
from models.joint import JointModel  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from models.manifest import FORMAT, Calibration, Manifest, file_sha256  # noqa: E402
from quantize.data.example import Example, read_examples  # noqa: E402
from quantize.data.sample import PackSampler  # noqa: E402
from quantize.export.onnx import export_onnx  # noqa: E402
from quantize.feedback.regression import Golden, broken, check  # noqa: E402
from quantize.feedback.update import Pace, updated  # noqa: E402
from quantize.training.batches import Row, collate, rows  # noqa: E402
from quantize.training.losses import label_losses  # noqa: E402

CONSENT = "[privacy]\nkeep_turns_days = 7\nshare_feedback = true\n"
SAID = """make it snug in the kitchen
no, I meant dim the lights in the kitchen
remember that Priya's number is 0171 2345678
that was wrong
tell zyxxa the code is four seven one one
unlock the front door
yes
"""


# The device's half -------------------------------------------------------------------------------------------


@pytest.fixture
def talked(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Type lines to the device, under a configuration."""

    def talk(config: str, said: str = SAID) -> None:
        (homebody.home / "config.toml").write_text(config)
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        done = homebody("talk", "--text")
        assert done.code == 0, done.err

    return talk


def test_nothing_is_exported_without_consent(homebody: Any, talked: Callable[..., None]) -> None:
    talked("[privacy]\nkeep_turns_days = 7\n")
    refused = homebody("feedback", "export", "--out", "out.jsonl")
    assert refused.code == 2
    assert "has not agreed" in refused.err
    assert "share_feedback = true" in refused.err
    assert not Path("out.jsonl").exists()
    shown = homebody("feedback", "export", "--show")
    assert shown.code == 0, "to look at it on the device itself is no sharing"
    assert "make it snug" in shown.out


def test_nothing_is_exported_if_nothing_is_kept(homebody: Any) -> None:
    (homebody.home / "config.toml").write_text("[privacy]\nshare_feedback = true\n")
    refused = homebody("feedback", "export")
    assert refused.code == 2
    assert "No turns are kept" in refused.err


def test_what_went_wrong_is_exported_redacted_and_sent_nowhere(homebody: Any, talked: Callable[..., None]) -> None:
    talked(CONSENT)
    done = homebody("feedback", "export", "--out", "out.jsonl")
    assert done.code == 0, done.err
    assert "Nothing was sent" in done.out
    text = Path("out.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    snug = next(row for row in found if "snug" in row["text"])
    assert snug["text"] == "make it snug in the {room}"
    assert (snug["verdict"], snug["meant"]["intent"], snug["meant"]["how"]) == ("wrong", "light.dim", "corrected")
    assert snug["model"]["name"] == "homebody-en"
    assert next(row for row in found if row["text"].startswith("unlock"))["verdict"] == "confirmed"
    for secret in ("riya", "2345", "seventy", "zyxxa", "seven", str(homebody.home)):
        assert secret not in text
    assert not {"at", "time", "id", "device"} & {key for row in found for key in row}
    assert homebody("feedback", "export").out == text
    everything = homebody("feedback", "export", "--all").out.splitlines()
    assert set(text.splitlines()) <= set(everything)
    nowhere = homebody("feedback", "export", "--out", "no/such/folder")
    assert (nowhere.code, "can't be written" in nowhere.err) == (1, True)


def test_what_is_forgotten_is_not_exported(homebody: Any, talked: Callable[..., None]) -> None:
    talked(CONSENT)
    assert "snug" in homebody("feedback", "export").out
    talked(CONSENT, "forget everything I said\nyes\n")
    left = homebody("feedback", "export", "--all").out
    assert "snug" not in left
    with closing(sqlite3.connect(homebody.home / "homebody.db")) as database:
        assert database.execute("SELECT count(*) FROM feedback").fetchone() == (0,)
    assert b"snug" not in (homebody.home / "homebody.db").read_bytes()


# The whole way -----------------------------------------------------------------------------------------------

INTENTS = ("light.dim", "light.on", "climate.up", "climate.down", "scene.activate", "volume.up")
PACKS = load_packs(PACKS_DIR)


def sentences(seed: int, count: int) -> list[Example]:
    sampler = PackSampler(PACKS, random.Random(seed))
    found = [example for intent in INTENTS for example in sampler.sentences(intent, count)]
    return list({example.words: example for example in found}.values())


class Factory:
    """A small model of six intents, trained within seconds, and what is made of it."""

    def __init__(self, folder: Path) -> None:
        self.train = [*sentences(1, 90), Example(("what", "a", "mess"), OOS), Example(("bless", "you"), OOS)]
        types = {span.type for example in self.train for span in example.spans}
        self.labels = LabelSchema.of(INTENTS, types, tuple(Act))
        letters = "abcdefghijklmnopqrstuvwxyz'"
        words = sorted({word for example in self.train for word in example.words} | set(letters))
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, *(f"##{letter}" for letter in letters)]
        tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.save(str(folder / "tokenizer.json"))
        self.labels.write(folder / "labels.json")
        self._folder = folder
        self.tokenizer = WordTokenizer.read(folder / "tokenizer.json", 48)
        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=len(pieces), hidden_size=64, num_hidden_layers=1, num_attention_heads=4, intermediate_size=128,
            max_position_embeddings=48, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.model = JointModel(config, self.labels, dropout=0.0)
        self._learn(self.rows(self.train))

    def rows(self, examples: Sequence[Example]) -> list[Row]:
        return rows(examples, self.tokenizer, self.labels)

    def _learn(self, data: list[Row]) -> None:
        chance, even = random.Random(1), torch.ones(len(self.labels.intents))
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-3)
        for _ in range(240):
            batch = collate(chance.sample(data, 48))
            output = self.model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
            loss = label_losses(self.model, output, batch, even).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        self.model.eval()

    def bundle(self, model: JointModel, name: str) -> Path:
        """A bundle that a device loads; it takes everything for a command."""
        folder = self._folder / name
        folder.mkdir()
        export_onnx(model, folder / "model.onnx")
        for file in ("tokenizer.json", "labels.json"):
            (folder / file).write_bytes((self._folder / file).read_bytes())
        files = {path.name: file_sha256(path) for path in folder.iterdir()}
        calibration = Calibration(1.0, 1.0, (0.0, 0.0, 0.0, 0.0, 0.0), 5.0, 0.5)
        Manifest(FORMAT, name, "1", "en", self.labels.ontology, files, 48, calibration).write(folder)
        return folder


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is slower on several
    yield Factory(tmp_path_factory.mktemp("factory"))
    torch.set_num_threads(threads)


def device_with(bundle: Path, home: Path, clock: ManualClock) -> Brain:
    config = Config(
        nlu=NluConfig(model=str(bundle)), privacy=PrivacyConfig(keep_turns_days=7, share_feedback=True)
    )  # fmt: skip
    return build_brain(config, home, clock, InlineWorkers(clock))


def say(brain: Brain, *lines: str) -> list[Turn]:
    async def talk() -> list[Turn]:
        return [await brain.conversation.turn(line) for line in lines]

    return asyncio.run(talk())


def command(example: Example) -> Golden:
    slots = {span.type: " ".join(example.words[span.start : span.end]) for span in example.spans}
    return Golden(" ".join(example.words), str(example.intent), slots)


def is_clear(prediction: Prediction) -> bool:
    """Golden commands are those that a model has no doubt about; the others change sides at every training."""
    return prediction.intents[0][1] > 0.97 and all(slot.probability > 0.97 for slot in prediction.slots)


@pytest.mark.engines
def test_what_its_user_corrected_is_right_after_the_update(
    factory: Factory, homebody: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(datetime.fromisoformat("2026-05-04T08:00"), "Europe/Berlin")
    before = factory.bundle(factory.model, "before")

    with closing(device_with(before, homebody.home, clock)) as brain:
        wrong, right = say(brain, "make it snug in the kitchen", "no, I meant dim the lights in the kitchen")
        assert wrong.interpretations[0].intent != "light.dim"
        assert right.interpretations[0].intent == "light.dim"
        Path("export.jsonl").write_bytes(b"".join(encode(told.report) for told in reports(brain, all_turns=False)))

    imported = homebody("feedback", "import", "export.jsonl", "--into", "review.jsonl")
    assert imported.code == 0, imported.err
    monkeypatch.setattr("sys.stdin", io.StringIO("r\nu\nnonsense\n1\n"))
    reviewed = homebody("feedback", "review", "review.jsonl", "--model", before, "--copies", 24)
    assert "1 accepted" in reviewed.out, reviewed.out + reviewed.err
    lessons = read_examples(Path("reviewed.jsonl"))
    assert {example.intent for example in lessons} == {"light.dim"}
    assert {span.type for example in lessons for span in example.spans} == {"room"}

    model = updated(factory.model, factory.rows(lessons), factory.rows(factory.train), Pace(rate=5e-4, steps=120))
    after = factory.bundle(model, "after")

    old, new = load_model(before), load_model(after)
    golden = [command(example) for example in sentences(2, 25) if is_clear(old.predict(example.words))]
    assert len(broken(golden, old.predict, lambda words: old.predict(("what", "a", "mess")))) > 60, "the gate bites"
    check(golden, old.predict, new.predict)

    with closing(device_with(after, tmp_path / "another", clock)) as brain:
        for room in ("kitchen", "bedroom"):
            brain.conversation.state = DialogueState()
            (turn,) = say(brain, f"make it snug in the {room}")
            (reading,) = turn.interpretations
            assert (reading.intent, reading.source) == ("light.dim", "model"), reading
            assert reading.slots["room"].text == room
            assert not turn.failed
