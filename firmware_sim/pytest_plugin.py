"""Scenarios as tests, and a device for the tests of one's own skills.

Collected are the YAML files of folders called `scenarios`, and files called `*.scenario.yaml` anywhere:

    pytest scenarios/

Fixtures: `homebody_device` (a device in a simulated home), `say` (talks to it) and `house` (that home's appliances).

The device is imported only when one of these is used: every pytest loads this plugin where Homebody is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from device.dialogue.conversation import Turn
    from device.skills.ports import House
    from firmware_sim.bench import Bench
    from firmware_sim.scenario.load import Loaded


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Pytest's hook."""
    is_yaml = file_path.suffix in (".yaml", ".yml")
    if is_yaml and (file_path.parent.name == "scenarios" or file_path.stem.endswith(".scenario")):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test a scenario; a mistake in the file is one failure that names its line."""
        from device.errors import BadInput
        from firmware_sim.scenario.load import load_file

        try:
            loaded = load_file(self.path)
        except BadInput as error:
            raise self.CollectError(str(error)) from error
        for one in loaded:
            yield ScenarioItem.from_parent(self, name=one.name, loaded=one)


class AsAnnouncedError(Exception):
    """A scenario failed as it said that it would."""


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, loaded: Loaded, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._loaded = loaded
        if reason := loaded.scenario.expected_failure:
            self.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=AsAnnouncedError))

    def runtest(self) -> None:
        """Play it."""
        from device.errors import BadInput
        from firmware_sim.results.timeline import failure_text, lines
        from firmware_sim.scenario.play import play

        try:
            played = play(self._loaded)
        except BadInput as error:
            pytest.fail(str(error), pytrace=False)
        self.add_report_section("call", "timeline", "\n".join(lines(played)))
        match played.status:
            case "broken":
                pytest.fail(played.reason, pytrace=False)
            case "failed":
                pytest.fail(failure_text(played), pytrace=False)
            case "expected failure":  # for pytest, too; any other exception is none
                raise AsAnnouncedError(failure_text(played))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands; pytest counts lines from 0."""
        return self.path, self._loaded.line() - 1, self.name


@pytest.fixture
def homebody_device(tmp_path: Path) -> Iterator[Bench]:
    """A device in a simulated home, typed to, in virtual time, with an empty memory."""
    from firmware_sim.bench import Bench

    with Bench(tmp_path / "homebody") as bench:
        yield bench


@pytest.fixture
def say(homebody_device: Bench) -> Callable[[str], Turn]:
    """`say("turn on the light")` gives the turn that it led to."""
    return homebody_device.say


@pytest.fixture
def house(homebody_device: Bench) -> House:
    """The appliances around the device."""
    return homebody_device.world.house
