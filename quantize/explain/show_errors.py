"""The report of `homebody errors` for a terminal (or, recorded, as a page)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from quantize.explain.errors import ClusterReport, ErrorReport
from quantize.explain.failures import WORDS
from quantize.explain.noise import Suspect
from quantize.explain.proposals import Proposal
from quantize.explain.trial import Trial

CLUSTERS: Final = 15
PROPOSALS: Final = 15
DOUBTFUL: Final = 12
VALUES: Final = 12
"""Most of each that are printed; `--json` has all."""


def show_errors(console: Console, report: ErrorReport) -> None:
    """Print a report."""
    console.print()
    right = 1 - report.failed / report.sentences
    console.print(
        Text.assemble(
            "  ", (f"{report.failed} of {report.sentences}", "bold"), f" sentences fail ({right:.1%} entirely right)"
        )
    )
    kinds = ", ".join(f"{count} {WORDS[kind]}" for kind, count in report.kinds.items())
    console.print(Padding(Text(kinds, "dim"), (0, 2)))
    if report.exact:
        note = f"{report.exact} of them a pack says word for word: the device gets them right without the model."
        console.print(Padding(Text(note, "dim"), (0, 2)))
    _clusters(console, report.clusters)
    if report.proposals:
        _heading(console, "What would help, by failures that it concerns")
        for number, proposal in enumerate(report.proposals[:PROPOSALS], 1):
            _proposal(console, number, proposal)
        _more(console, len(report.proposals) - PROPOSALS, "proposals")
    if report.doubtful:
        _doubtful(console, report.doubtful)
    if report.unmarked:
        _heading(console, f"Slots that the labels probably lack: {len(report.unmarked)}")
        for type_, text, sentence in report.unmarked[:DOUBTFUL]:
            console.print(Padding(Text.assemble((f"{type_} “{text}”", "yellow"), f"  {sentence}"), (0, 2)))
        _more(console, len(report.unmarked) - DOUBTFUL, "slots")
    if report.trial:
        _trial(console, report.trial)
    if report.proposals:
        note = "Sentences that something was proposed from are no test any more: measure on others."
        console.print(Padding(Text(note, "dim"), (1, 2, 0, 2)))


def _clusters(console: Console, clusters: tuple[ClusterReport, ...]) -> None:
    several = [one for one in clusters if one.count > 1]
    if not several:
        return
    _heading(console, "What fails alike")
    for one in several[:CLUSTERS]:
        head = Text(f"  {one.count:>3}  {one.expected or 'none'} → ").append(one.predicted or "none", "red")
        console.print(head.append(f"  {WORDS[one.kind]}", "dim").append(f"  {' · '.join(one.words)}", "cyan"))
        console.print(Padding(Text("\n".join(one.examples), "dim"), (0, 0, 0, 7)))
    _more(console, len(several) - CLUSTERS, "clusters")
    single = len(clusters) - len(several)
    if single:
        console.print(Padding(Text(f"and {single} failures that are like no other", "dim"), (0, 2)))


def _proposal(console: Console, number: int, proposal: Proposal) -> None:
    mistaken = _mistaken(proposal.mistaken)
    head = Text.assemble(f"  {number:>2}  ", (_count(proposal.failures, "failure"), "bold"), "  ")
    match proposal.kind:
        case "phrases" if proposal.pack:
            head.append(f"{proposal.pack}, {proposal.target}", "bold cyan")
            advice = f"taken for {mistaken}; add about {proposal.sentences} sentences"
        case "phrases":
            head.append(proposal.target, "bold cyan")
            advice = f"taken for {mistaken}; no pack has it: add about {proposal.sentences} labelled sentences"
        case "values":
            head.append(f"{proposal.pack or 'labelled sentences'}, type {proposal.target}", "bold cyan")
            unknown = "values that it does not know" if proposal.values else "known values in unknown sentences"
            advice = f"read as {mistaken}; {unknown}"
        case "out_of_scope":
            head.append(f"out of scope, not {proposal.target}", "bold cyan")
            advice = f"no pack: add up to {proposal.sentences} other sentences of such kinds, labelled oos"
    console.print(head)
    lines = Text(advice, "dim")
    for phrase in proposal.phrases:
        lines.append(f"\n+ {phrase.template}", "green")
        about = _count(phrase.sentences, "sentence")
        lines.append(f"   {_count(phrase.covers, 'failure')}, about {about}", "dim")
    if proposal.values:
        more = len(proposal.values) - VALUES
        shown = ", ".join(proposal.values[:VALUES]) + (f", … ({more} more)" if more > 0 else "")
        lines.append(f"\n+ {shown}", "green")
    for example in proposal.examples:
        lines.append(f"\n· {example}")
    for example in proposal.unlike:
        lines.append(f"\n? {example}", "yellow")
    if proposal.unlike:
        lines.append("\n  ? nothing like it was trained with this label: look at the label first", "dim")
    if proposal.refused:
        phrases = "phrase is" if proposal.refused == 1 else "phrases are"
        lines.append(f"\n{proposal.refused} {phrases} not proposed: other intents have such sentences", "dim")
    console.print(Padding(lines, (0, 0, 1, 6)))


def _doubtful(console: Console, doubtful: tuple[Suspect, ...]) -> None:
    _heading(console, f"Labels to look at: {len(doubtful)} are probably wrong, do not repair these")
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("sentence", "label", "rather", "training sentence"):
        table.add_column(name, overflow="fold")
    for one in doubtful[:DOUBTFUL]:
        table.add_row(one.text, one.label, Text(one.rather, "yellow"), Text(one.witness, "dim"))
    console.print(Padding(table, (0, 2)))
    _more(console, len(doubtful) - DOUBTFUL, "labels")


def _trial(console: Console, tried: Trial) -> None:
    _heading(console, "Tried on failures that the proposals were not made from")
    after = tried.read_before + tried.repaired - tried.spoiled
    lines = (
        f"The phrases say {tried.said} of {tried.failures} failed sentences rightly, and take {tried.said_wrongly} of "
        f"{tried.right} that were right for something else.",
        f"With them as training neighbours, {after} of {tried.failures} are read rightly, {tried.read_before} without: "
        f"{tried.repaired} repaired, {tried.spoiled} spoiled. Of {tried.kept} that neighbours read rightly, "
        f"{tried.broken} break; {tried.gained} others are gained.",
        f"Of {tried.groups} confusion pairs with two failures or more, {tried.groups_helped} get better.",
    )
    for line in lines:
        console.print(Padding(Text(line), (0, 2)))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Rule(Text(text, "bold"), align="left", style="dim"))
    console.print()


def _more(console: Console, count: int, what: str) -> None:
    if count > 0:
        console.print(Padding(Text(f"and {count} more {what}, in --json", "dim"), (0, 2)))


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _mistaken(mistaken: Mapping[str, int]) -> str:
    names = [f"{name} ({count})" if count > 1 else name for name, count in mistaken.items()]
    return ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
