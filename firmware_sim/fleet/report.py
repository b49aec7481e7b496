"""What a fleet came to: a page in the terminal, and the same figures for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firmware_sim.board.profile import load_profile
from firmware_sim.fleet.life import Life, Wrong
from firmware_sim.fleet.run import FleetResult

COMMONEST: Final = 15
"""Failures that are shown."""


@dataclass(frozen=True, slots=True)
class Totals:
    """All lives of a fleet together.

    Attributes:
        turns: Kind of talk to how many turns.
        wrong: Kind of talk to how many of them failed.
        excused: Turns that failed honestly while something was broken.
        failures: Those that failed, with what happened the first time, and how often the same words did; the commonest
            first.
        mishaps: Kind of mishap to how often it happened, and how often nothing was lost by it.
        latencies_ms: Board to the latencies of its turns.
        wear: Board to what its flash took on each day, in bytes.
    """

    turns: Counter[str]
    wrong: Counter[str]
    excused: int
    failures: tuple[tuple[Wrong, int], ...]
    mishaps: Mapping[str, tuple[int, int]]
    latencies_ms: Mapping[str, Sequence[float]]
    wear: Mapping[str, Sequence[int]]

    @property
    def success(self) -> float:
        """Share of turns after which all was as it must be; those that were excused don't count."""
        counted = self.turns.total() - self.excused
        return 1 - self.wrong.total() / counted if counted else 0.0


def totals(lives: Sequence[Life]) -> Totals:
    """Add lives up."""
    wrong = [wrong for life in lives for wrong in life.wrong]
    alike: dict[tuple[str, str], list[Wrong]] = {}
    for one in wrong:
        alike.setdefault((one.kind, one.text), []).append(one)
    mishaps, survived = _sum(life.mishaps for life in lives), _sum(life.survived for life in lives)
    boards = sorted({life.board for life in lives})
    return Totals(
        _sum(life.turns for life in lives),
        Counter(one.kind for one in wrong),
        sum(life.excused for life in lives),
        tuple(sorted(((ones[0], len(ones)) for ones in alike.values()), key=lambda pair: (-pair[1], pair[0].text))),
        {kind: (count, survived[kind]) for kind, count in sorted(mishaps.items())},
        {board: [ms for life in lives if life.board == board for ms in life.latencies_ms] for board in boards},
        {board: [size for life in lives if life.board == board for size in life.wear] for board in boards},
    )


def show(result: FleetResult) -> RenderableType:
    """A page for people."""
    whole = totals(result.lives)
    lost = [loss for life in result.lives for loss in (*life.lost, *life.losses)]
    return Group(
        _headline(result, whole),
        _kinds(whole),
        _failures(whole),
        _rings(result),
        _boards(whole),
        _mishaps(whole),
        Text("\n".join(f"lost: {loss}" for loss in lost[:COMMONEST]), style="red"),
    )


def to_json(result: FleetResult) -> str:
    """The figures for programs, as text."""
    return json.dumps(_figures(result), indent=1, ensure_ascii=False)


def _figures(result: FleetResult) -> dict[str, Any]:
    whole, lives = totals(result.lives), result.lives
    return {
        "seed": result.seed,
        "households": len(lives),
        "days": result.days,
        "seconds": round(result.seconds, 1),
        "simulated_days_per_second": round(_speed(result), 1),
        "turns": whole.turns.total(),
        "success": round(whole.success, 5),
        "excused": whole.excused,
        "kinds": {
            kind: {"turns": count, "success": round(1 - whole.wrong[kind] / count, 5)}
            for kind, count in sorted(whole.turns.items())
        },
        "failures": [
            {"kind": one.kind, "text": one.text, "happened": one.happened, "count": count}
            for one, count in whole.failures
        ],
        "rings": {
            "rung": dict(sorted(_sum(life.rung for life in lives).items())),
            "told_after_power_loss": sum(life.told_late for life in lives),
            "lost": [loss for life in lives for loss in life.lost],
            "unexpected": [ring for life in lives for ring in life.unexpected],
            "latest_s": max(life.latest for life in lives),
            "latest_after_clock_set_or_full_s": max(life.latest_excused for life in lives),
        },
        "latency_ms": {
            board: dict(zip(("p50", "p95", "p99", "max"), _percentiles(row), strict=True))
            for board, row in whole.latencies_ms.items()
        },
        "wear_mb_a_day": {
            board: {
                **dict(zip(("p50", "p95", "p99", "max"), (round(b / 1e6, 4) for b in _percentiles(row)), strict=True)),
                "budget": load_profile(board).flash.writes_mb_a_day,
            }
            for board, row in whole.wear.items()
        },
        "mishaps": {kind: {"count": count, "survived": ok} for kind, (count, ok) in whole.mishaps.items()},
        "losses": [loss for life in lives for loss in life.losses],
        "boots": sum(life.boots for life in lives),
        "problems": dict(sorted(_sum(life.problems for life in lives).items())),
        "drift_s": max(abs(life.drift) for life in lives),
    }


