"""Does it understand everybody equally well? Names of many origins and ways of putting things, in balanced groups.

Groups get the same commands, so that what differs between them is only the names or the variety of English. The
sentences stand in `fairness.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

import msgspec

from device.nlu.onnx_model import JointModel
from device.nlu.text import words
from quantize.data.example import Example, Span
from quantize.evaluate.outcomes import Outcome, answered, answers
from quantize.evaluate.slices import row

MAX_GAP: Final = 2.0
"""Points between the best and the worst group of a kind."""

SENTENCES: Final = Path(__file__).with_name("fairness.yaml")


class Fairness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in `fairness.yaml`.

    Attributes:
        templates: Kind of name to intent to commands; `{}` is the name.
        origins: Group to kind to names.
        values: Name of a placeholder to what fills it.
        varieties: Group to intent to command; `{room}` is filled with each of the values `room`.
    """

    templates: dict[str, dict[str, list[str]]]
    origins: dict[str, dict[str, list[str]]]
    values: dict[str, list[str]]
    varieties: dict[str, dict[str, str]]

    def __post_init__(self) -> None:
        """Raises: ValueError, if the groups can't be compared: unequally many names, or other commands."""
        if (
            len({tuple(sorted((kind, len(set(names))) for kind, names in g.items())) for g in self.origins.values()})
            > 1
        ):
            raise ValueError("the groups of `origins` have unequally many names")
        if len({frozenset(group) for group in self.varieties.values()}) > 1:
            raise ValueError("the groups of `varieties` have different commands")

    @classmethod
    def read(cls, path: Path = SENTENCES) -> Fairness:
        """Read and check the file."""
        return msgspec.yaml.decode(path.read_bytes(), type=cls)

    def examples(self) -> dict[str, dict[str, list[Example]]]:
        """`origins` and `varieties`: group to its sentences, in the same order of commands in each group."""
        return {
            "origins": {
                group: [
                    _example(template, intent, group, kind, name)
                    for kind, intents in self.templates.items()
                    for intent, templates in intents.items()
                    for template, name in product(templates, names[kind])
                ]
                for group, names in self.origins.items()
            },
            "varieties": {
                group: [
                    _example(text, intent, group)
                    for intent, command in sorted(commands.items())
                    for text in self._filled(command)
                ]
                for group, commands in self.varieties.items()
            },
        }

    def _filled(self, command: str) -> list[str]:
        for name, values in self.values.items():
            if f"{{{name}}}" in command:
                return [command.replace(f"{{{name}}}", value) for value in values]
        return [command]


def fairness(model: JointModel, sentences: Mapping[str, Mapping[str, Sequence[Example]]]) -> dict[str, Any]:
    """Accuracy of each group.

    Args:
        model: A bundle that speaks the shipped ontology.
        sentences: `Fairness.examples`.

    Returns:
        For `origins` and `varieties`, sentences accepted with the right intent, and for `names`, the artists and
        places that are marked from their first word to their last as one slot, of whatever type: `gap`, best group
        less worst in points; `max_gap`; `passed`; `groups`, worst first (`name`, `n`, `accuracy`, `interval`).
    """
    said = {
        kind: {group: answers(model, examples) for group, examples in groups.items()}
        for kind, groups in sentences.items()
    }
    rights = {
        kind: {group: [answered(outcome) for outcome in outcomes] for group, outcomes in groups.items()}
        for kind, groups in said.items()
    }
    rights["names"] = {
        group: [_name_found(outcome) for outcome in outcomes if outcome.spans]
        for group, outcomes in said["origins"].items()
    }
    return {kind: _gap(groups) for kind, groups in rights.items()}


def _gap(groups: Mapping[str, Sequence[bool]]) -> dict[str, Any]:
    rows = sorted((row(name, right) for name, right in groups.items()), key=lambda r: (r["accuracy"], r["name"]))
    gap = round(rows[-1]["accuracy"] - rows[0]["accuracy"], 2)
    return {"gap": gap, "max_gap": MAX_GAP, "passed": gap <= MAX_GAP, "groups": rows}


def _name_found(outcome: Outcome) -> bool:
    name = outcome.spans[0]
    return any((span.start, span.end) == (name.start, name.end) for span in outcome.found)


def _example(template: str, intent: str, group: str, kind: str = "", name: str = "") -> Example:
    """A command with its name as a slot. People's names are none: they mostly stand inside a message or title."""
    before, _, after = template.partition("{}")
    said = words(before), words(name), words(after)
    if kind in ("", "person"):
        return Example(words(template.replace("{}", name)), intent, annotated=frozenset(), source=group)
    span = Span(kind, len(said[0]), len(said[0]) + len(said[1]))
    return Example(sum(said, ()), intent, spans=(span,), source=group)
