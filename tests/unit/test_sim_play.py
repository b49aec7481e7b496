"""Scenarios are played as written: what is met passes, what is not is found where it stands, twice the same."""

import json
from pathlib import Path

import jsonschema
import pytest

from firmware_sim.scenario.load import SCENARIOS, find, load_file
from firmware_sim.scenario.marked import read
from firmware_sim.scenario.play import play
from firmware_sim.scenario.played import Played, differences
from firmware_sim.scenario.run import run_all
from firmware_sim.scenario.schema import schema

LIGHT = "  - {say: turn on the kitchen light, expect: {house: {light.kitchen: {on: true}}}}\n"


LAMPS = ("kitchen", "desk")


def played(tmp_path: Path, steps: str, head: str = "") -> Played:
    file = tmp_path / "a.yaml"
    file.write_text(f"name: a\n{head}steps:\n{steps}", encoding="utf-8")
    (loaded,) = load_file(file)
    return play(loaded)


def missed(tmp_path: Path, steps: str, head: str = "") -> tuple[int, list[str]]:
    """Line and keys of what was not met."""
    (failure,) = played(tmp_path, steps, head).failures
    return failure.line, [miss.key for miss in failure.misses]


def test_what_is_met_passes(tmp_path: Path) -> None:
    result = played(tmp_path, LIGHT)
    assert (result.status, result.failures, result.turns) == ("passed", (), 1)
    assert result.written > 0


def test_a_miss_is_found_at_its_line_and_ends_the_scenario(tmp_path: Path) -> None:
    steps = (
        "  - say: turn on the kitchen light\n    expect:\n      asks: false\n      reply: .*bedroom.*\n  - {say: x}\n"
    )
    result = played(tmp_path, steps)
    assert result.status == "failed"
    (failure,) = result.failures
    assert (failure.step, failure.line) == (1, 6)
    assert [(miss.key, miss.wanted) for miss in failure.misses] == [("reply", ".*bedroom.*")]
    assert result.turns == 1


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("{reply: nothing}", ["reply"]),
        ("{transcript: turn off}", ["transcript"]),
        ("{intent: light.off}", ["intent"]),
        ("{slots: {device: bedroom light}}", ["slots"]),
        ("{changes: []}", ["changes"]),
        ("{asks: true, failed: true, ignored: true}", ["asks", "failed", "ignored"]),
        ("{turns: 2}", ["turns"]),
        ("{rang: timer}", ["rang"]),
        ("{trouble: StorageError}", ["trouble"]),
        ("{house: {light.kitchen: {on: false}, light.desk: {on: true}}}", [f"house.light.{n}.on" for n in LAMPS]),
        ("{tv: {on: true}}", ["tv.on"]),
        ("{player: {playing: true}}", ["player.playing"]),
        ("{timers: [{label: egg}]}", ["timers"]),
        ("{alarms: [mon 07:00]}", ["alarms"]),
        ("{reminders: [call]}", ["reminders"]),
        ("{lists: {shopping: [milk]}}", ["lists.shopping"]),
        ("{ringing: alarm}", ["ringing"]),
        ("{volume: 1, muted: true}", ["volume", "muted"]),
        ("{time: '09:00'}", ["time"]),
        ("{profile: anna}", ["profile"]),
        ("{mb_written: 0.0001}", ["mb_written"]),
    ],
)  # fmt: skip
def test_every_expectation_can_fail(tmp_path: Path, wanted: str, keys: list[str]) -> None:
    assert missed(tmp_path, f"  - {{say: turn on the kitchen light, expect: {wanted}}}\n")[1] == keys


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ("{sound: [media]}", ["sound"]),
        ("{sound: []}", ["sound"]),
        ("{woken: false}", ["woken"]),
        ("{interrupted: true}", ["interrupted"]),
        ("{led: muted}", ["led"]),
        ("{phase: idle}", ["phase"]),
        ("{answers: []}", ["answers"]),
    ],
)
def test_every_expectation_of_the_ears_can_fail(tmp_path: Path, wanted: str, keys: list[str]) -> None:
    steps = f"  - {{say: hey jarvis turn on the kitchen light, expect: {wanted}}}\n"
    assert missed(tmp_path, steps, "ears: tones\n")[1] == keys


def test_absent_is_what_must_not_be(tmp_path: Path) -> None:
    steps = "  - {say: turn on the kitchen light, absent: {house: {light.kitchen: {on: true}}, turns: 7}}\n"
    assert missed(tmp_path, steps) == (3, ["house"])


