"""Wake words of one's own: what the device makes of a folder that `homebody train-wake` has written."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from device.audio.ports import SAMPLE_RATE, Pcm
from device.config import Config, SpeechConfig
from device.errors import BadInput
from device.speech.engines import make_wake
from device.speech.ports import WakeEngine
from device.speech.wake_onnx import MODEL, AnyWake, TrainedWake, WakeManifest

pytestmark = pytest.mark.engines

RNG = np.random.default_rng(0)
QUIET = np.zeros(2 * SAMPLE_RATE, np.int16)
LOUD = RNG.integers(-20000, 20000, SAMPLE_RATE // 3).astype(np.int16)


def write(folder: Path, phrases: dict[str, float]) -> Path:
    """A network that "hears" any sound: the mean of the features, and what the state remembers of it."""
    folder.mkdir()
    nodes = [
        helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["now"]),
        helper.make_node("Add", ["now", "state"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["next"]),
        helper.make_node("Tanh", ["next"], ["tanh"]),
        helper.make_node("Expand", ["tanh", "shape"], ["wide"]),
        helper.make_node("Unsqueeze", ["wide", "first"], ["probabilities"]),
    ]
    constants = {"column": np.array([1, 1]), "half": np.array(0.5, np.float32), "first": np.array([1])}
    constants["shape"] = np.array([1, len(phrases)])
    graph = helper.make_graph(
        nodes,
        "loudness",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, "frames", 40]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 1]),
        ],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 1, len(phrases)]),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [1, 1]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    (folder / MODEL).write_bytes(network)
    manifest = WakeManifest(phrases, 5, hashlib.sha256(network).hexdigest())
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return folder


def hear(engine: WakeEngine, pcm: Pcm, chunk: int = 512) -> list[tuple[int, str]]:
    heard = ((start, engine.process(pcm[start : start + chunk])) for start in range(0, len(pcm), chunk))
    return [(start, phrase) for start, phrase in heard if phrase]


def test_it_hears_once_and_again(tmp_path: Path) -> None:
    engine = TrainedWake(write(tmp_path / "any", {"hey biscuit": 0.5}))
    assert engine.capabilities.phrases == ("hey biscuit",)
    ((at, phrase),) = hear(engine, np.concatenate([QUIET, LOUD, QUIET]))
    assert phrase == "hey biscuit"
    assert len(QUIET) < at < len(QUIET) + SAMPLE_RATE
    assert len(hear(engine, np.concatenate([LOUD, QUIET, LOUD, QUIET]))) == 2


def test_the_phrase_furthest_over_its_threshold_is_reported(tmp_path: Path) -> None:
    engine = TrainedWake(write(tmp_path / "two", {"stop": 0.6, "snooze": 0.4}))
    ((_, phrase),) = hear(engine, np.concatenate([QUIET, LOUD, QUIET]))
    assert phrase == "snooze"


def test_a_check_lets_it_wake_sooner(tmp_path: Path) -> None:
    folder = write(tmp_path / "any", {"stop": 1.0})
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=WakeManifest)
    lower = msgspec.structs.replace(manifest, checked={"stop": 0.5})
    (folder / "manifest.json").write_bytes(msgspec.json.encode(lower))
    pcm = np.concatenate([QUIET, LOUD, QUIET])
    assert hear(TrainedWake(folder), pcm) == []
    assert len(hear(TrainedWake(folder, checked=True), pcm)) == 1


@pytest.mark.parametrize("chunk", [1, 160, 511, 4096])
def test_chunks_of_any_size(tmp_path: Path, chunk: int) -> None:
    pcm = np.concatenate([QUIET, LOUD])
    engine = TrainedWake(write(tmp_path / "any", {"stop": 0.5}))
    ((at, _),) = hear(engine, pcm, chunk)
    engine.reset()
    ((exact, _),) = hear(engine, pcm, 160)
    assert abs(at - exact) <= max(chunk, 160)


def test_reset_forgets(tmp_path: Path) -> None:
    engine = TrainedWake(write(tmp_path / "any", {"stop": 0.5}))
    first = hear(engine, np.concatenate([QUIET, LOUD]))
    engine.reset()
    assert hear(engine, np.concatenate([QUIET, LOUD])) == first
    engine.reset()
    assert hear(engine, QUIET) == []


def test_it_is_heard_beside_the_words_that_come_with_the_package(tmp_path: Path) -> None:
    folder = write(tmp_path / "any", {"hey biscuit": 0.5})
    both = make_wake(["alexa"], models=[folder])
    assert isinstance(both, AnyWake)
    assert both.capabilities.phrases == ("alexa", "hey biscuit")
    assert [phrase for _, phrase in hear(both, np.concatenate([QUIET, LOUD]))] == ["hey biscuit"]
    both.reset()
    assert hear(both, QUIET) == []
    assert isinstance(make_wake([], models=[folder]), TrainedWake)


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="homebody train-wake"):
        make_wake([], models=[tmp_path / "nothing"])


@pytest.mark.parametrize("manifest", [b"{", b"{}", b'{"phrases": {}, "window": 5, "sha256": ""}'])
def test_a_broken_manifest_is_named(tmp_path: Path, manifest: bytes) -> None:
    folder = write(tmp_path / "any", {"stop": 0.5})
    (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(BadInput, match=r"manifest\.json"):
        TrainedWake(folder)


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "any", {"stop": 0.5})
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match="not the file that was trained"):
        TrainedWake(folder)


def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "any", {"stop": 0.5})
    (folder / MODEL).write_bytes(b"no network")
    manifest = WakeManifest({"stop": 0.5}, 5, hashlib.sha256(b"no network").hexdigest())
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BadInput, match="can't be loaded"):
        TrainedWake(folder)


def test_the_setting_names_folders() -> None:
    config = msgspec.convert({"speech": {"wake_models": ["/models/biscuit"]}}, Config)
    assert config.speech.wake_models == ("/models/biscuit",)
    assert SpeechConfig().wake_models == ()
