"""What a model's outputs mean: intents, slot labels and dialogue acts, in the order of its logits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

Intent = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]

OUTSIDE = "O"


class LabelError(ValueError):
    """A label schema can't be read, or contradicts itself."""


class LabelSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of a model's outputs.

    Attributes:
        intents: Index of the intent head to `skill.intent`; one of them is `oos`, everything else.
        slot_types: Types that the slot head can mark; none, where the data has no slots. Its labels are `slot_labels`.
        acts: Index of the act head to dialogue act.
    """

    intents: tuple[Intent, ...]
    slot_types: tuple[Name, ...]
    acts: tuple[Name, ...]

    def __post_init__(self) -> None:
        """Raises: ValueError, if a name stands twice, there is no intent or no act, or `oos` is not an intent."""
        for head in ("intents", "slot_types", "acts"):
            names: tuple[str, ...] = getattr(self, head)
            if (not names and head != "slot_types") or len(set(names)) != len(names):
                raise ValueError(f"`{head}` is empty or names something twice")
        if "oos" not in self.intents:
            raise ValueError("`intents` lacks `oos`")

    @property
    def slot_labels(self) -> tuple[str, ...]:
        """BIO labels in the order of the slot head: `O`, then `B-` and `I-` of each type in turn."""
        return (OUTSIDE, *(f"{prefix}-{name}" for name in self.slot_types for prefix in "BI"))

    @property
    def ontology(self) -> str:
        """SHA-256 of the names in order: two models with the same hash speak the same language."""
        text = "\n".join(f"{head}:{name}" for head in ("intents", "slot_types", "acts") for name in getattr(self, head))
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def of(cls, intents: Iterable[str], slot_types: Iterable[str], acts: Sequence[str]) -> LabelSchema:
        """Build with intents and slot types sorted, so that the order of packs doesn't matter; adds `oos`."""
        return cls(tuple(sorted({*intents, "oos"})), tuple(sorted(set(slot_types))), tuple(acts))

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def read(cls, path: Path) -> LabelSchema:
        """Read JSON.

        Raises:
            LabelError: Not readable, not JSON, or not a valid schema.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise LabelError(f"{path.name} can't be read ({error.strerror})") from error
        except msgspec.DecodeError as error:
            raise LabelError(f"{path.name} is not a label schema: {error}") from error
