"""Reports of many devices, checked and merged into one file to be reviewed.

Reports are not trusted: their size, characters and labels are checked line by line. A file counts once for each
sentence and label, so that no device outvotes the others; what is merged is a vote, not the truth.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from device.errors import BadInput
from device.nlu.pack import Pack
from device.nlu.report import WITHHELD, Label, Report, Words
from device.nlu.types import OOS

MAX_BYTES: Final = 16 * 2**20
MAX_LINE: Final = 4096
MAX_SAID: Final = 3
"""Other wordings that are kept of a sentence, to be shown."""
_SHOWN: Final = 5
"""Bad lines that a message names."""


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """What the reviewer said.

    Attributes:
        verdict: "later" for one that was skipped.
        intent: The right one, where it was accepted.
        text: The sentence, perhaps with its slots marked anew.
    """

    verdict: Literal["accepted", "rejected", "later"]
    intent: Label | None = None
    text: Words | None = None


class Item(Struct, forbid_unknown_fields=True):
    """One sentence and what devices say of it; counts are of files.

    Attributes:
        text: Redacted words.
        understood: Intent to how many understood it so.
        meant: Intent to how many say that it was meant.
        confirmed: How many confirmed what was understood.
        wrong: How many called it wrong.
        said: The commands that followed, redacted.
        decision: None until it is reviewed.
    """

    text: Words
    understood: dict[Label, int] = {}
    meant: dict[Label, int] = {}
    confirmed: int = 0
    wrong: int = 0
    said: list[Words] = []
    decision: Decision | None = None

    @property
    def devices(self) -> int:
        """How many files tell of it."""
        return sum(self.understood.values())

    @property
    def suggestion(self) -> str | None:
        """What most devices say: what was meant, else what was confirmed. A tie suggests nothing."""
        votes = self.meant or (self.understood if self.confirmed and not self.wrong else {})
        best = Counter(votes).most_common(2)
        return None if not best or (len(best) == 2 and best[0][1] == best[1][1]) else best[0][0]


class Review(Struct, forbid_unknown_fields=True):
    """The file to be reviewed.

    Attributes:
        files: SHA-256 of the report files that are in it.
        items: Its sentences.
        history: Sentences decided, in order, for taking back.
    """

    files: list[str] = []
    items: list[Item] = []
    history: list[str] = []


class _Header(Struct, forbid_unknown_fields=True):
    """First line of the file."""

    homebody_review: Literal[1]
    files: list[str]
    history: list[str]


@dataclass(frozen=True)
class Known:
    """Names that a report may use."""

    intents: frozenset[str]
    types: frozenset[str]

    @classmethod
    def of(cls, packs: Sequence[Pack]) -> Known:
        """Those of some packs."""
        specs = [spec for pack in packs for spec in pack.intents.values()]
        return cls(
            frozenset({OOS, *(name for pack in packs for name in pack.intent_names())}),
            frozenset({WITHHELD, *(spec.slot_type(slot) for spec in specs for slot in spec.slots)}),
        )

    def unknown(self, report: Report) -> str:
        """The first name that no pack defines, or an empty string."""
        meant = report.meant
        for intent in (report.understood.intent, *([meant.intent] if meant else [])):
            if intent not in self.intents:
                return f"no pack defines the intent `{intent}`"
        for type_ in (*slot_types(report.text), *(slot_types(meant.text) if meant else ()), *report.understood.slots):
            if type_ not in self.types:
                return f"no pack defines the slot type `{type_}`"
        return ""


def slot_types(text: str) -> tuple[str, ...]:
    """Types of the slots that a redacted sentence marks, in order."""
    return tuple(word[1:-1] for word in text.split() if word.startswith("{"))


def read_reports(path: Path, known: Known, *, skip_bad: bool = False) -> tuple[list[Report], list[str]]:
    """Read what a device exported.

    Args:
        path: One JSON object a line.
        known: Intents and slot types that exist.
        skip_bad: Leave out bad lines instead of refusing the file.

    Returns:
        The reports, and for each bad line its number and what is wrong with it.

    Raises:
        BadInput: The file can't be read or is too large; without `skip_bad`, also for bad lines.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadInput(f"{path} has {size / 2**20:.0f} MB; reports of a device are smaller than 16 MB.")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.") from error
    decoder = msgspec.json.Decoder(Report)
    found: list[Report] = []
    bad: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise ValueError(f"it has {len(line)} bytes, more than {MAX_LINE}")
            report = decoder.decode(line)
            if unknown := known.unknown(report):
                raise ValueError(unknown)
            found.append(report)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            bad.append(f"line {number}: {_plain(str(error))}")
    if bad and not skip_bad:
        more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise BadInput(
            f"{path}: {'; '.join(bad[:_SHOWN])}{more}.",
            remedy="Leave such lines out with --skip-bad, or name the packs that the device uses with --packs.",
        )
    return found, bad


def _plain(message: str) -> str:
    """Without a regular expression that tells a person nothing."""
    what, found, rest = message.partition(" matching regex ")
    return f"{what} of another form{rest[rest.rindex(' - at ') :]}" if found and " - at " in rest else message


def merged(review: Review, path: Path, reports: Iterable[Report]) -> int:
    """Add the reports of one file; returns how many sentences are new.

    A sentence that was decided stays decided.

    Raises:
        BadInput: The same file was imported before.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest in review.files:
        raise BadInput(f"{path} was imported before.", remedy="Import each export once.")
    review.files.append(digest)
    items = {item.text: item for item in review.items}
    before = len(items)
    votes: set[tuple[str, str, str]] = set()

    def first(text: str, kind: str, label: str = "") -> bool:
        """Whether this file has not said that yet."""
        new = (text, kind, label) not in votes
        votes.add((text, kind, label))
        return new

    for report in reports:
        item = items.setdefault(report.text, Item(report.text))
        if first(report.text, "understood"):
            item.understood[report.understood.intent] = item.understood.get(report.understood.intent, 0) + 1
        if report.meant and first(report.text, "meant"):
            item.meant[report.meant.intent] = item.meant.get(report.meant.intent, 0) + 1
            if report.meant.text not in item.said and len(item.said) < MAX_SAID:
                item.said.append(report.meant.text)
        item.confirmed += report.verdict == "confirmed" and first(report.text, "confirmed")
        item.wrong += report.verdict == "wrong" and first(report.text, "wrong")
    review.items = sorted(items.values(), key=lambda item: (-item.devices, item.text))
    return len(items) - before


def read_review(path: Path) -> Review:
    """Read what `write_review` wrote.

    Raises:
        BadInput: It can't be read, or is no such file.
    """
    try:
        head, *lines = path.read_bytes().splitlines() or [b""]
        header = msgspec.json.decode(head, type=_Header)
        decoder = msgspec.json.Decoder(Item)
        items = []
        for number, line in enumerate(lines, 2):
            try:
                items.append(decoder.decode(line))
            except msgspec.DecodeError as error:
                raise BadInput(
                    f"{path}, line {number}: {error}.", remedy="Restore the file, or import anew."
                ) from error
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path} is no file to be reviewed.", remedy="`homebody feedback import FILE --into REVIEW` makes one."
        ) from error
    return Review(header.files, items, header.history)


def write_review(path: Path, review: Review) -> None:
    """Write it at once or not at all, so that nothing is lost whenever it is interrupted.

    Raises:
        BadInput: It can't be written.
    """
    encoder = msgspec.json.Encoder()
    lines = [_Header(1, review.files, review.history), *review.items]
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(b"".join(encoder.encode(line) + b"\n" for line in lines))
        part.replace(path)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}.", remedy="Name another file.") from error
