"""`homebody simulate` as a person or a script calls it, and scenarios as pytest collects them."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

GOOD = "name: a lamp\nsteps:\n  - {say: turn on the kitchen light, expect: {house: {light.kitchen: {on: true}}}}\n"
BAD = GOOD.replace("true", "false").replace("a lamp", "a dark lamp")
ANNOUNCED = BAD.replace("name: a dark lamp", "name: announced\nexpected_failure: lamps are not built")
SURPRISE = GOOD.replace("name: a lamp", "name: a surprise\nexpected_failure: lamps are not built")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    return folder


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_what_passes_and_what_fails_as_announced_is_good(homebody: Callable[..., object], folder: Path) -> None:
    write(folder, good=GOOD, announced=ANNOUNCED)
    done = homebody("simulate", folder, "--twice", "--jobs", 1)
    assert done.code == 0, done.out
    assert "1 passed" in done.out
    assert "1 expected failure" in done.out
    assert "lamps are not built" in done.out


def test_a_failure_names_file_line_and_what_was_expected(homebody: Callable[..., object], folder: Path) -> None:
    write(folder, bad=BAD)
    done = homebody("simulate", folder / "bad.yaml")
    assert done.code == 1
    assert "bad.yaml:3:" in done.out
    assert "house.light.kitchen.on" in done.out


def test_what_passes_unexpectedly_is_a_failure(homebody: Callable[..., object], folder: Path) -> None:
    write(folder, surprise=SURPRISE)
    done = homebody("simulate", folder)
    assert done.code == 1
    assert "passed unexpectedly" in done.out


def test_results_for_people_and_for_programs(homebody: Callable[..., object], folder: Path, tmp_path: Path) -> None:
    write(folder, good=GOOD, bad=BAD, announced=ANNOUNCED)
    page, xml = tmp_path / "out" / "report.html", tmp_path / "out" / "junit.xml"
    done = homebody("simulate", folder, "--jobs", 1, "--json", "--report", page, "--junit", xml)
    assert {row["name"]: row["status"] for row in json.loads(done.out)} == {
        "a lamp": "passed",
        "a dark lamp": "failed",
        "announced": "expected failure",
    }
    assert "a dark lamp" in page.read_text(encoding="utf-8")
    suite = ElementTree.parse(xml).getroot()
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert "failure" in cases["a dark lamp"]
    assert "skipped" in cases["announced"]


def test_a_bad_scenario_stops_everything_before_it_begins(homebody: Callable[..., object], folder: Path) -> None:
    write(folder, good=GOOD, typo=GOOD.replace("expect", "expct"))
    done = homebody("simulate", folder)
    assert done.code == 2
    assert "typo.yaml:3: unknown key `expct`" in done.err
    assert "Did you mean `expect`?" in done.err
    assert done.out == ""


@pytest.mark.parametrize(("only", "code"), [("dark", 1), ("A LAMP", 0), ("nothing of the kind", 2)])
def test_some_of_them(homebody: Callable[..., object], folder: Path, only: str, code: int) -> None:
    write(folder, good=GOOD, bad=BAD)
    assert homebody("simulate", folder, "-k", only).code == code


def test_a_missing_path_is_said(homebody: Callable[..., object]) -> None:
    done = homebody("simulate", "nowhere")
    assert done.code == 2
    assert "There is no scenario nowhere" in done.err


def test_the_schema_is_printed(homebody: Callable[..., object]) -> None:
    assert "Scenario" in homebody("simulate", "--schema").json["$defs"]


def test_pytest_plays_a_folder_of_scenarios(pytester: pytest.Pytester, folder: Path) -> None:
    write(folder, good=GOOD, bad=BAD, announced=ANNOUNCED, surprise=SURPRISE, typo="name: x\nstps: []\n")
    (folder.parent / "other.yaml").write_text("not: a scenario\n", encoding="utf-8")
    result = pytester.runpytest_inprocess(folder.parent, "-p", "no:cacheprovider", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, failed=2, xfailed=1, errors=1)
    result.stdout.fnmatch_lines(["*typo.yaml:2: unknown key `stps`*", "*bad.yaml:3:*"])


def test_a_skill_author_gets_a_device(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_light(say, house):
            assert say("turn on the kitchen light").reply
            assert house.state("light.kitchen")["on"]

        def test_a_timer_survives_the_plug(say, homebody_device):
            say("set a timer for ten minutes")
            homebody_device.pull_the_plug()
            assert [rang.ring.kind for rang in homebody_device.advance("10 min")] == ["timer"]
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
