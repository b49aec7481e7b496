"""The simulated flash: what the real database keeps on it through cuts, kills, full and failing storage."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput, StorageError
from device.store.database import Database
from device.store.items import Items
from device.store.timers import Timers
from firmware_sim.board.flash import SECTOR, Flash
from firmware_sim.board.page_cache import after_cut
from firmware_sim.manual_clock import ManualClock

CUTS = 200
START = datetime(2026, 1, 5, 8, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def flash(tmp_path: Path, clock: ManualClock) -> Iterator[Flash]:
    with Flash(tmp_path, clock) as flash:
        yield flash


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "homebody.db"


class Owner:
    """Uses a device until its power goes, and knows what the device has confirmed and what it was just doing."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = path
        self.chance = chance
        self.confirmed: set[str] = set()
        self.doubtful: set[str] = set()
        self.number = 0

    def use(self, flash: Flash) -> None:
        database = None
        try:
            database = Database(self.path)
            while flash.powered:
                self._one_thing(database)
                if self.chance.random() < 0.05:
                    database.close()  # folds the log into the file
                    database = Database(self.path)
        except StorageError:
            pass
        if database is not None and self.chance.random() < 0.5:
            database.close()

    def _one_thing(self, database: Database) -> None:
        self.number += 1
        name = f"{self.number:06}"
        items, timers = Items(database), Timers(database)
        match self.chance.randrange(8):
            case 0:
                self._commit({name}, lambda: items.add("shopping", name))
            case 1:
                self._commit({name}, lambda: timers.add(name, 60.0, 2e9))
            case 2:  # long enough for the log to be folded into the file now and then
                self._commit({name}, lambda: items.add("long", name + "x" * 100_000))
            case 3:
                with pytest.raises(RuntimeError):
                    self._give_up(database, f"never {name}")
            case _:
                self._commit({name, f"{name} too"}, lambda: self._both(database, name))

    def _give_up(self, database: Database, name: str) -> None:
        with database.transaction():
            Items(database).add("shopping", name)
            raise RuntimeError("not committed")

    def _both(self, database: Database, name: str) -> None:
        with database.transaction():
            Items(database).add("shopping", name)
            Timers(database).add(f"{name} too", 60.0, 2e9)

    def _commit(self, names: set[str], action: Callable[[], object]) -> None:
        self.doubtful = names
        action()
        self.confirmed |= names
        self.doubtful = set()

    def look(self) -> tuple[set[str], Path | None]:
        """What is there after the power has come back; what was doubtful is decided now."""
        database = Database(self.path)
        self.lost_commits = database.lost_commits
        kept = set(Items(database).items("shopping")) | {row.label for row in Timers(database).all()}
        kept |= {item[:6] for item in Items(database).items("long")}
        database.close()
        return kept, database.recovered_from


