"""`homebody models` on bundles: what it says, how it ends, and which model the device then uses."""

import importlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from device.app import load_all_packs, load_language_model, say_problems
from device.app.parts import BUNDLE
from device.audio.mixer import Mixer
from device.audio.volume import DeviceVolume
from device.cli import doctor
from device.cli.models import _language as language_rows
from device.config import Config, NluConfig, load_config
from device.errors import BundleReplaced, ConfigError, EngineFailed, StorageError
from device.nlu.bundle_diff import MetricDelta, compare, disagreements
from device.nlu.onnx_model import load_model
from device.speech.renewable import Renewable
from device.voice import Voice
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.engines import ToneLanguage, ToneTts
from firmware_sim.sound.speaker import SimulatedSpeaker
from models import signature
from models.labels import LabelSchema
from models.manifest import MANIFEST, Manifest, Provenance, file_sha256
from models.signature import PublicKey

main = importlib.import_module("device.cli.main").main  # `device.cli.main` is the function in `device.cli`
SHIPPED = msgspec.structs.replace(Manifest.read(BUNDLE), signature=None)
PEM, KEY = signature.generate("a maker")


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.fixture
def models(home, capsys):
    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["models", *map(str, arguments)])
        streams = capsys.readouterr()
        return Done(ended.value.code, streams.out, streams.err)

    return call


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(PEM)
    return path


def bundle_of(folder, **fields):
    """The shipped model under another version, with other fields of the manifest."""
    shutil.copytree(BUNDLE, folder)
    msgspec.structs.replace(SHIPPED, **({"version": folder.name, "signature": None} | fields)).write(folder)
    return folder


@pytest.fixture
def bundle(tmp_path):
    return bundle_of(tmp_path / "2")


def damage(folder):
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")


def used(home, **nlu):
    """Version that the device uses, and what it says."""
    problems = []
    config = Config(nlu=NluConfig(**nlu))
    model = load_language_model(config, home, load_all_packs(config, home), problems)
    return model and model.manifest.version, problems


# keygen and sign -----------------------------------------------------------------------------------------------


def test_a_private_key_is_secret_and_never_overwritten(models, tmp_path):
    path = tmp_path / "new.pem"
    done = models("keygen", "--out", path, "--comment", "our  release")
    assert done.code == 0
    public = PublicKey.parse(done.out)
    assert public.comment == "our release"
    assert done.out == public.text + "\n", "the line, and nothing else, goes into a file"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    again = models("keygen", "--out", path)
    assert again.code == 2
    assert "never overwritten" in again.err
    assert path.read_bytes() == before


def test_a_signed_bundle_is_known_by_its_key(models, bundle, key, monkeypatch):
    assert models("verify", bundle, "--json").json["signature"] == "unsigned"
    assert models("sign", bundle, "--key", key).out == f"{SHIPPED.name} 2 is signed by {KEY.id}\n"
    assert models("verify", bundle, "--json").json["signature"] == "unknown key"
    monkeypatch.setenv("HOMEBODY_NLU__TRUSTED_KEYS", json.dumps([KEY.text]))
    done = models("verify", bundle)
    assert done.code == 0
    assert f"by {KEY.id} (a maker), trusted" in done.out


def test_a_key_that_ships_is_trusted(models, bundle, key, tmp_path, monkeypatch):
    monkeypatch.setattr(signature, "KEYS", tmp_path / "keys")
    models("sign", bundle, "--key", key)
    assert models("verify", bundle, "--json").json["signature"] == "unknown key", "no keys at all are no fault"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "release.pub").write_text(KEY.text)
    done = models("verify", bundle, "--json").json
    assert (done["signature"], done["signer"]) == ("trusted", KEY.id)


def test_a_damaged_bundle_is_not_signed(models, bundle, key):
    damage(bundle)
    done = models("sign", bundle, "--key", key)
    assert done.code == 2
    assert "model.onnx is damaged" in done.err
    assert Manifest.read(bundle).signature is None


def test_what_is_no_key_is_told(models, bundle, tmp_path):
    (tmp_path / "no.pem").write_text("hello")
    assert "not a private key" in models("sign", bundle, "--key", tmp_path / "no.pem").err
    assert models("sign", bundle, "--key", tmp_path / "nowhere.pem").code == 2
    assert "not a public key" in models("verify", bundle, "--key", "hello").err


