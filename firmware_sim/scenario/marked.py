"""YAML with the line of everything in it, by the core schema of YAML 1.2: only `true` and `false` are booleans.

With YAML 1.1, which PyYAML reads, `{on: true}` has the key True and 07:00 is the number 25200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

Path_: TypeAlias = tuple[str | int, ...]

_CORE: Final = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("tag:yaml.org,2002:null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
)
"""Tag, form and first characters, https://yaml.org/spec/1.2.2/#103-core-schema."""


class _Loader(yaml.SafeLoader):
    """Its own table of resolvers, by the core schema."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_form})$"), list(_first))


@dataclass(frozen=True, slots=True)
class Marked:
    """A document: plain values, and the line (from 1) at which each of them begins, by its path."""

    value: Any
    lines: Mapping[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of a value, or of the nearest one that holds it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


class MarkedError(ValueError):
    """What is no YAML, with its line."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


def read(text: str) -> Marked:
    """Parse one document.

    Raises:
        MarkedError: Not YAML, more than one document, or a key that stands twice.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Path_, int] = {}
        return Marked(None if node is None else _value(loader, node, (), lines), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise MarkedError(error.problem or "not valid YAML", mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:  # a character that YAML has not
        raise MarkedError(str(error).partition("\n")[0], 1) from error
    except RecursionError as error:
        raise MarkedError("nested too deep", 1) from error


def _value(loader: _Loader, node: yaml.Node, path: Path_, lines: dict[Path_, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise MarkedError("a key must be a word", line)
        if key.value in found:
            raise MarkedError(f"the key `{key.value}` stands twice", line)
        lines[(*path, key.value)] = line
        found[key.value] = _value(loader, value, (*path, key.value), lines)
    return found