@pytest.mark.parametrize("sector", [512, SECTOR])
def test_what_was_committed_survives_the_plug(tmp_path: Path, clock: ManualClock, sector: int) -> None:
    chance = random.Random(20260504)
    for seed in range(CUTS // 2):
        home = tmp_path / str(seed // 10)  # ten cuts a life, the first of them while the file is made
        if seed % 10 == 0:
            owner = Owner(home / "homebody.db", chance)
        with Flash(home, clock, seed=seed, sector=sector) as flash:
            flash.cut(after_writes=chance.choice((chance.randint(1, 40), chance.randint(1, 3000))))
            owner.use(flash)
            assert not flash.powered
            flash.restore()
            kept, recovered = owner.look()
        assert recovered is None
        assert not owner.lost_commits, "a torn commit is no rot"
        assert owner.confirmed <= kept
        assert kept - owner.confirmed in (set(), owner.doubtful), "all or nothing"
        owner.confirmed, owner.doubtful = kept, set()


def test_a_commit_that_was_not_confirmed_may_have_arrived(tmp_path: Path, clock: ManualClock) -> None:
    outcomes = set()
    for seed in range(60):
        home = tmp_path / str(seed)
        with Flash(home, clock, seed=seed) as flash:
            database = Database(home / "homebody.db")
            Items(database).add("tasks", "the first commit begins a log")
            before = flash.writes
            Items(database).add("shopping", "milk")
            flash.cut(after_writes=flash.writes - before)
            with pytest.raises(StorageError):
                Items(database).add("shopping", "eggs")
            flash.restore()
            outcomes.add(tuple(Items(Database(home / "homebody.db")).items("shopping")))
    assert outcomes == {("milk",), ("milk", "eggs")}


def test_a_storage_that_lies_about_syncs_loses_what_was_committed(tmp_path: Path, clock: ManualClock) -> None:
    """The test above can fail."""
    chance = random.Random(1)
    lost = damaged = 0
    for seed in range(20):
        owner = Owner(tmp_path / str(seed) / "homebody.db", chance)
        with Flash(owner.path.parent, clock, seed=seed, honest=False) as flash:
            flash.cut(after_writes=chance.randint(40, 400))
            owner.use(flash)
            flash.restore()
            kept, recovered = owner.look()
        lost += not owner.confirmed <= kept
        damaged += recovered is not None
    assert lost > 10
    assert damaged


def test_nothing_reaches_a_storage_without_power(path: Path, flash: Flash) -> None:
    database = Database(path)
    Items(database).add("shopping", "milk")
    flash.cut()
    before = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    with pytest.raises(StorageError, match="disk I/O error"):
        Items(database).add("shopping", "eggs")
    with pytest.raises(StorageError, match="unable to open"):
        Database(path)
    database.close()
    assert {file: file.read_bytes() for file in before} == before
    flash.restore()
    assert flash.powered
    assert Items(Database(path)).items("shopping") == ["milk"]


def test_the_cut_is_in_the_middle_of_the_nth_write(path: Path, flash: Flash) -> None:
    told: list[bool] = []
    flash.on_cut = lambda: told.append(flash.powered)
    database = Database(path)
    written = flash.writes
    flash.cut(after_writes=3)
    assert flash.powered
    with pytest.raises(StorageError):
        Items(database).add("shopping", "milk")
    assert flash.writes == written + 3
    assert told == [False]
    flash.restore()
    again = Database(path)
    assert Items(again).items("shopping") == []
    flash.cut(after_writes=1)
    flash.restore()
    assert Items(again).add("shopping", "milk"), "restoring calls a cut off"


@pytest.mark.parametrize("closed", ["before", "after", "never"])
@pytest.mark.parametrize("end", ["cut", "kill"])
def test_the_dead_connection_reaches_nothing(path: Path, flash: Flash, closed: str, end: str) -> None:
    dead = Database(path)
    Items(dead).add("shopping", "milk")
    dead.query("PRAGMA wal_checkpoint")  # nothing is left to fold, so closing would delete the log at once
    dead.query("BEGIN IMMEDIATE")  # and would hold its lock for ever
    if end == "cut":
        flash.cut()
    else:
        flash.kill()
    if closed == "before":
        dead.close()
    flash.restore()
    alive = Database(path)
    Items(alive).add("shopping", "eggs")
    if closed == "after":
        dead.close()
    if closed == "never":
        Items(dead).add("shopping", "stones")  # joins the transaction
        with pytest.raises(StorageError):
            dead.query("COMMIT")
    Items(alive).add("shopping", "bread")
    flash.kill()
    assert Items(Database(path)).items("shopping") == ["milk", "eggs", "bread"]


def test_a_kill_keeps_what_was_not_synced_and_a_cut_does_not(path: Path, clock: ManualClock) -> None:
    lost = 0
    for seed in range(10):
        with Flash(path.parent, clock, seed=seed) as flash:
            path.unlink(missing_ok=True)
            raw = sqlite3.connect(path, isolation_level=None)
            raw.execute("CREATE TABLE t (x)")
            raw.execute("PRAGMA synchronous=OFF")
            raw.execute("BEGIN")
            raw.execute("PRAGMA cache_size=1")
            raw.execute(
                "INSERT INTO t WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x+1 FROM n LIMIT 3000) SELECT x FROM n"
            )
            raw.execute("COMMIT")
            raw.execute("INSERT INTO t VALUES (-1)")
            flash.kill()
            again = sqlite3.connect(path, isolation_level=None)
            assert again.execute("SELECT count(*) FROM t").fetchone() == (3001,)
            flash.cut()
            again.close()
            flash.restore()
            third = sqlite3.connect(path)
            try:
                lost += third.execute("SELECT count(*) FROM t").fetchone() != (3001,)
            except sqlite3.DatabaseError:
                lost += 1
            third.close()
    assert lost > 5


def test_what_was_not_synced_of_a_deletion_may_come_back(path: Path, clock: ManualClock) -> None:
    outcomes = set()
    for seed in range(10):
        with Flash(path.parent, clock, seed=seed) as flash:
            database = Database(path)
            Items(database).add("shopping", f"milk {seed}")
            database.close()
            assert not path.with_name("homebody.db-wal").exists()
            flash.cut()
            flash.restore()
            outcomes.add(path.with_name("homebody.db-wal").exists())
            database = Database(path)
            assert Items(database).items("shopping") == [f"milk {number}" for number in range(seed + 1)]
            database.close()
    assert outcomes == {True, False}


def test_a_full_storage_loses_nothing_and_works_again_when_there_is_room(path: Path, flash: Flash) -> None:
    database = Database(path)
    items = Items(database)
    items.add("shopping", "milk")
    flash.full = True
    with pytest.raises(StorageError, match="full"):
        items.add("shopping", "eggs")
    assert items.items("shopping") == ["milk"]
    flash.full = False
    assert items.add("shopping", "eggs")
    database.close()
    assert Items(Database(path)).items("shopping") == ["milk", "eggs"]


def test_the_size_counts_what_others_write(path: Path, clock: ManualClock) -> None:
    ballast = path.with_name("bundle.bin")
    with Flash(path.parent, clock, size=400_000) as flash:
        database = Database(path)
        items = Items(database)
        items.add("shopping", "milk")
        ballast.write_bytes(bytes(400_000))
        with pytest.raises(StorageError, match="full"):
            items.add("shopping", "eggs")
        ballast.unlink()
        confirmed = ["milk"]

        def fill() -> None:
            while items.add("shopping", f"item {len(confirmed)}"):
                confirmed.append(f"item {len(confirmed)}")

        with pytest.raises(StorageError, match="full"):
            fill()
        assert 10 < len(confirmed) < 100
        assert sum(file.stat().st_size for file in path.parent.iterdir()) <= 400_000
        assert items.items("shopping") == confirmed
        flash.kill()
        assert Items(Database(path)).items("shopping") == confirmed


def test_a_storage_that_became_read_only_loses_nothing(path: Path, flash: Flash) -> None:
    database = Database(path)
    Items(database).add("shopping", "milk")
    flash.read_only = True
    with pytest.raises(StorageError, match="disk I/O error"):
        Items(database).add("shopping", "eggs")
    assert Items(database).items("shopping") == ["milk"]
    late = Database(path)
    with pytest.raises(StorageError, match="readonly"):
        Items(late).add("shopping", "eggs")
    late.close()
    with pytest.raises(StorageError):
        Database(path.with_name("new.db"))
    flash.read_only = False
    assert Items(database).add("shopping", "eggs")
    database.close()
    assert Items(Database(path)).items("shopping") == ["milk", "eggs"]


@pytest.mark.parametrize("bit", [3, SECTOR * 8 + 1], ids=["header", "page"])
def test_a_flipped_bit_is_noticed_when_opening(path: Path, flash: Flash, bit: int) -> None:
    database = Database(path)
    Items(database).add("shopping", "milk")
    database.close()
    assert flash.flip(path, bit) == bit
    assert Database(path).recovered_from is not None


def test_any_bit_can_flip(path: Path, flash: Flash) -> None:
    path.write_bytes(bytes(100))
    bit = flash.flip(path)
    assert path.read_bytes()[bit // 8] == 1 << bit % 8
    with pytest.raises(BadInput, match="no bit 800"):
        flash.flip(path, 800)
    with pytest.raises(BadInput, match="no bit"):
        flash.flip(path.with_name("nowhere"))


def test_wear_is_booked_on_the_day_of_the_wall_clock(path: Path, flash: Flash, clock: ManualClock) -> None:
    database = Database(path)
    items = Items(database)
    items.add("tasks", "the first commit begins a log")
    clock.advance(60)
    begun = flash.wear()
    bytes_, writes, syncs = flash.bytes_written, flash.writes, flash.syncs
    items.add("shopping", "milk")
    clock.advance(60)
    items.add("shopping", "eggs")
    assert flash.syncs == syncs + 2, "each commit is synced, once"
    clock.advance(24 * 3600)
    for number in range(100):
        items.add("shopping", f"item {number}")
    wear = flash.wear()
    today, tomorrow = date(2026, 1, 5), date(2026, 1, 6)
    assert wear.by_day.keys() == {today, tomorrow}
    assert sum(wear.by_day.values()) == wear.bytes_total
    assert wear.by_day[today] > begun.bytes_total
    assert wear.busiest_minute_bytes == wear.by_day[tomorrow] > wear.by_day[today]
    assert wear.writes_total == flash.writes > writes + 200
    assert wear.syncs_total == flash.syncs == syncs + 102
    assert wear.bytes_total % SECTOR == 0
    assert flash.bytes_written - bytes_ < wear.bytes_total - begun.bytes_total, "a frame of the log spans two sectors"
    database.close()


def test_two_devices_do_not_disturb_each_other(tmp_path: Path, clock: ManualClock) -> None:
    with Flash(tmp_path / "kitchen", clock) as kitchen, Flash(tmp_path / "hall", clock) as hall:
        one, other = Database(tmp_path / "kitchen" / "homebody.db"), Database(tmp_path / "hall" / "homebody.db")
        written = hall.writes
        assert written == kitchen.writes > 0
        Items(one).add("shopping", "milk")
        assert hall.writes == written
        kitchen.cut()
        assert Items(other).add("shopping", "eggs")
        elsewhere = Database(tmp_path / "homebody.db")
        Items(elsewhere).add("shopping", "bread")
        with pytest.raises(StorageError):
            Items(one).add("shopping", "stones")
        with pytest.raises(BadInput, match="already"):
            Flash(tmp_path / "hall", clock).__enter__()


def _is_registered() -> bool:
    try:
        sqlite3.connect("file::memory:?vfs=homebody-simulated", uri=True).close()
    except sqlite3.OperationalError:
        return False
    return True


def test_sqlite_is_as_before_afterwards(path: Path, clock: ManualClock) -> None:
    with Flash(path.parent, clock) as flash:
        assert _is_registered()
        left_open = Database(path)
    assert not _is_registered()
    written = flash.writes
    Items(left_open).add("shopping", "milk")
    assert flash.writes > written, "what is open stays with its storage"
    left_open.close()
    written = flash.writes
    database = Database(path)
    Items(database).add("shopping", "eggs")
    assert Items(database).items("shopping") == ["milk", "eggs"]
    assert flash.writes == written


def test_a_connection_left_open_does_no_harm_when_the_program_ends(path: Path) -> None:
    program = """
import sys
from pathlib import Path
from device.clock import SystemClock
from device.store.database import Database
from device.store.items import Items
from firmware_sim.board.flash import Flash
path = Path(sys.argv[1])
flash = Flash(path.parent, SystemClock("UTC")).__enter__()
database = Database(path)
sys.database = database
Items(database).add("shopping", "milk")
"""
    ended = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Items(Database(path)).items("shopping") == ["milk"]


def test_a_defect_in_a_hook_becomes_an_error_of_the_database(
    path: Path, flash: Flash, caplog: pytest.LogCaptureFixture
) -> None:
    def defect() -> None:
        raise ValueError("a defect")

    database = Database(path)
    flash.on_cut = defect
    flash.cut(after_writes=1)
    with pytest.raises(StorageError, match="disk I/O error"):
        Items(database).add("shopping", "milk")
    assert "a defect" in caplog.text


@given(old=st.binary(max_size=40), new=st.binary(max_size=40), seed=st.integers(0, 1000))
def test_what_did_not_change_survives_any_cut(old: bytes, new: bytes, seed: int) -> None:
    left = after_cut(old, new, 8, random.Random(seed))
    assert len(left) in (len(old), len(new))
    for at, byte in enumerate(left):
        was, is_now = (image[at] if at < len(image) else 0 for image in (old, new))
        assert byte == was or was != is_now
    assert left == after_cut(old, new, 8, random.Random(seed))
    assert left[len(new) :] in (b"", old[len(new) :]), "what was cut off is gone, or all there"
    assert after_cut(new, new, 8, random.Random(seed)) == new
