"""Reply keys to spoken words: the packs hold the sentences, values are rendered as people say them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from string import Formatter
from typing import Any, Final

from device.dialogue.spoken import say
from device.errors import PackError
from device.nlu.pack import Pack

_SENTENCE: Final = re.compile(r"(?:^|(?<=[.?!] ))[a-z]")


class Responses:
    """The replies of all packs.

    Variants of a reply take turns by the turn's number: varied for people, the same in every test.
    """

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._replies: dict[tuple[str, str], tuple[str, ...]] = {}
        for pack in packs:
            for scope, replies in (
                (pack.skill, pack.replies),
                *((f"{pack.skill}.{n}", i.replies) for n, i in pack.intents.items()),
            ):
                for key, variants in replies.items():
                    self._replies[scope, key] = (variants,) if isinstance(variants, str) else tuple(variants)

    def render(self, intent: str, key: str, values: Mapping[str, object], turn: int, now: datetime) -> str:
        """The words of a reply.

        Args:
            intent: Full intent name; the intent's own replies come before its skill's.
            key: Reply key.
            values: Placeholders; extra ones are ignored.
            turn: Picks the variant.
            now: Wall time, for "tomorrow".

        Raises:
            PackError: No such reply, or a placeholder without a value.
        """
        skill = intent.partition(".")[0]
        variants = self._replies.get((intent, key)) or self._replies.get((skill, key))
        if not variants:
            raise PackError(f"Pack `{skill}` has no reply `{key}` for {intent}.", remedy="Add it under `replies:`.")
        # Prefer a variant whose placeholders all have values, so that an optional one may be left out.
        start = turn % len(variants)
        for variant in (*variants[start:], *variants[:start]):
            if placeholders(variant) <= values.keys():
                return fill(variant, values, now)
        missing = ", ".join(sorted(placeholders(variants[0]) - values.keys()))
        raise PackError(
            f"Reply `{key}` of {intent} needs {missing}.", remedy="Give the value or add a variant without it."
        )


def placeholders(template: str) -> set[str]:
    """Names of the `{placeholders}` of a reply."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def fill(template: str, values: Mapping[str, object], now: datetime | None = None) -> str:
    """Put spoken values into a template and make the first letter of each sentence a capital."""
    text = template.format_map({name: _spoken(value, now) for name, value in values.items()})
    return _SENTENCE.sub(lambda found: found[0].upper(), text)


def _spoken(value: Any, now: datetime | None) -> str:
    return value if isinstance(value, str) else say(value, now)
