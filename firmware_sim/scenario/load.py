"""Scenario files to scenarios: one for each case of each scenario, every mistake with its file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from device.errors import BadInput
from firmware_sim.scenario.marked import Marked, MarkedError, Path_, read
from firmware_sim.scenario.model import (
    ClockFault,
    EngineFault,
    Expect,
    ExpectedTimer,
    Fault,
    Said,
    Scenario,
    Sound,
    Step,
)

SCENARIOS: Final = Path(__file__).parents[1] / "scenarios"
"""The scenarios that ship."""

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_WHERE: Final = re.compile(r"`\$((?:\.[\w.\-/ ]+?|\[\d+\]|\[\.\.\.\])*)`")
_PART: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_STRUCTS: Final = (Scenario, Step, Expect, Fault, ClockFault, EngineFault, Said, Sound, ExpectedTimer)


class ScenarioError(BadInput):
    """A scenario can't be played as it is written; the message begins with file and line."""

    def __init__(self, file: Path, line: int, problem: str, *, remedy: str = "") -> None:
        super().__init__(f"{file}:{line}: {problem}", remedy=remedy)
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario with where it stands.

    Attributes:
        scenario: One case of it, placeholders filled.
        file: Its file.
        marks: The lines of its file, by path.
        root: Path of the scenario in the file.
        name: Its name; with the case where there are several.
    """

    scenario: Scenario
    file: Path
    marks: Marked
    root: Path_
    name: str

    def line(self, *path: str | int) -> int:
        """Line of something in the scenario, such as `"steps", 2, "expect"`."""
        return self.marks.line((*self.root, *path))

    def error(self, path: Sequence[str | int], problem: str, *, remedy: str = "") -> ScenarioError:
        """A mistake at a place of it."""
        return ScenarioError(self.file, self.line(*path), problem, remedy=remedy)


def find(paths: Iterable[Path]) -> list[Path]:
    """All scenario files of some files and folders, in order.

    Raises:
        BadInput: One of them is not there, or a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = sorted(file for ending in ("*.yaml", "*.yml") for file in path.rglob(ending))
            if not files:
                raise BadInput(f"{path} holds no scenario.", remedy="A scenario is a .yaml file.")
            found += files
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(f"There is no scenario {path}.", remedy="Name a .yaml file, or a folder of them.")
    return found


def load_file(file: Path) -> list[Loaded]:
    """All scenarios of a file, in order.

    Raises:
        ScenarioError: It can't be read, is not YAML, or has an unknown key or a wrong value.
    """
    try:
        marks = read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(file, 1, f"can't be read: {error}.") from error
    except MarkedError as error:
        remedy = "Check the indentation and the quotes."
        raise ScenarioError(file, error.line, f"not valid YAML: {error}.", remedy=remedy) from error
    value = marks.value
    roots: list[tuple[Path_, Any]] = [((), value)] if isinstance(value, dict) else []
    if isinstance(value, list):
        roots = [((index,), item) for index, item in enumerate(value)]
    if not roots:
        raise ScenarioError(file, 1, "holds no scenario.", remedy="Write a scenario, or a list of them.")
    loaded = [one for root, raw in roots for one in _cases(file, marks, root, raw)]
    seen: dict[str, Loaded] = {}
    for one in loaded:
        if (twin := seen.setdefault(one.name, one)) is not one:
            raise one.error(("name",), f"the scenario “{one.name}” stands at line {twin.line('name')} too.")
    return loaded


def _cases(file: Path, marks: Marked, root: Path_, raw: Any) -> list[Loaded]:
    cases = raw.get("cases") if isinstance(raw, dict) else None
    if not isinstance(cases, list) or not cases or not all(isinstance(case, dict) for case in cases):
        return [_convert(file, marks, root, raw, {})]
    return [_convert(file, marks, root, raw, case) for case in cases]


def _convert(file: Path, marks: Marked, root: Path_, raw: Any, case: Mapping[str, Any]) -> Loaded:
    def fail(path: Path_, problem: str, remedy: str = "") -> ScenarioError:
        return ScenarioError(file, marks.line((*root, *path)), problem, remedy=remedy)

    if case:
        try:
            raw = {k: v if k == "cases" else _filled(v, case) for k, v in raw.items()}
        except KeyError as error:
            known = ", ".join(case)
            raise fail(("cases",), f"a case has no `{error.args[0]}`.", f"It has: {known}.") from error
    try:
        scenario = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        path = _path(str(error))
        problem, hint = _explain(str(error))
        unknown = re.search(r"unknown field `([^`]+)`", str(error))
        raise fail((*path, unknown[1]) if unknown else path, problem, hint) from error
    name = scenario.name
    if case and name == raw["name"] and not _PLACEHOLDER.search(_raw_name(marks, root)):
        name = f"{name} ({', '.join(f'{key} {_written(value)}' for key, value in case.items())})"
    return Loaded(scenario, file, marks, root, name)


def _written(value: Any) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _raw_name(marks: Marked, root: Path_) -> str:
    raw = marks.value
    for part in root:
        raw = raw[part]
    return str(raw.get("name", ""))


def _filled(value: Any, case: Mapping[str, Any]) -> Any:
    """A value with the placeholders of a case; a text that is one placeholder becomes the value itself.

    Raises:
        KeyError: The case has no such value.
    """
    if isinstance(value, dict):
        return {_text(key, case): _filled(item, case) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, case) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    return case[whole[1]] if whole else _text(value, case)


def _text(value: str, case: Mapping[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda found: _written(case[found[1]]), value)


def _path(message: str) -> Path_:
    """The path that a message of msgspec ends with: `$.steps[2].expect`."""
    found = _WHERE.search(message)
    parts = _PART.findall(found[1]) if found else []
    return tuple(int(index) if index else key for key, index in parts)


def _explain(message: str) -> tuple[str, str]:
    """A message of msgspec for people, and what to do."""
    problem = message.partition(" - at ")[0]
    if unknown := re.search(r"unknown field `([^`]+)`", message):
        known = sorted({f.encode_name for struct in _STRUCTS for f in msgspec.structs.fields(struct)})
        fields = _known_at(_path(message)) or known
        close = difflib.get_close_matches(unknown[1], fields, n=1) or difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(fields)}."
        return f"unknown key `{unknown[1]}`.", hint
    if missing := re.search(r"missing required field `([^`]+)`", message):
        return f"the key `{missing[1]}` is missing.", ""
    if "enum value" in message:
        allowed = _known_at(_path(message))
        return f"{problem[0].lower()}{problem[1:]}.", f"Choose from: {', '.join(allowed)}." if allowed else ""
    plain = problem.replace("`", "").replace("Expected ", "expected ", 1)
    return f"{plain}.", ""


def _known_at(path: Path_) -> list[str]:
    """Keys of the mapping at a path, or the values that may stand there."""
    kind: Any = Scenario
    for part in path:
        if isinstance(part, int):
            kind = _struct(kind)
            continue
        struct = _struct(kind)
        if struct is None:
            return []
        kind = next((f.type for f in msgspec.structs.fields(struct) if f.encode_name == part), None)
    if struct := _struct(kind):
        return [f.encode_name for f in msgspec.structs.fields(struct)]
    return [str(value) for value in _literals(kind)]


def _struct(kind: Any) -> Any:
    """The struct inside an optional or a row of it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for part in getattr(kind, "__args__", ()):
        if found := _struct(part):
            return found
    return None


def _literals(kind: Any) -> list[Any]:
    args = getattr(kind, "__args__", ())
    if getattr(kind, "__origin__", None) is Literal:
        return list(args)
    return [value for part in args for value in _literals(part)]
