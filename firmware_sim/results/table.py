"""Many scenarios on a terminal: how far they are while they run, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from device.clock import Clock
from firmware_sim.results.timeline import STATUS_STYLES, duration, lines, shown_path
from firmware_sim.results.totals import WORST_FIRST, grouped, size, totals, worst_first
from firmware_sim.scenario.played import Played, Status

_LAST: Final = 4
"""Scenarios that ended last, shown while others run."""

_TOLD: Final = 40
"""Lines of a timeline that are printed of a scenario that went wrong."""

_SIGNS: Final[dict[Status, str]] = {
    "passed": "✓",
    "expected failure": "x",
    "failed": "✗",
    "passed unexpectedly": "!",
    "broken": "‼",
}


class Progress:
    """How far many scenarios are: a live table on a terminal, elsewhere a plain line for each that has ended.

    Use as a context manager, and call `ended` with each result.

    Args:
        console: Where to show it.
        total: How many will be played.
        clock: The real one.
    """

    def __init__(self, console: Console, total: int, clock: Clock) -> None:
        self._console = console
        self._total = total
        self._clock = clock
        self._began = clock.monotonic()
        self._results: list[Played] = []
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._began = self._clock.monotonic()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def ended(self, played: Played) -> None:
        """Count one more; what is not as it should be is told at once, from its timeline on, and stays."""
        self._results.append(played)
        told = [] if played.good else _tail(lines(played))
        if self._console.is_terminal:
            told = told and [f"{played.status}  {played.name}", *told]
        else:
            number = f"{len(self._results):>{len(str(self._total))}}/{self._total}"
            told = [f"{number}  {played.status:<19}  {_where(played)}  {played.name}  ({_effort(played)})", *told]
        if told:
            # Unbroken lines: an editor or a terminal finds `file:line:` only whole.
            head, *rest = told
            style = "" if played.good else STATUS_STYLES[played.status]
            self._console.print(Text("\n").join([Text(head, style), *map(Text, rest)]), soft_wrap=True)
        if self._live.is_started:
            self._live.refresh()

    def _table(self) -> RenderableType:
        found = totals(self._results)
        counts = Text("  ").join(
            Text(f"{found.counts[status]} {status}", STATUS_STYLES[status])
            for status in reversed(WORST_FIRST)
            if found.counts[status] or status == "passed"
        )
        elapsed = self._clock.monotonic() - self._began
        pace = f", {grouped(found.simulated / elapsed)} × real time" if elapsed and found.simulated else ""
        grid = Table.grid(padding=(0, 1))
        for played in self._results[-_LAST:]:
            grid.add_row(*_row(played), Text(_effort(played), "dim"))
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(self._total, len(self._results), width=32), f"{len(self._results)}/{self._total}", counts
        )
        spent = Text(f"{duration(found.simulated)} simulated in {duration(elapsed)}{pace}", "dim")
        return Group(grid, bar, spent)


def _tail(told: list[str]) -> list[str]:
    """The end of a timeline, which is where it went wrong."""
    left_out = len(told) - _TOLD
    return told if left_out <= 0 else [f"… {left_out} lines before: --report has them all", *told[left_out:]]


def summary(results: Sequence[Played]) -> RenderableType:
    """What all scenarios came to: those that fail as announced and why, those that are bad and where, and figures."""
    ordered = worst_first(results)
    expected = [played for played in ordered if played.status == "expected failure"]
    bad = [played for played in ordered if not played.good]
    return Group(
        *_named("Expected failures", [(*_row(played), Text(played.reason, "dim")) for played in expected]),
        *_named("Not as they should be", [(*_row(played), Text(_why(played), "red")) for played in bad]),
        _figures(results),
    )


def _named(title: str, rows: Sequence[tuple[Text, ...]]) -> list[RenderableType]:
    if not rows:
        return []
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    # Of a narrow terminal the reason gets what is left: where it stands has to stay whole for editors.
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return [Text(f"{title} ({len(rows)})", "bold"), grid, Text()]


def _figures(results: Sequence[Played]) -> RenderableType:
    found = totals(results)
    counts = ", ".join(f"{count} {status}" for status in reversed(WORST_FIRST) if (count := found.counts[status]))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column()
    grid.add_row("scenarios", Text(counts or "none", "bold red" if found.bad else "bold green"))
    grid.add_row("turns", grouped(found.turns))
    if (answers := found.latency) is not None:
        grid.add_row(
            "first sound",
            f"p50 {answers.p50:.0f} ms, p95 {answers.p95:.0f} ms after the last word ({answers.count} answers)",
        )
    grid.add_row(
        "simulated",
        f"{found.simulated / 3600:.2f} h in {duration(found.seconds)} of computing, {grouped(found.speed)} × real time",
    )
    grid.add_row("flash", f"{size(found.written)} written")
    return grid


def _row(played: Played) -> tuple[Text, Text, Text]:
    style = STATUS_STYLES[played.status]
    return Text(_SIGNS[played.status], style), Text(_where(played), "dim"), Text(played.name)


def _where(played: Played) -> str:
    line = played.failures[0].line if played.failures and not played.good else played.line
    return f"{shown_path(played.file)}:{line}"


def _why(played: Played) -> str:
    """In a few words what is wrong."""
    keys = [miss.key for failure in played.failures for miss in failure.misses]
    if played.status == "failed":
        return f"step {played.failures[0].step}: {', '.join(keys)}" if played.failures else ""
    return played.reason.strip().rpartition("\n")[2] if played.status == "broken" else f"passed: {played.reason}"


def _effort(played: Played) -> str:
    return f"{played.turns} turns, {duration(played.simulated)} in {duration(played.seconds)}"
