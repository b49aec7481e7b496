"""Board recipes: what they are, and what they refuse to be."""

import msgspec
import pytest

from device.errors import BadInput
from quantize.export.recipes import RECIPES, BoardRecipe, recipe_for


def test_every_board_has_a_recipe_of_its_name():
    assert set(RECIPES) == {"rpi4", "rpi5", "x86-avx2", "x86-vnni"}
    assert all(recipe_for(name).board == name for name in RECIPES)


def test_an_unknown_board_is_answered_with_those_that_exist():
    with pytest.raises(BadInput, match="'rpi3'; there are rpi4, rpi5, x86-avx2, x86-vnni"):
        recipe_for("rpi3")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"threads": 0}, "threads"),
        ({"embedding_bits": 3}, "embedding_bits"),
        ({"embedding_block": 24}, "power of two"),
        ({"embedding_block": 8}, "power of two"),
        ({"instructions": "mmx"}, "instructions must be one of arm64, avx2, avx512_vnni"),
        ({"activations": "guessed"}, "activations must be one of"),
        ({"instructions": "arm64", "reduce_range": True}, "does not saturate"),
    ],
)
def test_an_impossible_recipe_is_not_built(change, reason):
    with pytest.raises(BadInput, match=reason):
        BoardRecipe(**{"board": "mine", "instructions": "avx2", **change})


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=str)
def test_a_recipe_survives_the_manifest(recipe):
    assert msgspec.convert(msgspec.to_builtins(recipe), BoardRecipe) == recipe
