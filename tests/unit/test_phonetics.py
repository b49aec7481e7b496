"""How far words are apart in sound, and where."""

from hypothesis import given
from hypothesis import strategies as st

from device.nlu.phonetics import PHONEMES, distance, distances

SOUNDS = st.lists(st.sampled_from(PHONEMES), max_size=6).map(tuple)


@given(SOUNDS, SOUNDS)
def test_a_distance_is_symmetric_and_nothing_between_equals(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert abs(distance(one, other) - distance(other, one)) < 1e-6
    assert distance(one, one) == 0


@given(SOUNDS, SOUNDS, st.data())
def test_wherever_it_falls_the_distance_is_the_same(
    heard: tuple[str, ...], meant: tuple[str, ...], data: st.DataObject
) -> None:
    marked = data.draw(st.lists(st.booleans(), min_size=len(meant), max_size=len(meant)))
    parts = distances(heard, meant, marked)
    assert min(parts) >= 0
    assert abs(sum(parts) - distance(heard, meant)) < 1e-5


def test_what_differs_is_where_it_differs() -> None:
    meant, slot = tuple("kat") + tuple("mokə"), [False] * 3 + [True] * 4
    meant = tuple("ɑ" if sound in "ao" else sound for sound in meant)
    there, around = distances((*meant[:3], "s", *meant[4:]), meant, slot)
    assert there > 0 == around
    there, around = distances(("b", *meant[1:]), meant, slot)
    assert around > 0 == there
