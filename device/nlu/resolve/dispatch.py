"""Slot type to resolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from device.nlu.resolve.colors import color
from device.nlu.resolve.context import ResolveContext
from device.nlu.resolve.durations import duration
from device.nlu.resolve.names import candidates, resolve_name
from device.nlu.resolve.numbers import number, ordinal_number
from device.nlu.resolve.phrase import MAX_WORDS, parse_when
from device.nlu.resolve.quantities import amount, currency, percent, temperature, unit
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay, Value

__all__ = ["candidates", "resolve"]

FREE_TYPES: Final = frozenset(
    {"item", "title", "artist", "genre", "media_type", "place", "word", "expression", "query", "message"}
)
"""Their words are their value. `expression` is computed by `arithmetic.evaluate`, which can say what is wrong."""


def resolve(type: str, text: str, context: ResolveContext) -> Value | None:
    """The value of a slot's words.

    Args:
        type: Slot type; one that is unknown here (of a pack of one's own) is looked up among the household's names.
        text: Words in spoken form.
        context: The present moment and the household's names.

    Returns:
        The value, or None if the words can't be one of this type. Free text and unknown names are the words.
    """
    text = " ".join(text.split())
    if not text:
        return None
    if type in FREE_TYPES and not context.names.get(type):
        return text
    resolver = _RESOLVERS.get(type)
    if resolver is None:
        return resolve_name(type, text, context)
    return resolver(text, context) if text.count(" ") < MAX_WORDS else None


def _time(text: str, context: ResolveContext) -> TimeOfDay | Moment | None:
    when = parse_when(text, context)
    return when.time if when else None


def _date(text: str, context: ResolveContext) -> DateValue | Moment | None:
    when = parse_when(text, context)
    return when.date if when else None


def _recurrence(text: str, context: ResolveContext) -> Recurrence | None:
    """The slot may have lost its "every": "monday and friday", "day"."""
    for words in (text, f"every {text}"):
        when = parse_when(words, context)
        if when and when.recurrence:
            return when.recurrence
    return None


def _channel(text: str, context: ResolveContext) -> str | int:
    """A channel of the line-up by name, else its number ("one oh five")."""
    words = text.removeprefix("the ").removeprefix("channel ").removesuffix(" channel").removeprefix("number ")
    name = resolve_name("channel", words, context)
    if name in context.names.get("channel", ()):
        return name
    value = number(words)
    return value if isinstance(value, int) else name


_RESOLVERS: Final[dict[str, Callable[[str, ResolveContext], Value | None]]] = {
    "duration": lambda text, _: duration(text),
    "time": _time,
    "date": _date,
    "recurrence": _recurrence,
    "number": lambda text, _: number(text),
    "ordinal": lambda text, _: ordinal_number(text),
    "percent": lambda text, _: percent(text),
    "temperature": lambda text, _: temperature(text),
    "color": lambda text, _: color(text),
    "amount": lambda text, _: amount(text),
    "unit": lambda text, _: unit(text),
    "currency": lambda text, _: currency(text),
    "channel": _channel,
}