# verify --------------------------------------------------------------------------------------------------------


def drop(folder):
    (folder / "labels.json").unlink()


def add(folder):
    (folder / "notes.txt").write_text("")


def change(folder):
    manifest = Manifest.read(folder)
    msgspec.structs.replace(manifest, metrics={"intent_accuracy": 100}).write(folder)


def resign(folder):
    other, _ = signature.sign(Manifest.read(folder), signature.generate("")[0])
    other.write(folder)


def strip(folder):
    msgspec.structs.replace(Manifest.read(folder), signature=None).write(folder)


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (damage, 2, "model.onnx is damaged"),
        (drop, 2, "labels.json can't be read"),
        (add, 2, "notes.txt is in the folder but not listed"),
        (change, 2, "manifest.json was changed after it was signed"),
        (resign, 1, "a key that is not trusted here"),
        (strip, 1, "it is not signed"),
        (shutil.rmtree, 3, "There is no folder"),
    ],
)
def test_each_fault_has_its_words_and_its_exit_code(models, home, bundle, key, tmp_path, spoil, code, said):
    models("sign", bundle, "--key", key)
    (tmp_path / "key.pub").write_text(KEY.text)
    assert models("verify", bundle, "--key", tmp_path / "key.pub").code == 0
    spoil(bundle)
    done = models("verify", bundle, "--key", KEY.text)
    assert done.code == code
    assert said in done.err
    assert len(done.err.splitlines()) == 2, "what is wrong, and what can be done"
    assert "Traceback" not in done.err
    as_json = models("verify", bundle, "--key", KEY.text, "--json")
    assert as_json.code == code
    assert said in as_json.json["error"]


def test_verifying_says_what_the_device_would_do_with_it(models, tmp_path):
    foreign = bundle_of(tmp_path / "3")
    labels = foreign / "labels.json"
    labels.write_text(labels.read_text().replace('"lock.unlock"', '"spaceship.launch"'))
    files = {**SHIPPED.files, "labels.json": file_sha256(labels)}
    schema = LabelSchema.read(labels)
    msgspec.structs.replace(SHIPPED, ontology=schema.ontology, files=files, board="rpi4").write(foreign)
    done = models("verify", foreign)
    assert done.code == 0
    assert "no pack here defines spaceship.launch" in done.out
    assert "rpi4" in done.out
    assert models("verify", "--json").json["foreign"] == []
    refused = models("install", foreign)
    assert refused.code == 2
    assert "foreign" in refused.err


# install, rollback, list, and what the device does ---------------------------------------------------------------


def test_installed_versions_are_used_listed_and_gone_back_from(models, home, bundle):
    done = models("install", bundle)
    assert done.code == 0
    assert f"{SHIPPED.name} 2 (" in done.out
    assert f"before it was {SHIPPED.name} {SHIPPED.version}, which ships" in done.out
    assert "signed by nobody" in done.out
    shutil.rmtree(bundle)
    assert used(home) == ("2", [])
    rows = [*language_rows(Config(), home)]
    assert [(row["version"], row["active"]) for row in rows] == [(SHIPPED.version, False), ("2", True)]
    assert models("verify", "--json").json["version"] == "2"
    back = models("rollback", "--json")
    assert back.json["after"] == "shipped"
    assert used(home) == (SHIPPED.version, [])
    assert models("rollback").code == 2
    assert models("rollback", "--to", "2").code == 0
    assert used(home) == ("2", [])


def test_a_damaged_bundle_is_not_installed(models, home, bundle):
    damage(bundle)
    assert models("install", bundle).code == 2
    assert used(home) == (SHIPPED.version, [])


def test_the_device_goes_on_with_the_last_good_one_and_says_so(models, home, tmp_path):
    for version in "23":
        assert models("install", bundle_of(tmp_path / version)).code == 0
    newest, older = (next((home / "models/language" / SHIPPED.name).glob(f"{version}-*")) for version in "32")
    damage(newest)
    version, [problem] = used(home)
    assert version == "2"
    assert isinstance(problem, BundleReplaced)
    assert str(newest) in str(problem)
    assert "model.onnx is damaged" in str(problem)
    assert f"{SHIPPED.name} 2 is in use instead" in str(problem)
    drop(older)
    version, problems = used(home)
    assert version == SHIPPED.version
    assert len(problems) == 2
    refused = models("rollback")
    assert refused.code == 2
    assert "labels.json" in refused.err
    assert models("rollback", "--to", "shipped").code == 0
    assert used(home) == (SHIPPED.version, [])


