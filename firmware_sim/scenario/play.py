"""Plays one scenario from its beginning, in virtual time, on a device that was never used."""

from __future__ import annotations

import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from device.clock import SystemClock
from device.errors import BadInput
from firmware_sim.clock import DeadlockError, TimeLimitError, run
from firmware_sim.scenario.check import check
from firmware_sim.scenario.load import Loaded
from firmware_sim.scenario.played import Played, Status
from firmware_sim.scenario.stage import Stage
from firmware_sim.scenario.values import seconds


def play(loaded: Loaded, *, keep_sound: bool = False) -> Played:
    """Play a scenario.

    Args:
        loaded: The scenario.
        keep_sound: Keep what is worth hearing of it, for a report.

    Raises:
        ScenarioError: It can't be played as it is written.
    """
    config = check(loaded)
    scenario = loaded.scenario
    start = datetime.fromisoformat(scenario.start).replace(tzinfo=ZoneInfo(scenario.zone))
    clock = SystemClock()
    began = clock.monotonic()
    broken = ""
    with tempfile.TemporaryDirectory(prefix="homebody-sim-") as folder:
        stage = Stage(loaded, config, Path(folder), keep_sound=keep_sound)
        try:
            run(stage.perform, start, limit=seconds(scenario.limit))
        except (DeadlockError, TimeLimitError, TimeoutError) as error:
            stage.stuck(str(error) or "the device did not come to rest")
        except BadInput:
            raise
        except Exception:
            broken = traceback.format_exc(limit=-6)
        return stage.played(_status(stage, broken), broken or scenario.expected_failure, clock.monotonic() - began)


def _status(stage: Stage, broken: str) -> Status:
    if broken:
        return "broken"
    expected = stage.loaded.scenario.expected_failure
    if not stage.failures:
        return "passed unexpectedly" if expected else "passed"
    # What leads there has to work, or it would be another failure than the one that was announced.
    as_announced = expected and stage.failures[0].step == len(stage.loaded.scenario.steps)
    return "expected failure" if as_announced else "failed"
