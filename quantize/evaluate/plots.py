"""Pictures of a report, as SVG text for a web page: text stays text, so that they are small and follow its font."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quantize.evaluate.measures import reliability
from quantize.evaluate.outcomes import Outcome

INK: Final = "#1f2937"
FAINT: Final = "#d1d5db"
GOOD: Final = "#0f766e"
BAD: Final = "#c2410c"
WIDTH: Final = 9.8
"""Inches."""
HALF: Final = 4.7
"""Of a picture beside another."""

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "homebody",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
}


def confusion_matrix(intents: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Rows: true intents; columns: answers; shade: share of the row."""
    counts = np.array(matrix)[:-1]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap="BuGn", vmin=0, vmax=1.15, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            if count:
                shade = "white" if shares[row, column] > 0.6 else (INK if row == column else BAD)
                axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize=8)
        axes.set_xticks(range(len(intents)), intents, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(intents) - 1), intents[:-1])
        axes.set_xlabel("answer")
        axes.set_ylabel("true intent")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    return _svg(draw, (WIDTH, 1.5 + 0.34 * len(counts)))


def reliability_diagram(outcomes: Sequence[Outcome]) -> str:
    """Accuracy against confidence, before and after the temperature."""
    inside = [o for o in outcomes if o.inside]
    right = np.array([o.named for o in inside])

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
        for values, color, label in (
            ([o.raw_confidence for o in inside], BAD, "temperature 1"),
            ([o.confidence for o in inside], GOOD, "calibrated"),
        ):
            bins = reliability(np.array(values), right)
            sizes = [12 + 120 * b.size / len(inside) for b in bins]
            axes.plot([b.confidence for b in bins], [b.accuracy for b in bins], color=color, linewidth=1, alpha=0.6)
            axes.scatter(
                [b.confidence for b in bins], [b.accuracy for b in bins], s=sizes, color=color, label=label, zorder=3
            )
        axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03))
        axes.legend(frameon=False, loc="upper left")

    return _svg(draw, (HALF, 3.8))


def interval_rows(rows: Sequence[dict[str, Any]], width: float = WIDTH) -> str:
    """Accuracy of each row with its interval, and the number of sentences."""
    filled = [row for row in rows if row["n"]][::-1]
    low = min(row["interval"][0] for row in filled)

    def draw(axes: Axes) -> None:
        for at, row in enumerate(filled):
            axes.plot(row["interval"], [at, at], color=GOOD, linewidth=2, alpha=0.45, solid_capstyle="round")
            axes.plot(row["accuracy"], at, "o", color=GOOD, markersize=5)
        axes.set_yticks(range(len(filled)), [f"{row['name'].replace('_', ' ')}  (n = {row['n']})" for row in filled])
        axes.set_xlim(max(0, np.floor(low / 5) * 5 - 1), 100.5)
        axes.set_ylim(-0.6, len(filled) - 0.4)
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("right, %")

    return _svg(draw, (width, 0.7 + 0.26 * len(filled)))


def scope_curves(outcomes: Sequence[Outcome]) -> str:
    """Scores of in-scope and out-of-scope sentences, and what can be had for what (ROC)."""
    from sklearn.metrics import roc_curve

    scored = [o for o in outcomes if o.expected is not None]
    inside = np.array([o.inside for o in scored])
    scope = np.array([o.scope for o in scored])
    passed = [o.scope for o in scored if o.accepted]
    rejected = [o.scope for o in scored if not o.accepted]
    threshold = (min(passed) + max(rejected)) / 2 if passed and rejected else None

    def draw(axes: Axes) -> None:
        edges = np.linspace(0, 1, 41).tolist()
        weights = [np.full(group.sum(), 100 / group.sum()).tolist() for group in (~inside, inside)]
        axes.hist(scope[~inside], edges, weights=weights[0], color=BAD, alpha=0.6, label="out of scope")
        axes.hist(scope[inside], edges, weights=weights[1], color=GOOD, alpha=0.6, label="in scope")
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1, linestyle=":")
            axes.annotate("threshold", (threshold, 0.6), xycoords=("data", "axes fraction"), rotation=90, ha="right")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
        axes.set(xlabel="P(in scope)", ylabel="sentences, % of their kind")
        axes.legend(frameon=False, loc="upper center")

    def roc(axes: Axes) -> None:
        accepted_oos, accepted, _ = roc_curve(inside, scope)
        axes.plot(100 * (1 - accepted), 100 * (1 - accepted_oos), color=GOOD, linewidth=1.6)
        axes.axvline(5, color=INK, linewidth=1, linestyle=":")
        axes.annotate("5 % rejected", (5.4, 12), rotation=90)
        axes.set(xlabel="in scope rejected, %", ylabel="out of scope rejected, %", xlim=(0, 30), ylim=(0, 101))

    return _svg(draw, (WIDTH / 2, 3.6)) + _svg(roc, (WIDTH / 2, 3.6))


def slot_bars(rows: Sequence[dict[str, Any]], count: int = 25) -> str:
    """F1 of each slot type, commonest first."""
    shown = [row for row in rows if row["n"]][:count][::-1]

    def draw(axes: Axes) -> None:
        axes.barh(range(len(shown)), [row["f1"] for row in shown], color=GOOD, alpha=0.75, height=0.68)
        for at, row in enumerate(shown):
            axes.text(row["f1"] + 0.8, at, f"{row['f1']:.1f}", va="center", fontsize=8)
        axes.set_yticks(range(len(shown)), [f"{row['type']}  (n = {row['n']})" for row in shown])
        axes.set_xlim(0, 108)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("strict F1, %")

    return _svg(draw, (WIDTH, 0.7 + 0.24 * len(shown)))


def _svg(draw: Callable[[Axes], None], size: tuple[float, float]) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(size, layout="constrained")
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()[out.getvalue().index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