def test_a_configured_bundle_goes_first_and_the_installed_one_is_next(models, home, bundle, tmp_path):
    models("install", bundle)
    configured = bundle_of(tmp_path / "4")
    assert used(home, model=str(configured)) == ("4", [])
    damage(configured)
    version, [problem] = used(home, model=str(configured))
    assert version == "2"
    assert str(configured) in str(problem)


def test_where_signatures_are_required_an_unsigned_bundle_is_refused(models, home, bundle, key, monkeypatch):
    models("install", bundle)
    version, [problem] = used(home, require_signature=True)
    assert version == SHIPPED.version, "the bundle that ships comes with the program"
    assert "2-" in str(problem)
    assert "is not signed" in str(problem)
    assert "nlu.trusted_keys" in problem.remedy
    models("sign", bundle, "--key", key)
    monkeypatch.setenv("HOMEBODY_NLU__REQUIRE_SIGNATURE", "true")
    assert models("install", bundle).code == 1
    monkeypatch.setenv("HOMEBODY_NLU__TRUSTED_KEYS", json.dumps([KEY.text]))
    assert models("install", bundle).code == 0
    assert used(home, require_signature=True, trusted_keys=(KEY.text,)) == ("2", [])


def test_a_manifest_changed_after_it_was_signed_is_not_installed_even_where_none_is_required(
    models, home, bundle, key, monkeypatch
):
    monkeypatch.setenv("HOMEBODY_NLU__TRUSTED_KEYS", json.dumps([KEY.text]))
    models("sign", bundle, "--key", key)
    change(bundle)
    done = models("install", bundle)
    assert done.code == 2
    assert "changed after it was signed" in done.err


def test_a_damaged_record_of_what_is_installed_is_told_and_can_be_mended(models, home, bundle, capsys):
    models("install", bundle)
    (home / "models/language/history.json").write_text("{")
    version, [problem] = used(home)
    assert version == SHIPPED.version
    assert "history.json" in str(problem)
    assert [row["active"] for row in language_rows(Config(), home)] == [True, False]
    assert "history.json" in capsys.readouterr().err
    assert models("rollback", "--to", "2").code == 0
    assert used(home) == ("2", [])


def test_the_doctor_names_the_refused_bundle_and_the_one_in_use(models, home, bundle):
    models("install", bundle)
    damage(next((home / "models/language" / SHIPPED.name).glob("2-*")))
    refused, found = doctor._language(Config(), home)
    assert (refused.state, found.state) == ("problem", "ok")
    assert "model.onnx is damaged" in refused.detail
    assert refused.remedy
    assert found.detail.startswith(f"{SHIPPED.name} {SHIPPED.version}, ")


def test_a_key_that_is_none_is_a_mistake_in_the_configuration(home):
    with pytest.raises(ConfigError, match="homebody models keygen"):
        load_config(home, {"HOMEBODY_NLU__TRUSTED_KEYS": '["hello"]'})
    config = load_config(home, {"HOMEBODY_NLU__TRUSTED_KEYS": json.dumps([KEY.text])})
    assert config.nlu.trusted_keys == (KEY.text,)


