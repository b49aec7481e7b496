"""Kill -9 at any instant: what was confirmed is there, and what is there is whole."""

import multiprocessing
import random
from multiprocessing.connection import Connection
from pathlib import Path

from device.store.database import Database
from device.store.items import Items
from device.store.occasions import Occasions
from device.store.rings import Rings
from device.store.timers import Timers

KILLS = 25
SEED = 20260504

CHILD = """
from datetime import datetime, timedelta
from device.clock import SystemClock
from device.skills.schedule import Scheduler
from device.store.database import Database
from device.store.items import Items

database = Database(path)
scheduler = Scheduler(database, SystemClock("UTC"))
items = Items(database)
while True:
    name = f"{number:06}"
    match number % 4:
        case 0:
            items.add("shopping", name)
        case 1:
            scheduler.start_timer(timedelta(hours=5), name)
        case 2:
            scheduler.add("alarm", datetime(2090, 1, 1) + timedelta(minutes=number), text=name)
        case 3:  # due at once: it must move whole from the reminders to what rings
            scheduler.add("reminder", datetime(2020, 1, 1), text=name)
            scheduler.due()
    confirmed.send(name)
    number += 1
"""


def _confirmed(listener: Connection) -> list[str]:
    """All that arrives until the child is gone."""
    names: list[str] = []
    try:
        while True:
            names.append(listener.recv())
    except (EOFError, OSError):
        return names


def test_nothing_confirmed_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    chance = random.Random(SEED)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["pytest", "device.skills.schedule", "device.store.items"])
    confirmed: list[str] = []
    for _ in range(KILLS):
        listener, speaker = processes.Pipe(duplex=False)
        number = int(confirmed[-1]) + 2 if confirmed else 0
        child = processes.Process(
            target=exec, args=(CHILD, {"path": path, "number": number, "confirmed": speaker}), daemon=True
        )
        child.start()
        speaker.close()
        confirmed.append(listener.recv())
        child.join(chance.uniform(0.0, 0.06))
        child.kill()
        confirmed += _confirmed(listener)
        child.join()
        database = Database(path)
        assert database.recovered_from is None
        kept = {
            *Items(database).items("shopping"),
            *(row.label for row in Timers(database).all()),
            *(row.text for row in Occasions(database).all()),
            *(row.message for row in Rings(database).all()),
        }
        assert set(confirmed) <= kept
        assert len(kept) <= len(confirmed) + KILLS, "at most one unconfirmed entry a kill"
        rung = [row.message for row in Rings(database).all()]
        assert len(rung) == len(set(rung)), "nothing rings twice"
        database.close()
    assert len(confirmed) > 2 * KILLS
