"""The JSON schema of scenario files, for completion in editors; made from the types, with their documentation."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

import msgspec

from firmware_sim.scenario.model import Scenario

_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+?)(?=\n    \w+: |\n\S|\n\n|\Z)", re.MULTILINE | re.DOTALL)


def schema() -> dict[str, Any]:
    """A schema (JSON Schema 2020-12) for one scenario or a list of them."""
    whole, parts = msgspec.json.schema_components([Scenario], ref_template="#/$defs/{name}")
    for part in parts.values():
        _document(part)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Homebody scenarios",
        "$defs": parts,
        "oneOf": [whole[0], {"type": "array", "items": whole[0], "minItems": 1}],
    }


def _document(part: dict[str, Any]) -> None:
    """Give each property what the docstring's `Attributes` say of it."""
    text = inspect.cleandoc(part.get("description", ""))
    head, _, attributes = text.partition("\n\nAttributes:\n")
    part["description"] = " ".join(head.split())
    for name, said in _ATTRIBUTE.findall(attributes):
        if name in part.get("properties", {}):
            part["properties"][name].setdefault("description", " ".join(said.split()))
