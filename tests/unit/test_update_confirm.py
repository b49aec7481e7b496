"""Whether a system that was started stays: what is new and ill goes back."""

from pathlib import Path

import pytest

from device.errors import (
    StorageError,
)
from device.update.confirm import Confirmed, Verdict, confirm
from device.update.rauc import Slot, System


class Slots:
    """`Rauc` in memory: one slot runs, the other may be good."""

    def __init__(self, *, other: bool = True) -> None:
        self.booted = Slot("rootfs.1", "B", True, True, "2", "monday abc")
        self.marks: list[bool] = []
        self._other = Slot("rootfs.0", "A", False, other)
        self._data = Slot("data.0", "", False, True)

    def status(self) -> System:
        return System("board", self.booted, "rootfs.1", (self.booted, self._other, self._data))

    def install(self, source: str, progress: object) -> None:
        raise AssertionError

    def mark(self, *, good: bool) -> None:
        self.marks.append(good)


def decide(slots: Slots, folder: Path, *, healthy: bool) -> Verdict:
    return confirm(slots, Confirmed(folder), lambda: healthy)[0]


def test_what_is_healthy_stays(tmp_path: Path) -> None:
    slots = Slots()
    assert decide(slots, tmp_path / "update", healthy=True) is Verdict.GOOD
    assert slots.marks == [True]


def test_what_is_new_and_ill_goes(tmp_path: Path) -> None:
    slots = Slots()
    assert decide(slots, tmp_path, healthy=False) is Verdict.BAD
    assert slots.marks == [False]
    assert not list(tmp_path.iterdir())


def test_what_breaks_later_is_no_reason_to_go_back(tmp_path: Path) -> None:
    slots = Slots()
    decide(slots, tmp_path, healthy=True)
    assert decide(slots, tmp_path, healthy=False) is Verdict.KEPT
    assert slots.marks == [True, True], "a boot loader that counts is told at each start"


def test_another_system_in_the_same_slot_is_new_again(tmp_path: Path) -> None:
    slots = Slots()
    decide(slots, tmp_path, healthy=True)
    slots.booted = Slot("rootfs.1", "B", True, True, "3", "tuesday def")
    assert decide(slots, tmp_path, healthy=False) is Verdict.BAD


def test_what_is_ill_stays_where_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    """Two bad systems must not start each other for ever."""
    slots = Slots(other=False)
    assert decide(slots, tmp_path, healthy=False) is Verdict.ALONE
    assert slots.marks == [True]
    assert slots.booted not in Confirmed(tmp_path)


def test_a_damaged_memory_is_looked_at_again_and_mended(tmp_path: Path) -> None:
    (tmp_path / "confirmed.json").write_text("{")
    slots = Slots()
    assert slots.booted not in Confirmed(tmp_path)
    decide(slots, tmp_path, healthy=True)
    assert slots.booted in Confirmed(tmp_path)


def test_both_slots_are_remembered(tmp_path: Path) -> None:
    confirmed, one, two = Confirmed(tmp_path), Slot("a", "A", True, True), Slot("b", "B", True, True, "2", "monday")
    confirmed.add(one)
    confirmed.add(two)
    assert one in confirmed
    assert two in confirmed


def test_a_memory_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "update").write_text("")
    with pytest.raises(StorageError, match=r"confirmed\.json can't be written"):
        Confirmed(tmp_path / "update").add(Slots().booted)
