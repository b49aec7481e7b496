"""Shopping, to-do and other lists."""

from __future__ import annotations

import re
from typing import Final

from device.nlu.text import spoken
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, named, text_of, unknown_intent
from device.store.items import Items

DEFAULT: Final = "shopping"
"""The list that is meant when none is named."""

_BETWEEN: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_PAIRS: Final = (
    "mac and cheese",
    "salt and pepper",
    "fish and chips",
    "peanut butter and jelly",
    "macaroni and cheese",
)
"""Things with an "and" in their own name."""


class ListSkill:
    """See the pack `list`."""

    name = "list"

    def __init__(self, items: Items) -> None:
        self._items = items

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "add":
                return self._add(request)
            case "remove":
                return self._remove(request)
            case "query":
                return self._query(request)
            case "clear":
                return self._clear(request)
        raise unknown_intent(self.name, request)

    def _add(self, request: Request) -> Outcome:
        wanted = _split(request.words("item"))
        if not wanted:
            return Outcome(question=Question("item", "ask_item"))
        name = _list(request)
        added = [item for item in wanted if self._items.add(name, item)]

        async def undo() -> None:
            for item in added:
                self._items.remove(name, item)

        values = {"item": wanted[0], "items": tuple(added), "list": name, "be": _be(wanted[:1])}
        if not added:
            return Outcome("already", values, mentioned={"list": named(name)})
        key = "several" if len(added) > 1 else "done"
        return Outcome(
            key,
            {**values, "item": added[0]},
            self._changes(request, name, added),
            mentioned={"list": named(name)},
            undo=undo,
        )

    def _remove(self, request: Request) -> Outcome:
        """The list that is named; without one, the first that has the item."""
        said = text_of(request, "list")
        names = [_list(request)] if said else [DEFAULT, *(n for n in self._items.lists() if n != DEFAULT)]
        for name in names:
            present = self._items.items(name)
            whole = closest(request.words("item"), present, parts=False)
            parts = [request.words("item")] if whole is not None else _split(request.words("item"))
            matches = [present[at] for item in parts if (at := closest(item, present, parts=False)) is not None]
            if matches:
                return self._removed(request, name, matches)
        values = {"item": request.words("item"), "list": names[0]}
        return failure("missing" if self._items.items(names[0]) else "empty", values)

    def _removed(self, request: Request, name: str, items: list[str]) -> Outcome:
        for item in items:
            self._items.remove(name, item)

        async def undo() -> None:
            for item in items:
                self._items.add(name, item)

        values = {"item": items[0] if len(items) == 1 else tuple(items), "list": name, "be": _be(items)}
        changes = self._changes(request, name, items)
        return Outcome("done", values, changes, mentioned={"list": named(name)}, undo=undo)

    def _query(self, request: Request) -> Outcome:
        if not request.words("list") and "lists" in request.text.split():
            lists = tuple(self._items.lists())
            return Outcome("lists", {"lists": lists}) if lists else Outcome("no_lists")
        name = _list(request)
        items = self._items.items(name)
        mentioned = {"list": named(name)}
        if item := request.words("item"):
            key = "missing" if closest(item, items, parts=False) is None else "contains"
            return Outcome(key, {"item": item, "list": name, "be": _be([item])}, mentioned=mentioned)
        key = "empty" if not items else "one" if len(items) == 1 else "done"
        return Outcome(key, {"items": tuple(items), "list": name, "be": _be(items or [""])}, mentioned=mentioned)

    def _clear(self, request: Request) -> Outcome:
        name = _list(request)
        items = self._items.items(name)
        if not items:
            return Outcome("empty", {"list": name})
        self._items.clear(name)

        async def undo() -> None:
            for item in items:
                self._items.add(name, item)

        values = {"list": name, "count": len(items)}
        return Outcome("done", values, self._changes(request, name, items), mentioned={"list": named(name)}, undo=undo)

    def _changes(self, request: Request, name: str, items: list[str]) -> tuple[Change, ...]:
        return (Change(self.name, request.intent, f"{name} list", {"items": items}),)


def _list(request: Request) -> str:
    """Name of the list, without the word "list"."""
    return spoken(text_of(request, "list")).removesuffix(" list") or DEFAULT


def _split(said: str) -> list[str]:
    """Several items of one breath: "milk, eggs and a loaf of bread"."""
    text = said
    for number, pair in enumerate(_PAIRS):
        text = text.replace(pair, f"\0{number}\0")
    parts = [part.strip() for part in _BETWEEN.split(text)]
    for number, pair in enumerate(_PAIRS):
        parts = [part.replace(f"\0{number}\0", pair) for part in parts]
    return list(dict.fromkeys(part for part in parts if part))


def _be(items: list[str]) -> str:
    return "are" if len(items) > 1 or items[0].endswith("s") else "is"


def build(services: Services) -> ListSkill:
    """The skill with the stored lists."""
    return ListSkill(Items(services.database))
