"""Scenario files: what is read, and what is said of what can't be."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput
from firmware_sim.scenario.check import check
from firmware_sim.scenario.load import SCENARIOS, Loaded, ScenarioError, find, load_file
from firmware_sim.scenario.marked import MarkedError, read


def loaded(tmp_path: Path, text: str) -> list[Loaded]:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    return load_file(file)


def one(tmp_path: Path, steps: str, head: str = "") -> Loaded:
    (found,) = loaded(tmp_path, f"name: a\n{head}steps:\n{steps}")
    return found


def test_values_are_those_of_yaml_1_2() -> None:
    marks = read("{on: true, yes: off, at: 07:00, n: 12, x: 1.5, no: null, '1': 0x10}")
    assert marks.value == {"on": True, "yes": "off", "at": "07:00", "n": 12, "x": 1.5, "no": None, "1": 16}


def test_each_value_has_its_line() -> None:
    marks = read("a: 1\nb:\n  - c: 2\n  -\n    d: 3\n")
    assert [marks.line(path) for path in (("a",), ("b",), ("b", 0), ("b", 1, "d"))] == [1, 2, 3, 5]
    assert marks.line(("b", 1, "d", "deeper")) == 5


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        line = read(text).line(())
    except MarkedError as error:
        line = error.line
    assert line >= 1


def test_one_scenario_or_a_list(tmp_path: Path) -> None:
    assert [s.name for s in loaded(tmp_path, "name: a\nsteps: [{say: x}]\n")] == ["a"]
    names = [s.name for s in loaded(tmp_path, "- {name: a, steps: []}\n- {name: b, steps: []}\n")]
    assert names == ["a", "b"]


def test_a_case_fills_texts_keys_and_whole_values(tmp_path: Path) -> None:
    text = """
name: lights
cases: [{room: kitchen, on: true}, {room: bedroom, on: false}]
model: "{on}"
steps:
  - say: turn on the {room} light
    expect: {house: {"light.{room}": {on: "{on}"}}}
