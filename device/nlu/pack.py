"""Skill packs: the single source of what the device understands, read from YAML and checked at the door.

One file samples training sentences, biases the speech decoder, gives an explainable exact match and documents
the skill. Phrases are `hassil` templates: `(a|b)`, `[optional]`, `(a;b)` permutations, `<rule>`, `{slot}`.
`{slot}` names a slot of the intent, never a list; the slot's type says which words may stand there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from device.errors import PackError

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")]


class ValueSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"spoken": "in"}):
    """One entry of a closed list: `spoken` (YAML key `in`) is a hassil template, `out` the canonical value."""

    spoken: str
    out: str | float | int | None = None


class TypeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which words may fill a slot of this type; exactly one of the first three is given.

    Attributes:
        values: Closed list; a plain string stands for itself.
        template: A hassil template (may use rules); its words are resolved to a value afterwards.
        wildcard: Free words. `samples` then gives what training puts there.
        household: The list is extended at run time with this household's names (rooms, devices, ...).
        samples: Examples for training only.
    """

    values: tuple[str | ValueSpec, ...] = ()
    template: str | None = None
    wildcard: bool = False
    household: bool = False
    samples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises: ValueError, if not exactly one way to fill the slot is given."""
        if (bool(self.values) or self.household) + (self.template is not None) + self.wildcard != 1:
            raise ValueError("a type needs exactly one of `values` (or `household`), `template`, `wildcard`")


class SlotSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slot of an intent. `type` defaults to the slot's own name; `ask` is spoken when a required one is missing."""

    type: Name = ""
    required: bool = False
    ask: str = ""


class IntentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One intent.

    Attributes:
        description: One sentence for people.
        phrases: hassil templates.
        slots: Slot name to specification, in the order in which several spans of one type fill them.
        confirm: Question to be answered with yes before acting, e.g. "Shall I unlock the {device}?".
        replies: Reply key to one or several variants with `{value}` placeholders.
        examples: Spoken by help; the first is the showcase.
    """

    description: str = ""
    phrases: tuple[str, ...] = ()
    slots: dict[Name, SlotSpec] = {}
    confirm: str = ""
    replies: dict[str, str | tuple[str, ...]] = {}
    examples: tuple[str, ...] = ()

    def slot_type(self, slot: str) -> str:
        """Type of a slot of this intent."""
        return self.slots[slot].type or slot


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One skill's pack. Intents are named without the skill: `start` in skill `timer` is `timer.start`."""

    skill: Name
    description: str = ""
    intents: dict[Name, IntentSpec] = {}
    types: dict[Name, TypeSpec] = {}
    rules: dict[Name, str] = {}
    replies: dict[str, str | tuple[str, ...]] = {}

    def intent_names(self) -> list[str]:
        """Full names, in file order."""
        return [f"{self.skill}.{name}" for name in self.intents]


# libyaml's loader is ten times faster; a build of PyYAML without it still works.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

PACKS_DIR = Path(__file__).parent.parent / "skills" / "packs"
"""The packs that ship; `_common.yaml` holds the types and rules shared by all."""


def load_pack(path: Path) -> Pack:
    """Read one pack.

    Raises:
        PackError: Not readable, not YAML, an unknown key, a wrong type of value; names file and line or key.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PackError(f"{path}: can't be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        remedy = "Check the indentation and the quotes."
        raise PackError(f"{where}: not valid YAML: {problem or error}.", remedy=remedy) from error
    except msgspec.ValidationError as error:
        raise PackError(f"{path}: {error}.", remedy=_hint(str(error))) from error


def load_packs(directory: Path) -> list[Pack]:
    """Read all `*.yaml` of a folder, sorted by name.

    Raises:
        PackError: One of them is bad, or two define the same skill.
    """
    packs = [load_pack(path) for path in sorted(directory.glob("*.yaml"))]
    seen: set[str] = set()
    for pack in packs:
        if pack.skill in seen:
            raise PackError(f"{directory}: two packs define the skill `{pack.skill}`.", remedy="Rename one.")
        seen.add(pack.skill)
    return packs


def all_types(packs: Iterable[Pack]) -> Mapping[str, TypeSpec]:
    """Types of all packs by name; of two definitions the first (`_common`'s, which is read first) is kept."""
    types: dict[str, TypeSpec] = {}
    for pack in packs:
        for name, spec in pack.types.items():
            types.setdefault(name, spec)
    return types


def types_of(pack: Pack, packs: Iterable[Pack]) -> Mapping[str, TypeSpec]:
    """Types as one pack sees them: its own first (a light pack's `device` is a lamp), then everyone's."""
    return {**all_types(packs), **pack.types}


@lru_cache(maxsize=128)
def _parsed(text: str) -> Pack:
    """A pack's text as a pack; the same text is parsed once a process, however many devices it simulates."""
    return msgspec.convert(yaml.load(text, Loader=_LOADER), Pack)  # noqa: S506 (both are safe loaders)


def _hint(message: str) -> str:
    """Suggest the key that was probably meant."""
    if "unknown field" not in message:
        return f"The packs in {PACKS_DIR} show how it is written."
    wrong = message.split("`")[1]
    known = [f.encode_name for s in (Pack, IntentSpec, SlotSpec, TypeSpec) for f in msgspec.structs.fields(s)]
    close = difflib.get_close_matches(wrong, known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(sorted(set(known)))}."
