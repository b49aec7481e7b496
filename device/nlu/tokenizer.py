"""Words to the model's word pieces.

Utterance first (segment 0), then what the device last said (segment 1): `[CLS] utterance [SEP] context [SEP]`.
Words are cut one by one, so that the pieces of a word are known and can be remembered; a house hears few words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

CACHED_WORDS = 4096


class Encoding(NamedTuple):
    """One model input of T pieces.

    Attributes:
        ids: Piece ids, T.
        segments: 0 for utterance, 1 for context, T.
        first: Position of the first piece of each word of the utterance that fitted; at most one a word.
    """

    ids: list[int]
    segments: list[int]
    first: list[int]


class WordTokenizer:
    """WordPiece over words of the spoken form.

    Args:
        tokenizer: A `tokenizers` tokenizer with `[CLS]`, `[SEP]` and `[UNK]`.
        max_tokens: Longest input. The end of a longer utterance is not seen by the model; the context gets what
            the utterance leaves, and loses its beginning.

    Raises:
        ValueError: The tokenizer lacks a special token.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max = max_tokens
        special = [tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[UNK]")]
        if None in special:
            raise ValueError("the tokenizer lacks [CLS], [SEP] or [UNK]")
        self._cls, self._sep, self._unknown = special
        self._pieces = lru_cache(maxsize=CACHED_WORDS)(self._cut)

    @classmethod
    def read(cls, path: Path, max_tokens: int) -> WordTokenizer:
        """Read a `tokenizer.json`.

        Raises:
            ValueError: Not readable as a tokenizer.
        """
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise ValueError(f"{path.name} is not a tokenizer: {error}") from error
        return cls(tokenizer, max_tokens)

    def encode(self, words: Sequence[str], context: Sequence[str] = ()) -> Encoding:
        """Cut an utterance and its context."""
        ids, first = [self._cls], []
        for word in words:
            pieces = self._pieces(word)
            if len(ids) + len(pieces) >= self._max:
                break
            first.append(len(ids))
            ids += pieces
        ids.append(self._sep)
        segments = [0] * len(ids)
        room = self._max - len(ids) - 1
        after = [piece for word in context for piece in self._pieces(word)][-room:] if room > 0 else []
        if after:
            ids += [*after, self._sep]
            segments += [1] * (len(after) + 1)
        return Encoding(ids, segments, first)

    def _cut(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(word, add_special_tokens=False).ids) or (self._unknown,)