"""
    first, second = loaded(tmp_path, text)
    assert (first.name, second.name) == ("lights (room kitchen, on true)", "lights (room bedroom, on false)")
    assert first.scenario.model is True
    assert second.scenario.model is False
    assert first.scenario.steps[0].say == "turn on the kitchen light"
    assert second.scenario.steps[0].expect is not None
    assert second.scenario.steps[0].expect.house == {"light.bedroom": {"on": False}}


def test_a_name_with_a_placeholder_says_the_case_itself(tmp_path: Path) -> None:
    text = "name: the {room}\ncases: [{room: hall}]\nsteps: [{say: 'light in the {room}'}]\n"
    assert [s.name for s in loaded(tmp_path, text)] == ["the hall"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name: a\nsteps:\n  - say: x\n    expect:\n      rply: y\n", 5, "unknown key `rply`. Did you mean `reply`?"),
        ("name: a\nsteps:\n  - {say: x}\n  - {sya: x}\n", 4, "unknown key `sya`. Did you mean `say`?"),
        ("name: a\nears: both\nsteps: []\n", 2, "Choose from: typed, tones, speech."),
        ("name: a\nsteps:\n  - fault: {microphone: lost}\n", 3, "Choose from: unplugged, silent,"),
        ("steps: []\n", 1, "the key `name` is missing"),
        ("name: a\nsteps:\n  - {say: x, repeat: many}\n", 3, "expected int, got str"),
        ("name: a\nsteps: [\n", 3, "not valid YAML"),
        ("name: a\nname: b\nsteps: []\n", 2, "the key `name` stands twice"),
        ("just words\n", 1, "holds no scenario"),
        ("- {name: a, steps: []}\n- {name: a, steps: []}\n", 2, "stands at line 1 too"),
        ("name: a\ncases: [{b: 1}]\nsteps: [{say: '{c}'}]\n", 2, "a case has no `c`. It has: b."),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        loaded(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'a.yaml'}:{line}: ")
    assert says in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("head", "steps", "line", "says"),
    [
        ("", "  - {say: x, press: talk}\n", 3, "a step does one thing, this one 2: say, press"),
        ("", "  - {comment: nothing}\n", 3, "without anything to do or to expect"),
        ("", "  - {say: x, within_ms: 300}\n", 3, "`within_ms` means nothing where commands are typed"),
        ("", "  - {say: x, expect: {led: muted}}\n", 3, "`led` can't be where commands are typed"),
        ("", "  - {mute: true}\n", 3, "`mute` means nothing where commands are typed"),
        ("", "  - {fault: {microphone: unplugged}}\n", 3, "has no microphone"),
        ("", "  - {say: x, expect: {reply: '(('}}\n", 3, "no regular expression"),
        ("", "  - {say: x, expect: {intent: light.onn}}\n", 3, "Did you mean light.on?"),
        ("", "  - {say: x, expect: {intent: light.on, slots: {rom: a}}}\n", 3, "light.on has no slot rom"),
        ("", "  - {say: x, expect: {house: {light.kitchn: {on: true}}}}\n", 3, "Did you mean light.kitchen?"),
        ("", "  - {say: x, expect: {house: {light.kitchen: {open: true}}}}\n", 3, "a light has no `open`"),
        ("", "  - {say: x, expect: {tv: {chanel: 3}}}\n", 3, "Did you mean channel?"),
        ("", "  - {say: x, expect: {trouble: StorageErr}}\n", 3, "Did you mean StorageError?"),
        ("", "  - {advance: ring, expect: {rang: egg}}\n", 3, "no egg can ring"),
        ("", "  - {advance: soonish}\n", 3, "is no duration"),
        ("", "  - {advance: to 2020-01-01T00:00}\n", 3, "has passed"),
        ("", "  - {fault: {}}\n", 3, "nothing goes wrong here"),
        ("", "  - {fault: {after_writes: 3}}\n", 3, "until a `power: cut`"),
        ("", "  - {fault: {unreachable: [light.kitchn]}}\n", 3, "Did you mean light.kitchen?"),
        ("", "  - {fault: {clock: {zone: Mars/Base}}}\n", 3, "Mars/Base"),
        ("ears: tones\n", "  - {say: {file: no.wav}}\n", 4, "there is no recording no.wav"),
        ("ears: tones\n", "  - {say: {text: a, file: b.wav}}\n", 4, "either a `text` or a `file`"),
        ("ears: speech\n", "  - {say: {text: a, voice: mars}}\n", 4, "There is no voice `mars`"),
        ("ears: tones\n", "  - {say: {text: a, room: cave}}\n", 4, "cave"),
        ("ears: tones\n", "  - {hear: {}}\n", 4, "one of `file`, `talk` and `noise`"),
        ("ears: tones\n", "  - {say: x, send_after: 1 s}\n", 4, "the first step has no answer before it"),
        ("ears: tones\n", "  - {say: x, expect: {media_gain: 0.2}}\n", 4, "Set `music: true`"),
        ("ears: tones\n", "  - {say: x, expect: {sound: bang}}\n", 4, "there is no sound bang"),
        ("board: tv-arm\n", "  - {press: volume_up}\n", 4, "the board tv-arm has no button volume_up"),
        ("board: laptop\nears: tones\n", "  - {mute: true}\n", 5, "the board laptop has no mute switch"),
        ("board: toaster\n", "  - {say: x}\n", 2, "toaster"),
        ("start: tomorrow\n", "  - {say: x}\n", 2, "is no time"),
        ("zone: Europe/Atlantis\n", "  - {say: x}\n", 2, "there is no time zone Europe/Atlantis"),
        ("config: {speech: {volumes: 3}}\n", "  - {say: x}\n", 2, "the settings can't be so"),
    ],
)
def test_what_is_impossible_is_said_before_anything_is_played(
    tmp_path: Path, head: str, steps: str, line: int, says: str
) -> None:
    with pytest.raises(ScenarioError) as raised:
        check(one(tmp_path, steps, head))
    assert says in str(raised.value)
    assert raised.value.line == line


def test_an_empty_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no scenario"):
        find([tmp_path])
    with pytest.raises(BadInput, match="There is no scenario"):
        find([tmp_path / "b.yaml"])


def test_all_that_ship_can_be_played_and_are_enough() -> None:
    """Named stories; their cases come on top."""
    every = [scenario for file in find([SCENARIOS]) for scenario in load_file(file)]
    for scenario in every:
        check(scenario)
    assert len({(s.file, s.root) for s in every}) >= 150