def test_an_answer_that_is_late_is_found(tmp_path: Path) -> None:
    steps = "  - {say: hey jarvis turn on the kitchen light, within_ms: 1}\n"
    assert missed(tmp_path, steps, "ears: tones\n") == (4, ["within_ms"])
    steps = steps.replace("hey jarvis ", "").replace("within_ms: 1", "within_ms: 1000")
    assert missed(tmp_path, steps, "ears: tones\n") == (4, ["within_ms"]), "no wake word, no answer"


def test_what_is_to_fail_has_to_fail(tmp_path: Path) -> None:
    head = "expected_failure: lamps are not built\n"
    assert played(tmp_path, LIGHT.replace("true", "false"), head).status == "expected failure"
    passed = played(tmp_path, LIGHT, head)
    assert passed.status == "passed unexpectedly"
    assert not passed.good


def test_what_is_to_fail_has_to_fail_where_it_was_announced(tmp_path: Path) -> None:
    result = played(tmp_path, LIGHT.replace("true", "false") + LIGHT, "expected_failure: lamps are not built\n")
    assert result.status == "failed", "what leads there has to work"


def test_a_device_that_never_rings_is_a_miss(tmp_path: Path) -> None:
    assert missed(tmp_path, "  - {advance: ring}\n") == (3, ["advance"])


def test_a_scenario_past_its_limit_is_stuck(tmp_path: Path) -> None:
    assert missed(tmp_path, "  - {advance: 2 h}\n", "limit: 1 h\n")[1] == ["end"]


def test_every_step_of_a_repetition_is_judged(tmp_path: Path) -> None:
    steps = "  - {say: louder, repeat: 3}\n  - {expect: {volume: 90}}\n"
    assert played(tmp_path, steps).status == "passed"


def test_one_seed_one_trace_also_in_other_processes(tmp_path: Path) -> None:
    text = f"""
- name: a
  ears: tones
  seed: 4
  steps:
    - {{say: hey jarvis set a timer for ten minutes}}
    - {{fault: {{microphone: xruns}}}}
    - {{fault: {{power: cut}}}}
    - {{advance: ring}}
- name: b
  ears: typed
  steps:
  {LIGHT}
"""
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = load_file(file)
    first, second = list(run_all(loaded, jobs=1)), list(run_all(loaded, jobs=2))
    assert differences(first, second) == []
    changed = [*second[:-1], Played("b", file, 0, "passed", digest="other")]
    assert differences([Played("b", file, 0, "passed", digest="one")], changed[-1:]) == [f"{file}:0: b"]


@pytest.mark.parametrize(("wanted", "kept"), [("speech", False), ("media", True)])
def test_of_tones_only_what_went_wrong_is_worth_hearing(tmp_path: Path, wanted: str, kept: bool) -> None:
    file = tmp_path / "a.yaml"
    step = f"{{say: hey jarvis what time is it, expect: {{sound: {wanted}}}}}"
    file.write_text(f"name: a\nears: tones\nsteps: [{step}]\n", encoding="utf-8")
    (loaded,) = load_file(file)
    assert play(loaded).heard is None
    heard = play(loaded, keep_sound=True).heard
    assert (heard is not None) is kept
    if heard:
        assert len(heard.microphone) == len(heard.speaker)
        assert heard.microphone.any()
        assert heard.speaker.any()


def test_the_schema_that_ships_is_that_of_the_types() -> None:
    shipped = Path(__file__).parents[2] / "firmware_sim" / "scenario" / "schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json.loads(json.dumps(schema())), (
        "write it anew: homebody simulate --schema > firmware_sim/scenario/schema.json"
    )


def test_every_key_of_the_schema_says_what_it_means() -> None:
    for name, part in schema()["$defs"].items():
        properties = part.get("properties", {})
        assert not [key for key, value in properties.items() if not value.get("description")], name


def test_an_editor_takes_what_ships_and_marks_what_is_wrong() -> None:
    parts = schema()["$defs"]
    editor = jsonschema.Draft202012Validator({**parts["Scenario"], "$defs": parts})
    for file in find([SCENARIOS]):
        for scenario in read(file.read_text(encoding="utf-8")).value:
            editor.validate(scenario)
    for wrong in ({"ears": "both"}, {"steps": [{"expect": {"rply": "x"}}]}, {"seed": "{two} {words}"}):
        assert not editor.is_valid({"name": "a", "steps": [], **wrong})
