"""The report of scenarios that were played: one web page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from firmware_sim.results.plots import LEFT, WIDTH, Soundtrack, histogram, soundtrack
from firmware_sim.results.timeline import Row, clock_time, duration, plain, rows, shown_path
from firmware_sim.results.totals import WORST_FIRST, grouped, save, size, totals, worst_first
from firmware_sim.scenario.played import Played

_FIRST: Final = 200
_LAST: Final = 300
"""Rows of a trace that are shown: its beginning and its end; a scenario may repeat a step ten thousand times."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A scenario on the page.

    Attributes:
        number: Its place on the page.
        played: How it went.
        where: File and line.
        head: Rows of its trace.
        left_out: How many rows there are between `head` and `tail`.
        tail: The last rows of a long trace.
        sound: Its sound.
    """

    number: int
    played: Played
    where: str
    head: list[Row]
    left_out: int
    tail: list[Row]
    sound: Soundtrack | None


def write_report(results: Sequence[Played], path: Path) -> None:
    """Write the page; the same results give the same page.

    Raises:
        BadInput: The path is a folder.
        StorageError: The page can't be written.
    """
    save(path, page(results))


def page(results: Sequence[Played]) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("firmware_sim.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock_time,
        "duration": duration,
        "size": size,
        "plain": plain,
        "path": shown_path,
        "grouped": grouped,
    }
    found = totals(results)
    answers = [ms for played in results for ms in played.latencies_ms]
    marks = [("p50", found.latency.p50), ("p95", found.latency.p95)] if found.latency else []
    return environment.get_template("report.html.j2").render(
        totals=found,
        shown=[_shown(number, played) for number, played in enumerate(worst_first(results), 1)],
        statuses=WORST_FIRST,
        histogram=histogram(answers, marks) if answers else None,
        left=LEFT,
        width=WIDTH,
    )


def _shown(number: int, played: Played) -> _Shown:
    told = list(rows(played))
    head, tail = (told, []) if len(told) <= _FIRST + _LAST else (told[:_FIRST], told[-_LAST:])
    where = f"{shown_path(played.file)}:{played.line}"
    return _Shown(number, played, where, head, len(told) - len(head) - len(tail), tail, soundtrack(played))
