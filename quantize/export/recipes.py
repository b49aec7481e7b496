"""How a model is quantized for each board: one named recipe a board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from device.errors import BadInput

Instructions: TypeAlias = Literal["arm64", "avx2", "avx512_vnni"]
"""Presets of `optimum.onnxruntime.AutoQuantizationConfig`."""
Activations: TypeAlias = Literal["dynamic", "minmax", "entropy", "percentile"]
"""Ranges of the activations: measured on every input, or fixed by calibration on development sentences."""


class BoardRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Quantization for one kind of processor. Weights are symmetric int8, activations uint8.

    Attributes:
        board: Its name.
        instructions: What multiplies 8-bit integers there.
        threads: Of one inference.
        per_channel: One scale for each output of a matrix instead of one for the whole.
        reduce_range: 7-bit weights. Without VNNI, x86 adds pairs of 8-bit products in 16 bits, which saturate
            (`VPMADDUBSW`; see "Quantization debugging" in onnxruntime's documentation); with 7 bits they can't.
        activations: Where their ranges come from.
        embedding_bits: Bits of a weight of the word embeddings, 4 or 8.
        embedding_block: Weights of a row of the word embeddings that share one scale, a power of two from 16.

    Raises:
        BadInput: A value is impossible, or two of them contradict each other.
    """

    board: str
    instructions: Instructions
    threads: int = 1
    per_channel: bool = True
    reduce_range: bool = False
    activations: Activations = "dynamic"
    embedding_bits: Literal[4, 8] = 4
    embedding_block: int = 32

    def __post_init__(self) -> None:
        """Check the whole."""
        for name, choices in (("instructions", Instructions), ("activations", Activations)):
            if getattr(self, name) not in get_args(choices):
                raise self._bad(f"{name} must be one of {', '.join(get_args(choices))}")
        if self.threads < 1:
            raise self._bad("threads must be at least 1")
        if self.embedding_bits not in (4, 8):
            raise self._bad("embedding_bits must be 4 or 8")
        if self.embedding_block < 16 or self.embedding_block & (self.embedding_block - 1):
            raise self._bad("embedding_block must be a power of two from 16")
        if self.reduce_range and self.instructions != "avx2":
            raise self._bad(f"reduce_range would cost a bit of every weight, and {self.instructions} does not saturate")

    def _bad(self, what: str) -> BadInput:
        return BadInput(f"The recipe {self.board} is impossible: {what}.")


RECIPES: Final[Mapping[str, BoardRecipe]] = {
    recipe.board: recipe
    for recipe in (
        BoardRecipe(board="rpi4", instructions="arm64"),
        BoardRecipe(board="rpi5", instructions="arm64"),
        BoardRecipe(board="x86-avx2", instructions="avx2", reduce_range=True),
        BoardRecipe(board="x86-vnni", instructions="avx512_vnni"),
    )
}


def recipe_for(board: str) -> BoardRecipe:
    """The recipe of a board.

    Raises:
        BadInput: There is none; the message names those that are.
    """
    try:
        return RECIPES[board]
    except KeyError:
        raise BadInput(
            f"There is no board {board!r}; there are {', '.join(RECIPES)}.", remedy="Name one of them."
        ) from None
