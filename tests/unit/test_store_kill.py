"""Kill -9 at any instant: what was confirmed is there, and what is there is whole."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from device.store.database import Database
from device.store.items import Items
from device.store.occasions import Occasions
from device.store.rings import Rings
from device.store.timers import Timers

KILLS = 12
SEED = 20260504

CHILD = """
import sys
from datetime import datetime, timedelta
from device.clock import SystemClock
from device.skills.schedule import Scheduler
from device.store.database import Database
from device.store.items import Items

database = Database(sys.argv[1])
scheduler = Scheduler(database, SystemClock("UTC"))
items = Items(database)
number = int(sys.argv[2])
while True:
    name = f"{number:06}"
    match number % 4:
        case 0:
            items.add("shopping", name)
        case 1:
            scheduler.start_timer(timedelta(hours=5), name)
        case 2:
            scheduler.add("alarm", datetime(2090, 1, 1) + timedelta(minutes=number), text=name)
        case 3:  # one that is due at once: it must move from the reminders to what rings
            scheduler.add("reminder", datetime(2020, 1, 1), text=name)
            scheduler.due()
    print(name, flush=True)  # the confirmation
    number += 1
"""


def test_nothing_confirmed_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    chance = random.Random(SEED)
    confirmed: list[str] = []
    for _ in range(KILLS):
        start = str(int(confirmed[-1]) + 2 if confirmed else 0)
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), start], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as child:
            assert child.stdout is not None
            first = child.stdout.readline()  # it is up
            ready, _, _ = select.select([child.stdout], [], [], chance.uniform(0.0, 0.04))
            deadline = time.monotonic() + chance.uniform(0.0, 0.04)
            while time.monotonic() < deadline:
                pass
            os.kill(child.pid, signal.SIGKILL)
            lines = (first + child.stdout.read()).decode().split("\n")
        confirmed += lines[:-1]  # a torn last line was never heard
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
    assert len(confirmed) > KILLS * 2
