"""A smaller vocabulary: of BERT's 30,522 word pieces, those that assistants hear.

Every sentence of the training data is cut exactly as before; words never seen fall apart into more pieces.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def prune(tokenizer_path: Path, words: Iterable[str], size: int) -> tuple[Tokenizer, list[int]]:
    """Keep the pieces that some words need, then the commonest of the rest.

    Args:
        tokenizer_path: `tokenizer.json` of a WordPiece model.
        words: Words of the training data, repeated as often as they occur; the commonest keep their pieces if
            not all fit.
        size: Number of pieces to keep.

    Returns:
        The tokenizer, and for each new id the old one.
    """
    old = Tokenizer.from_file(str(tokenizer_path))
    vocabulary = old.get_vocab()
    names = {index: piece for piece, index in vocabulary.items()}
    counts = Counter(words)
    used: Counter[int] = Counter()
    for word, count in counts.items():
        for piece in old.encode(word, add_special_tokens=False).ids:
            used[piece] += count
    single = [i for piece, i in vocabulary.items() if len(piece.removeprefix("##")) == 1 and piece.isascii()]
    plain = [i for piece, i in vocabulary.items() if piece.removeprefix("##").isalpha() and piece.isascii()]
    wanted = [
        *(vocabulary[piece] for piece in SPECIAL),
        *sorted(single),
        *(piece for piece, _ in used.most_common()),
        *sorted(plain),  # BERT's pieces are numbered by frequency
    ]
    kept = list(dict.fromkeys(wanted))[:size]
    ordered = [*kept[: len(SPECIAL)], *sorted(kept[len(SPECIAL) :])]
    description = json.loads(tokenizer_path.read_text(encoding="utf-8"))
    description["model"]["vocab"] = {names[old_id]: new_id for new_id, old_id in enumerate(ordered)}
    description["added_tokens"] = [
        {**token, "id": ordered.index(token["id"])} for token in description["added_tokens"] if token["id"] in ordered
    ]
    description.update(post_processor=None, padding=None, truncation=None)
    return Tokenizer.from_str(json.dumps(description)), ordered
