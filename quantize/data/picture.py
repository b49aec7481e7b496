"""A data report as a picture or a page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
from jinja2 import Environment
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from device.errors import BadInput, StorageError
from quantize.data.report import Report

COLOURS: Final = ("#2f6690", "#e07a5f", "#81b29a", "#f2cc8f", "#6d597a", "#9aa5b1", "#b56576", "#355070")
_INK: Final = "#22303c"
_PAPER: Final = "#fbfaf7"
_DWARFED: Final = 4
"""A class so many times as large as the second one has its bar cut off, so that the others can be read."""
_MOST: Final = 80
"""Most classes with a bar of their own; of more, the largest and the smallest halves are drawn."""


def write(report: Report, path: Path) -> None:
    """Write `.html` (a page with tables and the picture), `.png` or `.svg`.

    Raises:
        BadInput: Another ending.
        StorageError: The file can't be written.
    """
    try:
        if path.suffix == ".html":
            path.write_text(page(report), encoding="utf-8")
        elif path.suffix in (".png", ".svg"):
            draw(report).savefig(path, dpi=150, facecolor=_PAPER)
        else:
            raise BadInput(f"{path.name}: reports are .html, .png or .svg.", remedy="Choose one of these endings.")
    except OSError as error:
        raise StorageError(f"{path} can't be written ({error.strerror}).", remedy="Name another place.") from error


def page(report: Report) -> str:
    """A page that stands alone: tables, and the picture as SVG."""
    buffer = io.StringIO()
    draw(report).savefig(buffer, format="svg", facecolor=_PAPER, metadata={"Date": None})
    svg = buffer.getvalue()
    return Environment(autoescape=True).from_string(_PAGE).render(report=report, svg=svg[svg.index("<svg") :])


def draw(report: Report) -> Figure:
    """Sentences an intent, sentences a length, slot types, and what the parts share."""
    first = next(iter(report.parts.values()))
    bars = min(len(first.intents), _MOST)
    figure = Figure(figsize=(13, max(8.5, 1.6 + 0.165 * bars)), layout="constrained", facecolor=_PAPER)
    figure.suptitle(report.name, fontsize=15, fontweight="bold", color=_INK, x=0.01, ha="left")
    panels = {_lengths: 1.0}
    if first.slots:
        panels[_slots] = 1.6
    if len(report.parts) > 1:
        panels[_shared] = 0.9
    grid = figure.add_gridspec(len(panels), 2, width_ratios=(1.15, 1), height_ratios=list(panels.values()))
    _intents(figure.add_subplot(grid[:, 0]), report)
    for row, panel in enumerate(panels):
        panel(figure.add_subplot(grid[row, 1]), report)
    handles = [Patch(color=colour, label=part) for colour, part in zip(COLOURS, report.parts, strict=False)]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False, fontsize=10)
    return figure


def _intents(axes: Axes, report: Report) -> None:
    names = list(dict.fromkeys(name for part in report.parts.values() for name in part.intents))
    names.sort(key=lambda name: -sum(part.intents.get(name, 0) for part in report.parts.values()))
    title = f"Sentences an intent ({len(names)} intents)"
    if len(names) > _MOST:
        names = [*names[: _MOST // 2], *names[-_MOST // 2 :]]
        title += f"\nthe {_MOST // 2} largest and the {_MOST // 2} smallest"
        axes.axhline(_MOST // 2 - 0.5, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ends = np.cumsum([[part.intents.get(name, 0) for name in names] for part in report.parts.values()], axis=0)
    largest, second = sorted([*ends[-1], 1, 1], reverse=True)[:2]
    edge = second * 1.3 if largest > _DWARFED * second else largest
    start = np.zeros(len(names))
    for colour, end in zip(COLOURS, np.minimum(ends, edge), strict=False):
        axes.barh(range(len(names)), end - start, left=start, height=0.78, color=colour)
        start = end
    for row, size in enumerate(ends[-1]):
        beyond = " →" if size > edge else ""
        axes.text(min(size, edge) + edge * 0.008, row, f"{size:,.0f}{beyond}", va="center", fontsize=6.5, color=_INK)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(max(len(names), 9) - 0.4, -0.6)
    axes.set_xlim(0, edge * 1.09)
    _plain(axes, title)


def _lengths(axes: Axes, report: Report) -> None:
    shown = min(30, max(figures.longest for figures in report.parts.values()))
    for colour, figures in zip(COLOURS, report.parts.values(), strict=False):
        shares = [100 * figures.lengths.get(length, 0) / figures.sentences for length in range(1, shown)]
        shares.append(100 * sum(n for length, n in figures.lengths.items() if length >= shown) / figures.sentences)
        axes.step(range(1, shown + 1), shares, where="mid", color=colour, linewidth=1.8)
    axes.set_xlim(0.5, shown + 0.5)
    axes.set_ylim(0, None)
    axes.set_xlabel("words" if shown < 30 else "words (30: and more)", fontsize=8, color=_INK)
    _plain(axes, "Percent of the sentences by length")
    axes.tick_params(axis="y", labelsize=8)


def _slots(axes: Axes, report: Report) -> None:
    names = list(next(iter(report.parts.values())).slots)[:20]
    start = np.zeros(len(names))
    for colour, figures in zip(COLOURS, report.parts.values(), strict=False):
        sizes = np.array([figures.slots.get(name, 0) for name in names])
        axes.barh(range(len(names)), sizes, left=start, height=0.75, color=colour)
        start += sizes
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    total = len({name for figures in report.parts.values() for name in figures.slots})
    _plain(axes, f"Slots ({total} types" + (f", the {len(names)} most frequent)" if total > len(names) else ")"))


def _shared(axes: Axes, report: Report) -> None:
    names = list(report.parts)
    table = np.full((len(names) - 1, len(names) - 1), np.nan)
    for shared in report.shared:
        row, column = names.index(shared.train), names.index(shared.test) - 1
        table[row, column] = shared.percent
        text = f"{shared.percent:.1f} %\n{shared.exact:,} same\n{shared.near:,} nearly"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=_INK)
    axes.imshow(table, cmap="OrRd", vmin=0, vmax=max(20.0, np.nanmax(table)), aspect="auto", alpha=0.75)
    axes.set_xticks(range(len(names) - 1), [f"of {name}" for name in names[1:]], fontsize=8)
    axes.set_yticks(range(len(names) - 1), [f"in {name}" for name in names[:-1]], fontsize=8)
    _plain(axes, "Sentences that also stand in an earlier part")
    axes.spines[:].set_visible(False)


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10, fontweight="bold", color=_INK, loc="left")
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b8c0c8")
    axes.tick_params(length=0, colors=_INK)
    axes.tick_params(axis="x", labelsize=8)
    if axes.get_xlim()[1] >= 1000:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ report.name }}: data report</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: #fbfaf7; color: #22303c;
       font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid #e3e0d8; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
.scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }
details { margin: .6rem 0; } summary { cursor: pointer; } .note { color: #5b6a77; max-width: 46rem; }
</style></head><body>
<h1>{{ report.name }}</h1>
<div class="scroll"><table>
<tr><th>part</th><th>sentences</th><th>different</th><th>two intents</th><th>words a sentence</th><th>longest</th>
<th>vocabulary</th><th>unknown words</th><th>intents</th><th>slot types</th></tr>
{% for name, part in report.parts.items() %}<tr><td>{{ name }}</td><td>{{ "{:,}".format(part.sentences) }}</td>
<td>{{ "{:,}".format(part.distinct) }}</td><td>{{ part.two_labels }}</td><td>{{ "%.1f"|format(part.words) }}</td>
<td>{{ part.longest }}</td><td>{{ "{:,}".format(part.vocabulary) }}</td>
<td>{{ "–" if part.unknown_words is none else "%.1f %%"|format(part.unknown_words) }}</td>
<td>{{ part.intents|length }}</td><td>{{ part.slots|length }}</td></tr>
{% endfor %}</table></div>
<h2>Balance of the intents</h2>
<table><tr><th>part</th><th>largest / smallest</th><th>entropy</th><th>effective classes</th><th>Gini</th></tr>
{% for name, part in report.parts.items() %}<tr><td>{{ name }}</td><td>{{ "%.1f"|format(part.imbalance.ratio) }}</td>
<td>{{ "%.3f"|format(part.imbalance.entropy) }}</td><td>{{ "%.1f"|format(part.imbalance.effective) }} of
{{ part.intents|length }}</td><td>{{ "%.2f"|format(part.imbalance.gini) }}</td></tr>
{% endfor %}</table>
<p class="note">Entropy 1 and Gini 0 are perfectly even. Effective classes: so many equally large ones have the same
entropy.</p>
{% if report.shared %}<h2>Sentences in two parts</h2>
<table><tr><th>of</th><th>in</th><th>the same</th><th>nearly the same</th><th>share</th></tr>
{% for row in report.shared %}<tr><td>{{ row.test }}</td><td>{{ row.train }}</td><td>{{ row.exact }}</td>
<td>{{ row.near }}</td><td>{{ "%.1f %%"|format(row.percent) }}</td></tr>
{% endfor %}</table>{% endif %}
<h2>Picture</h2>{{ svg|safe }}
<h2>All figures</h2>
{% for name, part in report.parts.items() %}{% for title, counts in (("sources", part.sources), ("acts", part.acts),
("intents", part.intents), ("slot types", part.slots)) %}{% if counts %}<details><summary>{{ name }}: {{ title }}
({{ counts|length }})</summary><table>{% for label, count in counts.items() %}<tr><td>{{ label }}</td>
<td>{{ "{:,}".format(count) }}</td></tr>{% endfor %}</table></details>
{% endif %}{% endfor %}{% endfor %}</body></html>
"""