def _headline(result: FleetResult, whole: Totals) -> Text:
    return Text.assemble(
        (f"{whole.success:.2%} ", "bold green" if whole.success > 0.95 else "bold yellow"),
        (f"of {whole.turns.total():,} turns ended as they must", "bold"),
        f"\n{len(result.lives):,} households, {result.days} days each, seed {result.seed}; "
        f"{sum(life.boots for life in result.lives):,} boots; {whole.excused:,} turns refused honestly while something "
        f"was broken\n{result.seconds:.1f} s, {_speed(result):,.0f} simulated days a second\n",
    )


def _kinds(whole: Totals) -> Table:
    table = Table("what it is about", "turns", "success", title="Turns", title_justify="left")
    for kind, count in sorted(whole.turns.items(), key=lambda pair: whole.wrong[pair[0]] / pair[1], reverse=True):
        table.add_row(kind, f"{count:,}", f"{1 - whole.wrong[kind] / count:.2%}")
    return table


def _failures(whole: Totals) -> Table:
    table = Table("times", "said", "what happened", title="Commonest failures", title_justify="left")
    for one, count in whole.failures[:COMMONEST]:
        table.add_row(str(count), one.text, one.happened)
    return table


def _rings(result: FleetResult) -> Table:
    lives = result.lives
    table = Table("alarms, timers, reminders", "", title="Rings", title_justify="left", show_header=False)
    rung = _sum(life.rung for life in lives)
    table.add_row("rung", ", ".join(f"{count:,} {kind}s" for kind, count in sorted(rung.items())))
    table.add_row("of these told of after a power cut", f"{sum(life.told_late for life in lives):,}")
    table.add_row("never rung", f"{sum(len(life.lost) for life in lives):,}")
    table.add_row("rung without being due", f"{sum(len(life.unexpected) for life in lives):,}")
    table.add_row("the latest", f"{max(life.latest for life in lives):.3f} s")
    late = max(life.latest_excused for life in lives)
    table.add_row("the latest after the clock was set or the disk full", f"{late:.1f} s")
    table.add_row("clock wrong at the end, besides being set", f"{max(abs(life.drift) for life in lives):.3f} s")
    return table


def _boards(whole: Totals) -> Table:
    titles = ("board", "turns", "p50", "p95", "p99", "p50", "p99", "max", "budget")
    table = Table(*titles, title="Boards: milliseconds a turn, megabytes a day to the flash", title_justify="left")
    table.columns[0].no_wrap = True
    for board, row in whole.latencies_ms.items():
        p50, p95, p99, _ = _percentiles(row)
        wear = [size / 1e6 for size in _percentiles(whole.wear[board])]
        table.add_row(
            board, f"{len(row):,}", f"{p50:.2f}", f"{p95:.2f}", f"{p99:.2f}",
            f"{wear[0]:.2f}", f"{wear[2]:.2f}", f"{wear[3]:.2f}", f"{load_profile(board).flash.writes_mb_a_day:g}",
        )  # fmt: skip
    return table


def _mishaps(whole: Totals) -> Table:
    table = Table("what went wrong", "times", "nothing lost", title="Faults", title_justify="left")
    for kind, (count, survived) in whole.mishaps.items():
        table.add_row(kind, f"{count:,}", Text(f"{survived:,}", style="" if survived >= count else "bold red"))
    return table


def _speed(result: FleetResult) -> float:
    return len(result.lives) * result.days / result.seconds if result.seconds else 0.0


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for counter in counters:
        whole.update(counter)
    return whole


def _percentiles(row: Sequence[float]) -> list[float]:
    """Median, 95th, 99th percentile and maximum, as they were measured."""
    return [float(value) for value in np.percentile(row, (50, 95, 99, 100), method="higher")]