def test_it_is_said_aloud_once_that_the_model_is_not_the_wanted_one():
    async def scene(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        speaker = SimulatedSpeaker(clock)
        speaker.start(mixer.pull)
        said = []

        class Noted(ToneTts):
            def synthesize(self, text):
                said.append(text)
                return super().synthesize(text)

        voice = Voice(Renewable(lambda: Noted(ToneLanguage())), mixer, InlineWorkers(clock))
        problems = [BundleReplaced("one"), StorageError("another matter"), BundleReplaced("two")]
        await say_problems(problems, voice)
        assert said == ["My language model can't be used, so I go on with the one before."]

        class Broken(ToneTts):
            def synthesize(self, text):
                raise EngineFailed("no voice")

        broken = Voice(Renewable(lambda: Broken(ToneLanguage())), mixer, InlineWorkers(clock))
        await say_problems(problems, broken)

    run(scene, limit=60)


# diff ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def changed(tmp_path):
    metrics = json.loads(json.dumps(SHIPPED.metrics))
    combined = metrics["held_out"]["combined"]
    combined["intent_accuracy"] -= 2.5
    combined["slot_f1"] += 1
    combined["in_scope_rejected"] += 1
    combined["auroc"] -= 0.05
    combined["sentences"] += 10
    return bundle_of(
        tmp_path / "2",
        metrics=metrics,
        recipe={**SHIPPED.recipe, "seed": 8},
        calibration=msgspec.structs.replace(SHIPPED.calibration, threshold=0.9999),
        provenance=(*SHIPPED.provenance[1:], Provenance("ours", "CC0-1.0", "here", counts={"train": 5})),
        board="rpi4",
    )


def test_what_differs_is_named_and_the_worst_comes_first(changed):
    found = compare(load_model(BUNDLE), load_model(changed))
    assert not found.same
    names = [delta.name.rpartition(".")[2] for delta in found.metrics]
    assert names == ["auroc", "intent_accuracy", "in_scope_rejected", "slot_f1", "sentences"]
    assert [delta.gain and round(delta.gain, 2) for delta in found.metrics] == [-5, -2.5, -1, 1, None]
    assert isinstance(found.metrics[0], MetricDelta)
    assert [(delta.name, delta.after) for delta in found.recipe] == [("seed", 8)]
    assert {delta.name for delta in found.settings} == {"board", "calibration.threshold", "signed by"}
    assert [(d.name, d.before is None, d.after is None) for d in found.provenance] == [
        (SHIPPED.provenance[0].name, False, True),
        ("ours", True, False),
    ]
    assert (found.files, found.ontology, found.reordered) == ((), {}, False)


def test_a_model_is_the_same_as_its_signed_copy(bundle_signed):
    found = compare(load_model(BUNDLE), load_model(bundle_signed))
    assert found.same
    assert [delta.name for delta in found.settings] == ["signed by"]
    assert disagreements(load_model(BUNDLE), load_model(bundle_signed), [("turn on the lamp", None)]) == []


@pytest.fixture
def bundle_signed(tmp_path):
    folder = bundle_of(tmp_path / "copy", version=SHIPPED.version)
    signature.sign(Manifest.read(folder), signature.generate("another")[0])[0].write(folder)
    return folder


def test_labels_that_came_and_went_are_named(tmp_path):
    other = bundle_of(tmp_path / "2")
    labels = other / "labels.json"
    labels.write_text(labels.read_text().replace('"lock.unlock"', '"lock.open"'))
    schema, files = LabelSchema.read(labels), {**SHIPPED.files, "labels.json": file_sha256(labels)}
    msgspec.structs.replace(SHIPPED, ontology=schema.ontology, files=files).write(other)
    found = compare(load_model(BUNDLE), load_model(other))
    assert set(found.ontology) == {"intents"}
    assert found.ontology["intents"].added == ("lock.open",)
    assert found.ontology["intents"].removed == ("lock.unlock",)
    assert [delta.name for delta in found.files] == ["labels.json"]


def test_sentences_on_which_they_disagree_are_shown(models, changed, tmp_path):
    sentences = tmp_path / "said.jsonl"
    rows = [{"text": "Turn on the kitchen light.", "intent": "light.on"}, {"text": "what can you do", "slots": {}}]
    sentences.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    done = models("diff", "shipped", changed, "--sentences", sentences, "--json")
    assert done.code == 0
    assert done.json["sentences"] == 2
    assert {"what can you do": "oos"}.items() <= {r["text"]: r["after"] for r in done.json["disagreements"]}.items()
    shown = models("diff", "shipped", changed)
    assert shown.code == 0
    for words in ("figures, worst first", "-2.5", "seed", "+ ours", "understood differently", "right among them"):
        assert words in shown.out


def test_a_bad_line_is_named(models, changed, tmp_path):
    (tmp_path / "said.jsonl").write_text('{"text": "hello"}\n{"text": 3}\n')
    done = models("diff", "shipped", changed, "--sentences", tmp_path / "said.jsonl")
    assert done.code == 2
    assert "line 2" in done.err
    assert models("diff", "shipped", changed, "--sentences", tmp_path / "none.jsonl").code == 2


def test_every_file_of_the_bundle_is_listed():
    assert {path.name for path in BUNDLE.iterdir()} == {*SHIPPED.files, MANIFEST}
    assert Path(BUNDLE).name == SHIPPED.name
