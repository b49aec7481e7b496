"""Misses against false accepts an hour as a picture: the detection error trade-off of a wake word.

Martin et al. 1997, "The DET curve in assessment of detection task performance".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from device.errors import BadInput, StorageError

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000")
"""Colours of Okabe and Ito (2008), "Color universal design": told apart by colour-blind eyes, too."""

_INK, _PAPER, _GRID = "#22303c", "#fbfaf7", "#dfe3e6"


def write(result: Mapping[str, Any], path: Path) -> None:
    """Draw the result of `homebody evaluate wake --speech` into a file.

    Args:
        result: What `--json` prints.
        path: `.svg` or `.png`.

    Raises:
        BadInput: Another ending.
        StorageError: The file can't be written.
    """
    if path.suffix not in (".svg", ".png"):
        raise BadInput(f"{path.name}: pictures are .svg or .png.", remedy="Choose one of these endings.")
    try:
        metadata = {"Date": None} if path.suffix == ".svg" else None
        draw(result).savefig(path, dpi=160, facecolor=_PAPER, metadata=metadata)
    except OSError as error:
        raise StorageError(f"{path} can't be written ({error.strerror}).", remedy="Name another place.") from error


def draw(result: Mapping[str, Any]) -> Figure:
    """A line for each noise level, a point for each threshold."""
    figure = Figure(figsize=(8, 5.2), layout="constrained", facecolor=_PAPER)
    axes = figure.add_subplot()
    talk: Sequence[Mapping[str, Any]] = result["false_accepts"]
    accepts = [row["per_hour"] for row in talk]
    for level, colour in zip(result["detection"], _COLOURS * len(result["detection"]), strict=False):
        misses = [1 - row["rate"] for row in level["rows"]]
        name = "clean" if level["snr"] is None else f"{level['noise']}, {level['snr']:g} dB"
        axes.plot(accepts, misses, color=colour, marker="o", markersize=4, linewidth=2, label=name)
    for row, at in zip(talk, accepts, strict=True):
        axes.annotate(
            f"{row['threshold']:g}", (at, 0), (0, 4), textcoords="offset points", ha="center", fontsize=7.5, color=_INK
        )
    axes.set_xlabel(f"false accepts an hour, in {talk[0]['hours']:.1f} h of talk", color=_INK, fontsize=9)
    axes.set_ylabel("wake words that were missed", color=_INK, fontsize=9)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=min(0.0, *accepts) - 0.02)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_facecolor(_PAPER)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=9)
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, fontsize=9, labelcolor=_INK)
    checked = "with" if result["check"] else "without"
    title = f"“{result['word']}”, {checked} the second look, by threshold"
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", color=_INK)
    return figure
