"""The direction of imports: what ships never knows the factory or the simulator."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "optimum", "sklearn", "seqeval"}
FORBIDDEN = {
    "device": {"quantize", "firmware_sim", *HEAVY},
    "models": {"device", "quantize", "firmware_sim"},
    "firmware_sim": {"quantize", *HEAVY},
    "quantize": {"firmware_sim"},
}
ALLOWED_FROM_MODELS = {"models.labels", "models.manifest", "models.signature"}
ALLOWED_FROM_DEVICE = (
    "device.nlu",
    "device.errors",
    "device.speech.bias.beam",
    "device.speech.moonshine_model",
    "device.speech.tts_kokoro",
)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_wrong_direction(package: str) -> None:
    assert files(package)
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module in imports(path)
        if module.partition(".")[0] in FORBIDDEN[package]
        and not (package == "models" and path.name in ("joint.py", "crf.py") and module.startswith("torch"))
    }
    assert not wrong


def test_only_the_architecture_needs_torch_in_models() -> None:
    users = {path.name for path in files("models") if HEAVY & {m.partition(".")[0] for m in imports(path)}}
    assert users <= {"joint.py", "crf.py"}


def test_the_device_takes_only_the_schema_and_the_manifest_from_models() -> None:
    taken = {m for path in files("device") for m in imports(path) if m.startswith("models.")}
    assert {".".join(m.split(".")[:2]) for m in taken} <= ALLOWED_FROM_MODELS


def test_the_factory_takes_only_what_it_trains_or_speaks_with_from_the_device() -> None:
    taken = {m for path in files("quantize") for m in imports(path) if m.startswith("device.")}
    assert not {m for m in taken if not m.startswith(ALLOWED_FROM_DEVICE)}


def test_time_is_injected() -> None:
    """Only the clock may ask what time it is, and nothing sleeps."""
    banned = {("time", "time"), ("time", "sleep"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now")}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("device", "firmware_sim")
        for path in files(package)
        if path != ROOT / "device" / "clock.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in banned
    ]
    assert not wrong


def test_every_folder_says_what_it_is_for() -> None:
    for package in FORBIDDEN:
        for init in (ROOT / package).rglob("__init__.py"):
            assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), f"{init} has no docstring"
