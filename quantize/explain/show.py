"""Explanations for a terminal, readable without colour too: every weight has a bar or a sign."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from quantize.explain.explanation import Explanation, WordEffect, scope_margin

_BAR: Final = 18
_STRONG: Final = 0.5
"""Share of the largest effect from which a word is shown in bold."""
_FAINT: Final = 0.12


def show_explanation(console: Console, found: Explanation) -> None:
    """Print an explanation."""
    scope = not found.accepted
    effects = [-word.scope if scope else word.intent for word in found.words]
    console.print()
    console.print(Text("  ").append_text(coloured([word.word for word in found.words], effects)))
    console.print()
    for line in decision_lines(found):
        console.print(line)
    towards = "out of scope" if scope else f"{found.intent}, away from {found.runner_up}"
    _print(console, f"Words that moved it towards {towards}", _words(found.words, effects))
    for phrase in found.phrases:
        text = f"  “{phrase.text}” is a phrase: {phrase.together:+.1f} together, {phrase.beyond:+.1f} beyond its words"
        console.print(Text(text, "dim"))
    if found.slots:
        _print(console, "Slots, and the words that made them", _slots(found))
    _print(console, "In scope or not, against a usual sentence in scope", _scope(found))
    _print(console, "Nearest training sentences", _neighbours(found))
    if found.doubt:
        console.print(Padding(Text(f"! {found.doubt}", "yellow"), (1, 0, 0, 2)))
    console.print()


def coloured(words: Sequence[str], effects: Sequence[float]) -> Text:
    """The sentence; words that spoke for the decision in green, against it in red, the strongest in bold."""
    largest = max((abs(effect) for effect in effects), default=0.0) or 1.0
    text = Text()
    for word, effect in zip(words, effects, strict=True):
        share = effect / largest
        style = "dim" if abs(share) < _FAINT else "green" if share > 0 else "red"
        text.append(word, f"bold {style}" if abs(share) >= _STRONG else style).append(" ")
    return text


def decision_lines(found: Explanation) -> list[Text]:
    """What was decided, and by how much."""
    lines = []
    if found.accepted:
        lines.append(Text.assemble("  → ", (found.intent, "bold"), f"  {found.probability:.0%}"))
    else:
        lines.append(
            Text.assemble(
                "  → ", ("out of scope", "bold"), f"  it would have been {found.intent} {found.probability:.0%}"
            )
        )
    lines.append(
        Text(
            f"    runner-up {found.runner_up} {found.runner_up_probability:.0%}, behind by {found.margin:.1f} log odds "
            f"({_times(found.margin)} : 1)",
            "dim",
        )
    )
    relation = "reaches" if found.accepted else "misses"
    lines.append(
        Text(
            f"    in scope {found.scope:.2f}, {relation} the threshold {found.threshold:.2f} "
            f"({scope_margin(found):+.1f} log odds)",
            "dim",
        )
    )
    if found.grammar:
        exact = ", ".join(found.grammar)
        lines.append(Text(f"    The packs say it word for word ({exact}): the model is not asked.", "cyan"))
    return lines


def bar(value: float, largest: float, width: int = _BAR) -> str:
    """A bar of blocks, at least one for what is not nothing."""
    length = round(width * abs(value) / largest) if largest else 0
    return ("█" if value > 0 else "░") * max(length, 1 if abs(value) >= 0.05 else 0)


def _words(words: Sequence[WordEffect], effects: Sequence[float]) -> Table:
    table = _table()
    largest = max((abs(effect) for effect in effects), default=0.0)
    for word, effect in zip(words, effects, strict=True):
        table.add_row(word.word, f"{effect:+.1f}", Text(bar(effect, largest), "green" if effect > 0 else "red"))
    return table


def _slots(found: Explanation) -> Table:
    table = _table()
    for slot in found.slots:
        ranked = sorted(range(len(found.words)), key=lambda at: -slot.words[at])
        because = ", ".join(f"{found.words[at].word} {slot.words[at]:+.1f}" for at in ranked[:3] if slot.words[at] > 0)
        table.add_row(f"{slot.type} “{slot.text}”", f"{slot.probability:.0%}", Text(because, "dim"))
    return table


def _scope(found: Explanation) -> Table:
    table = _table()
    largest = max(abs(feature.adds) for feature in found.scope_features)
    for feature in found.scope_features:
        row = f"{feature.name} {feature.value:.1f}, usually {feature.usual:.1f}"
        style = "green" if feature.adds > 0 else "red"
        table.add_row(row, f"{feature.adds:+.1f}", Text(bar(feature.adds, largest), style))
    return table


def _neighbours(found: Explanation) -> Table:
    table = _table()
    for near in found.neighbours:
        other = near.intent != found.decided
        intent = Text(f"{near.intent} ≠" if other else near.intent, "yellow" if other else "dim")
        table.add_row(near.text, f"{near.similarity:.2f}", intent)
    return table


def _print(console: Console, title: str, table: Table) -> None:
    console.print()
    console.print(Text(f"  {title}", "bold"))
    console.print(Padding(table, (0, 0, 0, 4)))


def _table() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", min_width=14)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _times(margin: float) -> str:
    """Odds in plain numbers."""
    odds = math.exp(margin)
    return f"{odds:.1f}" if odds < 10 else f"{odds:,.0f}"
