"""The database: durable, honest about damage, all or nothing."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from device.errors import StorageError
from device.store.database import Database
from device.store.items import Items
from device.store.schema import MIGRATIONS


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    database = Database(tmp_path / "state" / "homebody.db")
    Items(database).add("shopping", "milk")
    database.close()
    again = Database(tmp_path / "state" / "homebody.db")
    assert Items(again).items("shopping") == ["milk"]
    assert again.recovered_from is None


def test_commits_are_synced(tmp_path: Path) -> None:
    database = Database(tmp_path / "homebody.db")
    assert database.query("PRAGMA journal_mode")[0][0] == "wal"
    assert database.query("PRAGMA synchronous")[0][0] == 2  # FULL
    assert database.query("PRAGMA foreign_keys")[0][0] == 1
    assert database.query("PRAGMA user_version")[0][0] == len(MIGRATIONS)


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


def _torn_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:6144] = b"\xa5" * 2048
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [_garbage, _torn_page])
def test_a_damaged_file_is_kept_and_reported(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "homebody.db"
    database = Database(path)
    for number in range(200):
        Items(database).add("shopping", f"item {number}")
    database.close()
    damage(path)
    damaged = path.read_bytes()
    again = Database(path)
    assert again.recovered_from == tmp_path / "homebody.db.damaged-1"
    assert again.recovered_from.read_bytes() == damaged
    assert Items(again).items("shopping") == []
    Items(again).add("shopping", "bread")
    again.close()
    damage(path) if damage is _garbage else _garbage(path)
    third = Database(path)
    assert third.recovered_from == tmp_path / "homebody.db.damaged-2", "an earlier rescue is never overwritten"


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    path.touch()
    assert Database(path).recovered_from is None


def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    with pytest.raises(StorageError, match="newer version"):
        Database(path)
    assert not list(tmp_path.glob("*.damaged-*"))


def test_a_place_that_cannot_be_used_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Database(tmp_path)  # a folder
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="can't be created"):
        Database(tmp_path / "file" / "homebody.db")


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    items = Items(database)

    def half() -> None:
        with database.transaction():
            items.add("shopping", "milk")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        half()
    assert items.items("shopping") == []
    items.add("shopping", "eggs")
    assert items.items("shopping") == ["eggs"]


def test_a_full_disk_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    database = Database(tmp_path / "homebody.db")
    items = Items(database)
    with database.transaction() as sql:
        sql.execute("PRAGMA max_page_count=40")
    confirmed: list[str] = []

    def fill() -> None:
        while True:
            item = f"{len(confirmed):05} {'x' * 200}"
            items.add("shopping", item)
            confirmed.append(item)

    with pytest.raises(StorageError, match="full") as raised:
        fill()
    assert "Free some space" in raised.value.remedy
    assert confirmed
    assert items.items("shopping") == confirmed
    items.clear("shopping")
    assert items.add("shopping", "there is room again")


def test_read_only_storage_is_a_storage_error(database: Database) -> None:
    database.query("PRAGMA query_only=ON")
    with pytest.raises(StorageError, match="readonly"):
        Items(database).add("shopping", "milk")
    assert Items(database).items("shopping") == []


def test_two_processes_share_the_file(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "homebody.db"), Database(tmp_path / "homebody.db")
    Items(one).add("shopping", "milk")
    assert Items(other).items("shopping") == ["milk"]
    Items(other).add("shopping", "eggs")
    assert Items(one).items("shopping") == ["milk", "eggs"]


def test_a_log_that_has_rotted_is_noticed(tmp_path: Path) -> None:
    """Whichever bit flips: SQLite ends reading there, and says nothing."""
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "homebody.db"
    Database(path).close()
    living = Database(path)
    for item in ("milk", "eggs", "tea"):
        Items(living).add("shopping", item)
    file, log = path.read_bytes(), path.with_name("homebody.db-wal").read_bytes()
    noticed = set()
    for bit in range(0, len(log) * 8, 1009):
        rotten = bytearray(log)
        rotten[bit // 8] ^= 1 << bit % 8
        copy = tmp_path / f"{bit}.db"
        copy.write_bytes(file)
        copy.with_name(f"{bit}.db-wal").write_bytes(rotten)
        database = Database(copy)
        missing = 3 - len(Items(database).items("shopping"))
        assert bool(database.lost_commits) is (missing > 1), "the last commit alone may have been torn"
        noticed.add(database.lost_commits)
        database.close()
    assert len(noticed) > 1
    living.close()


def test_a_restart_folds_the_log_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    living = Database(path)
    Items(living).add("shopping", "milk")
    again = Database(path)
    assert not path.with_name("homebody.db-wal").stat().st_size
    assert Items(again).items("shopping") == ["milk"]
    assert not again.lost_commits


@pytest.mark.parametrize("folded", [True, False])
def test_a_log_whose_header_is_torn_is_a_loss_only_where_the_file_lacks_it(tmp_path: Path, folded: bool) -> None:
    """The power may go when the log has been folded into the file and is begun anew: its old frames are still there."""
    path = tmp_path / "a.db"
    first = Database(path)
    for number in range(20):
        Items(first).add("shopping", f"thing {number}")
    log, file = Path(f"{path}-wal").read_bytes(), path.read_bytes()
    first.close()  # folds the log into the file
    if not folded:
        path.write_bytes(file)
    Path(f"{path}-wal").write_bytes(bytes(24) + log[24:])
    again = Database(path)
    assert bool(again.lost_commits) is not folded
    assert (len(Items(again).items("shopping")) == 20) is folded
    again.close()
