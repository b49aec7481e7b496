"""The JSON schema of scenario files, for completion in editors; made from the types, with their documentation."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

import msgspec

from firmware_sim.scenario.model import Scenario

_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+?)(?=\n    \w+: |\n\S|\n\n|\Z)", re.MULTILINE | re.DOTALL)
_PLACEHOLDER: Final = {
    "type": "string",
    "pattern": r"^\{\w+\}$",
    "description": "The value that each of the `cases` has for this.",
}


def schema() -> dict[str, Any]:
    """A schema (JSON Schema 2020-12) for one scenario or a list of them."""
    whole, parts = msgspec.json.schema_components([Scenario], ref_template="#/$defs/{name}")
    for part in parts.values():
        _document(part)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Homebody scenarios",
        "$defs": {**parts, "Placeholder": _PLACEHOLDER},
        "oneOf": [whole[0], {"type": "array", "items": whole[0], "minItems": 1}],
    }


def _document(part: dict[str, Any]) -> None:
    """Give each property what the docstring's `Attributes` say of it, and let a placeholder stand for its value."""
    text = inspect.cleandoc(part.get("description", ""))
    head, _, attributes = text.partition("\n\nAttributes:\n")
    part["description"] = " ".join(head.split())
    said = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(attributes)}
    for name, value in part.get("properties", {}).items():
        part["properties"][name] = {"description": said.get(name, ""), **_fillable(value)}


def _fillable(value: dict[str, Any]) -> dict[str, Any]:
    """What may stand there, a row of it or a mapping to it, with a placeholder in place of each."""
    for inner in ("items", "additionalProperties"):
        if isinstance(value.get(inner), dict):
            value = {**value, inner: _fillable(value[inner])}
    choices = [_fillable(choice) if "items" in choice else choice for choice in value.get("anyOf", [])]
    rest = {key: inside for key, inside in value.items() if key not in ("default", "description", "anyOf")}
    kept = {key: inside for key, inside in value.items() if key in ("default", "description")}
    return {**kept, "anyOf": [*(choices or [rest]), {"$ref": "#/$defs/Placeholder"}]}
