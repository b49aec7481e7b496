"""Acceptance against noise as a picture, beside what others' engines were published with.

Published figures: https://github.com/Picovoice/speech-to-intent-benchmark, `benchmark/plot.py`: commands to a coffee
machine in the noise of a kitchen and of a café, measured by Rhino's makers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from device.errors import BadInput, StorageError

LEVELS: Final = (6, 9, 12, 15, 18, 21, 24)
"""dB of the published figures."""

PUBLISHED: Final[Mapping[str, Mapping[str, tuple[float, ...]]]] = {
    "kitchen": {
        "Picovoice Rhino": (0.96, 0.97, 0.98, 0.98, 0.99, 0.99, 0.99),
        "IBM Watson": (0.69, 0.82, 0.91, 0.93, 0.94, 0.96, 0.96),
        "Microsoft LUIS": (0.86, 0.90, 0.92, 0.91, 0.94, 0.93, 0.94),
        "Amazon Lex": (0.79, 0.83, 0.85, 0.86, 0.87, 0.87, 0.87),
        "Google Dialogflow": (0.69, 0.73, 0.77, 0.80, 0.81, 0.81, 0.83),
    },
    "cafe": {
        "Picovoice Rhino": (0.90, 0.94, 0.97, 0.97, 0.97, 0.98, 0.98),
        "IBM Watson": (0.51, 0.76, 0.85, 0.93, 0.95, 0.96, 0.97),
        "Microsoft LUIS": (0.84, 0.88, 0.91, 0.91, 0.93, 0.91, 0.93),
        "Amazon Lex": (0.70, 0.80, 0.85, 0.86, 0.87, 0.87, 0.87),
        "Google Dialogflow": (0.63, 0.70, 0.75, 0.78, 0.79, 0.80, 0.81),
    },
}
"""Noise to engine to command acceptance at `LEVELS`."""

_OTHERS: Final = {
    "Picovoice Rhino": "#0072b2",
    "IBM Watson": "#6b7280",
    "Microsoft LUIS": "#9c755f",
    "Amazon Lex": "#cc79a7",
    "Google Dialogflow": "#009e73",
}
_OURS: Final = ("#d55e00", "#e69f00", "#000000")
"""Colours of Okabe and Ito (2008), "Color universal design": told apart by colour-blind eyes, too."""

_INK, _PAPER, _GRID = "#22303c", "#fbfaf7", "#dfe3e6"
_APART: Final = 0.021
"""Least distance of two labels, as a share of acceptance."""


def write(rows: Sequence[Mapping[str, Any]], path: Path, noise: str = "kitchen") -> None:
    """Draw rows of `speech_scores.summary`, each with `engine` and `snr`, into a file.

    Args:
        rows: Noise levels of one or more engines; those without noise are drawn at the right.
        path: `.svg` or `.png`.
        noise: Whose published figures stand beside them: those of "cafe" if that is part of the name, else of the
            kitchen.

    Raises:
        BadInput: Another ending.
        StorageError: The file can't be written.
    """
    if path.suffix not in (".svg", ".png"):
        raise BadInput(f"{path.name}: pictures are .svg or .png.", remedy="Choose one of these endings.")
    place = "cafe" if "cafe" in noise.lower() else "kitchen"
    try:
        metadata = {"Date": None} if path.suffix == ".svg" else None
        draw(rows, place).savefig(path, dpi=160, facecolor=_PAPER, metadata=metadata)
    except OSError as error:
        raise StorageError(f"{path} can't be written ({error.strerror}).", remedy="Name another place.") from error


def draw(rows: Sequence[Mapping[str, Any]], place: str) -> Figure:
    """Our lines with their intervals, and the published ones behind them; every line carries its name."""
    figure = Figure(figsize=(9, 5.6), layout="constrained", facecolor=_PAPER)
    axes = figure.add_subplot()
    clean = max(LEVELS) + 2
    names: list[tuple[float, str, str]] = []
    for name, line in PUBLISHED[place].items():
        axes.plot(LEVELS, line, color=_OTHERS[name], linewidth=1.6, marker="o", markersize=3.5)
        names.append((line[-1], name, _OTHERS[name]))
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    for engine, colour in zip(engines, _OURS * len(engines), strict=False):
        placed = [(clean if row["snr"] is None else row["snr"], row) for row in rows if row["engine"] == engine]
        ours = sorted(placed, key=lambda place: place[0])
        noisy = [(at, row) for at, row in ours if row["snr"] is not None]
        if noisy:
            places, drawn = zip(*noisy, strict=True)
            low, high = zip(*(row["interval"] for row in drawn), strict=True)
            axes.fill_between(places, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(
                places, [row["acceptance"] for row in drawn], color=colour, linewidth=2.6, marker="o", markersize=5
            )
        for at, row in ours:
            if row["snr"] is None:
                low_high = [[row["acceptance"] - row["interval"][0]], [row["interval"][1] - row["acceptance"]]]
                axes.errorbar(
                    [at], [row["acceptance"]], yerr=low_high, color=colour, marker="o", markersize=5, capsize=3
                )
        name = f"Homebody, {engine}" if len(engines) > 1 else "Homebody"
        names.append((ours[-1][1]["acceptance"], name, colour))
    _label(axes, names, clean + 0.5)
    worst = min([min(row["acceptance"] for row in rows), *map(min, PUBLISHED[place].values())])
    axes.set_ylim(max(0.0, worst - 0.06), 1.015)
    axes.set_xlim(min(LEVELS) - 0.7, clean + 5.5)
    axes.set_xticks([*LEVELS, clean], [*map(str, LEVELS), "clean"])
    axes.set_xlabel(f"speech above {'café' if place == 'cafe' else 'kitchen'} noise, dB", color=_INK, fontsize=9)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_facecolor(_PAPER)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=9)
    axes.spines[:].set_visible(False)
    axes.set_title("Spoken commands understood wholly right", loc="left", fontsize=13, fontweight="bold", color=_INK)
    note = "Others: as published by Picovoice, on all recordings of its benchmark. Band: 95 %."
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7.5, color=_INK)
    return figure


def _label(axes: Axes, names: Sequence[tuple[float, str, str]], at: float) -> None:
    """Names at the right, moved apart where lines end close to each other."""
    top = 1.01
    for height, name, colour in sorted(names, reverse=True):
        top = min(height, top)
        ours = name.startswith("Homebody")
        axes.text(
            at, top, name, color=colour, va="center", fontsize=9.5 if ours else 8.5, weight="bold" if ours else None
        )
        top -= _APART
