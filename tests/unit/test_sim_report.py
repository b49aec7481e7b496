"""What people see of scenarios that were played: timelines, tables, pages, JUnit's XML. All from plain values."""

import base64
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from junitparser import JUnitXml
from rich.console import Console, RenderableType

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, StorageError
from firmware_sim.manual_clock import ManualClock
from firmware_sim.results.junit import write_junit
from firmware_sim.results.plots import histogram, soundtrack
from firmware_sim.results.report import page, write_report
from firmware_sim.results.table import Progress, summary
from firmware_sim.results.timeline import clock_time, duration, failure_text, lines, plain, timeline
from firmware_sim.results.totals import latency, size, totals, worst_first
from firmware_sim.scenario.excerpt import LONGEST, LONGEST_IDLE, Excerpt, Heard, Span, excerpt
from firmware_sim.scenario.expect import Miss
from firmware_sim.scenario.played import Failure, Played
from firmware_sim.scenario.trace import Record, digest

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FILE = Path("homes/lights.yaml")
TURN = {
    "heard": "turn on the lamp",
    "intents": ["light.on"],
    "slots": [{"device": "lamp"}],
    "source": ["grammar 1.00"],
    "changes": ["light.on lamp"],
    "reply": "Okay, the lamp is on.",
    "ms": {"nlu": 0.3, "stt": 0.0},
}
RECORDS = (
    Record(0.0, "step", {"line": 4, "does": "say turn on the lamp"}),
    Record(0.5, "phase", {"phase": "follow_up"}),
    Record(0.9, "house", {"appliance": "light.lamp", "on": True}),
    Record(0.9, "turn", TURN),
    Record(1.25, "sound", {"after_endpoint_ms": 5.0, "after_speech_ms": 350.0}),
    Record(2.0, "phase", {"phase": "idle"}),
    Record(3600.5, "rings", {"ring": "timer", "words": "Time's up."}),
    Record(3601.0, "interrupted", {}),
    Record(3602.0, "step", {"line": 6, "does": "fault storage full"}),
    Record(3602.0, "trouble", {"error": "StorageError", "message": "The disk is full."}),
    Record(3603.0, "died", {"room": "kitchen"}),
    Record(3604.0, "tv", {"on": False, "channel": 3}),
)
MISSES = (Miss("reply", r"Done\.", "Okay, the lamp is on."), Miss("house.light.lamp.on", False, True))
TRACEBACK = "Traceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'lamp'\n"


def played(name: str = "a lamp", **given: object) -> Played:
    usual = {
        "file": FILE,
        "line": 2,
        "status": "passed",
        "records": RECORDS,
        "digest": digest(RECORDS),
        "latencies_ms": (350.0,),
        "simulated": 3604.0,
        "seconds": 0.5,
        "turns": 1,
        "written": 12_000,
    }
    return Played(name, **(usual | given))  # type: ignore[arg-type]


PASSED = played()
FAILED = played(
    "a lamp that stays off", line=9, status="failed", failures=(Failure(1, 11, "say turn on the lamp", MISSES),)
)
ANNOUNCED = replace(FAILED, name="poems", line=20, status="expected failure", reason="It knows no poems.")
SURPRISE = played("no longer", line=30, status="passed unexpectedly", reason="It knew no poems.")
BROKEN = played("a bug", file=Path("homes/bugs.yaml"), line=1, status="broken", reason=TRACEBACK, latencies_ms=())
ALL = (PASSED, ANNOUNCED, SURPRISE, BROKEN, FAILED)


def shown(renderable: RenderableType, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def tone(seconds: float, level: float = 8000.0) -> Pcm:
    return np.asarray(level * np.sin(np.arange(round(seconds * SAMPLE_RATE)) / 5), np.int16)


def noise(seconds: float, level: float = 40.0) -> Pcm:
    return np.asarray(np.random.default_rng(0).normal(0, level, round(seconds * SAMPLE_RATE)), np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


# Timeline -----------------------------------------------------------------------------------------------------


def test_a_timeline_tells_everything_in_order() -> None:
    told = [re.sub(r" +", " ", line).strip() for line in lines(PASSED)]
    assert told == [
        "0:00.000 :4 say turn on the lamp",
        "0:00.500 phase follow up",
        "0:00.900 house light.lamp on true",
        "0:00.900 heard turn on the lamp",
        "0:00.900 means light.on device=“lamp” (grammar 1.00)",
        "0:00.900 does light.on lamp",
        "0:00.900 took nlu 0.3 ms",
        "0:00.900 says Okay, the lamp is on.",
        "0:01.250 sounds 350 ms after the last word",
        "0:02.000 phase idle",
        "1:00:00.500 rings timer: Time's up.",
        "1:00:01.000 cut short",
        "1:00:02.000 :6 fault storage full",
        "1:00:02.000 trouble StorageError: The disk is full.",
        "1:00:03.000 died [kitchen] the power went in the middle of a write",
        "1:00:04.000 tv on false channel 3",
    ]


def test_what_was_not_met_ends_the_timeline_and_begins_with_file_and_line() -> None:
    told = failure_text(FAILED).splitlines()
    assert told[0] == "homes/lights.yaml:11: step 1 is not as expected: say turn on the lamp"
    assert [line.split() for line in told[1:3]] == [
        ["reply", "expected", r"“Done\.”"],
        ["found", "“Okay,", "the", "lamp", "is", "on.”"],
    ]
    assert lines(FAILED)[-len(told) :] == told
    assert shown(timeline(FAILED)).splitlines()[-len(told) :] == [line.ljust(0) for line in told]


def test_each_end_is_told() -> None:
    assert failure_text(PASSED) == ""
    assert failure_text(ANNOUNCED).startswith("homes/lights.yaml:20: fails as expected: It knows no poems.\n")
    assert "`expected_failure`" in failure_text(SURPRISE)
    assert failure_text(BROKEN).startswith("homes/bugs.yaml:1: ")
    assert "    KeyError: 'lamp'" in failure_text(BROKEN)


def test_a_file_in_the_working_directory_is_shown_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert failure_text(replace(FAILED, file=tmp_path / "x.yaml")).startswith("x.yaml:11: ")
    assert failure_text(replace(FAILED, file=tmp_path.parent / "x.yaml")).startswith(f"{tmp_path.parent}/x.yaml:11: ")


@given(st.floats(0, 40 * 86400))
def test_clock_times_are_read_back(at: float) -> None:
    *rest, seconds = clock_time(at).split(":")
    read = float(seconds)
    for factor, part in zip((60, 3600), reversed(rest), strict=False):
        read += factor * int(part)
    assert read == pytest.approx(at, abs=0.00051)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.00 s"),
        (59.96, "60.0 s"),
        (59.999, "1 min 00 s"),
        (3599.6, "1 h 00 min"),
        (28860, "8 h 01 min"),
        (30 * 86400 + 7200, "30 d 2 h"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_values_are_told_apart() -> None:
    assert [plain(v) for v in ("", None, 3, "3", 3.0, True, ["a", 1], {"k": ()})] == [
        "“”",
        "nothing",
        "3",
        "“3”",
        "3",
        "true",
        "[“a”, 1]",
        "{k: []}",
    ]


# Totals and tables --------------------------------------------------------------------------------------------


def test_totals_count_and_add() -> None:
    found = totals(ALL)
    assert found.counts == {"broken": 1, "failed": 1, "passed unexpectedly": 1, "expected failure": 1, "passed": 1}
    assert (found.bad, found.scenarios, found.turns, found.written) == (3, 5, 5, 60_000)
    assert found.speed == pytest.approx(3604 / 0.5)
    assert totals([]).latency is None
    assert totals([]).speed == 0


@given(st.lists(st.floats(0, 1e5), min_size=1))
def test_percentiles_are_latencies_that_occurred(answers: list[float]) -> None:
    found = latency(answers)
    assert found is not None
    assert {found.p50, found.p95, found.worst} <= set(answers)
    assert found.p50 <= found.p95 <= found.worst
    assert sum(ms <= found.p95 for ms in answers) >= 0.95 * len(answers) - 1e-9


def test_the_worst_come_first() -> None:
    assert [p.status for p in worst_first(ALL)] == [
        "broken",
        "failed",
        "passed unexpectedly",
        "expected failure",
        "passed",
    ]
    assert [size(count) for count in (999, 12_000, 3_400_000)] == ["999 B", "12.0 kB", "3.4 MB"]


def test_the_summary_names_reasons_and_places() -> None:
    text = shown(summary(ALL))
    assert re.search(r"homes/lights.yaml:20 +poems +It knows no poems\.", text)
    assert re.search(r"homes/lights.yaml:11 +a lamp that stays off +step 1: reply, house.light.lamp.on", text)
    assert re.search(r"homes/bugs.yaml:1 +a bug +KeyError: 'lamp'", text)
    assert "p50 350 ms, p95 350 ms" in text
    assert "5.01 h" in text
    assert "scenarios  none" in shown(summary([]))


def test_without_a_terminal_progress_is_a_line_each_and_failures_are_whole() -> None:
    console = Console(file=io.StringIO(), width=40)
    with Progress(console, 2, ManualClock(START)) as progress:
        progress.ended(PASSED)
        progress.ended(FAILED)
    told = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line[:11] for line in told[:2]] == ["1/2  passed", "2/2  failed"]
    assert told[2:] == lines(FAILED), "the timeline, and what was wrong at its end"
    assert told[-3:] == failure_text(FAILED).splitlines()[-3:]


def test_on_a_terminal_only_what_is_bad_stays() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    with Progress(console, 2, ManualClock(START)) as progress:
        progress.ended(PASSED)
        progress.ended(FAILED)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2/2" in told
    assert "1 passed  1 failed" in told
    assert failure_text(FAILED).splitlines()[0] in told


# Sound --------------------------------------------------------------------------------------------------------


def test_idle_stretches_are_cut_and_moments_are_found_again() -> None:
    microphone = np.concatenate([tone(1), noise(600), tone(1), noise(60)])
    cut = excerpt(Heard(microphone, silence(2)), [240.0], last=False)
    assert [(round(s.begin), round(s.end)) for s in cut.spans] == [(0, 2), (239, 241), (600, 603), (661, 662)]
    assert len(cut.microphone) == len(cut.speaker) == round(cut.seconds * SAMPLE_RATE)
    place = cut.place(240.0)
    assert place is not None
    assert cut.place(100.0) is None
    assert [round(seconds) for _, seconds in cut.cuts] == [237, 359, 58]
    begin = round((cut.place(601.0) or 0) * SAMPLE_RATE)
    assert np.array_equal(cut.microphone[begin : begin + 8000], microphone[601 * SAMPLE_RATE :][:8000])


def test_short_sound_is_kept_whole_and_of_mere_noise_both_ends() -> None:
    assert excerpt(Heard(tone(3), tone(2)), [], last=False).spans == (Span(0, 3),)
    assert excerpt(Heard(noise(60), silence(0)), [], last=False).spans == (Span(0, 1), Span(59, 60))


def test_of_much_sound_the_first_is_kept_and_of_a_failure_the_last() -> None:
    heard = Heard(np.tile(np.concatenate([tone(1), noise(1)]), round(LONGEST + 30) // 2), silence(0))
    assert excerpt(heard, [], last=False).spans[0].begin == 0
    assert excerpt(heard, [], last=True).spans[0].begin == 30
    assert excerpt(heard, [], last=True).seconds == LONGEST


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.int16, st.integers(1, 200), elements=st.sampled_from([-32768, -9, 0, 40, 32767])),
    st.lists(st.floats(0, 30)),
    st.booleans(),
)
def test_what_is_kept_is_the_sound_as_it_was(levels: Pcm, moments: list[float], last: bool) -> None:
    microphone = np.repeat(levels, SAMPLE_RATE // 8)
    cut = excerpt(Heard(microphone, microphone[::-1]), moments, last=last)
    assert len(cut.microphone) == len(cut.speaker) == round(cut.seconds * SAMPLE_RATE)
    assert cut.seconds + sum(seconds for _, seconds in cut.cuts) == pytest.approx(cut.whole, abs=0.2)
    for span in cut.spans:
        place = cut.place((span.begin + span.end) / 2)
        assert place is not None
        assert cut.microphone[min(int(place * SAMPLE_RATE), len(cut.microphone) - 1)] in (*levels, 0)


def heard(cut_out: float = LONGEST_IDLE + 20) -> Excerpt:
    microphone = np.concatenate([tone(2), noise(cut_out), tone(2)])
    return excerpt(Heard(microphone, np.concatenate([silence(1), tone(1, 2000)])), [], last=False)


def test_a_soundtrack_places_all_on_one_axis() -> None:
    track = soundtrack(replace(FAILED, heard=heard()))
    assert track is not None
    assert track.scale * track.seconds == pytest.approx(960)
    assert [step.kind for step in track.steps] == ["step"]
    assert [(room, [band.kind for band in bands]) for room, bands in track.phases] == [("", ["follow_up"])]
    (answer,) = track.answers
    assert answer.text == "350 ms"
    assert answer.width == pytest.approx(0.35 * track.scale)
    assert answer.x + answer.width == pytest.approx(92 + 1.25 * track.scale)
    assert len(track.cuts) == 1
    assert track.ticks[0].text.startswith("0:00")
    for mp3, loud in ((track.microphone_mp3, 8000), (track.speaker_mp3, 2000)):
        sound, rate = soundfile.read(io.BytesIO(base64.b64decode(mp3)), dtype="int16")
        assert rate == SAMPLE_RATE
        assert len(sound) / rate == pytest.approx(track.seconds, abs=0.1)
        assert np.abs(sound).max() == pytest.approx(loud, rel=0.3)


def test_silence_is_drawn_too() -> None:
    track = soundtrack(replace(PASSED, records=(), heard=excerpt(Heard(silence(1), silence(0)), [], last=False)))
    assert track is not None
    assert track.microphone.peak == "silent"
    assert soundtrack(replace(PASSED, heard=excerpt(Heard(silence(0), silence(0)), [], last=False))) is None
    assert soundtrack(PASSED) is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_histogram_holds_all(answers: list[float]) -> None:
    drawn = histogram(answers, [("p50", answers[0])])
    assert sum(int(title.rpartition(" ")[2]) for *_, title in drawn.bars) == len(answers)
    assert all(0 <= x < 1 and 0 < height <= 1 for x, _, height, _ in drawn.bars)
    assert 0 <= drawn.marks[0][0] <= 1


# The page -----------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Notes each scenario's status and whether it is open, and tags that are left open."""

    def __init__(self) -> None:
        super().__init__()
        self.scenarios: list[tuple[str, bool]] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "details":
            self.scenarios.append((found["data-status"] or "", "open" in found))
        self.addresses += [value for key, value in attrs if key in ("src", "href") and value]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_failures_stand_first_and_open() -> None:
    reader = read(page([PASSED, replace(FAILED, heard=heard()), ANNOUNCED, BROKEN, SURPRISE]))
    assert reader.scenarios == [
        ("broken", True),
        ("failed", True),
        ("passed unexpectedly", True),
        ("expected failure", False),
        ("passed", False),
    ]


def test_the_page_needs_nothing_else() -> None:
    html = page([replace(FAILED, heard=heard()), ANNOUNCED])
    assert all(address.startswith(("data:", "#")) for address in read(html).addresses)
    assert sum(address.startswith("data:audio/mpeg") for address in read(html).addresses) == 2
    assert "http" not in re.sub(r"base64,[^\"]*", "", html)


def test_what_was_said_can_not_become_part_of_the_page() -> None:
    evil = "<script>alert(1)</script> & \"'"
    records = (Record(0.0, "step", {"line": 1, "does": f"say {evil}"}), Record(1.0, "turn", TURN | {"reply": evil}))
    failure = Failure(1, 1, evil, (Miss(evil, evil, evil),))
    one = played(evil, status="failed", records=records, failures=(failure,), heard=heard(), reason=evil)
    reader = read(page([one]))
    assert "".join(reader.text).count(evil) >= 5
    assert page([one]).count("<script>") == 1


def test_the_same_results_give_the_same_page() -> None:
    results = [replace(FAILED, heard=heard()), PASSED, ANNOUNCED, SURPRISE, BROKEN]
    assert page(results) == page(list(reversed(results)))


def test_a_page_of_nothing_and_a_very_long_trace() -> None:
    assert "All 0 scenarios" in page([])
    endless = tuple(Record(float(n), "step", {"line": 7, "does": f"say number {n}"}) for n in range(10_000))
    html = page([replace(PASSED, records=endless)])
    assert "rows are left out" in html
    assert "number 9999" in html
    assert len(html) < 200_000


# Files --------------------------------------------------------------------------------------------------------


def test_junit_has_a_suite_a_file_and_a_case_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "new" / "junit.xml"
    write_junit(ALL, path)
    document = JUnitXml.fromfile(str(path))
    assert (document.tests, document.failures, document.errors, document.skipped) == (5, 2, 1, 1)
    suites = {suite.name: {case.name: case for case in suite} for suite in document}
    assert list(suites) == ["homes/bugs.yaml", "homes/lights.yaml"]
    lights = suites["homes/lights.yaml"]
    assert not lights["a lamp"].result
    assert lights["poems"].result[0].message == "It knows no poems."
    failure = lights["a lamp that stays off"]
    assert failure.result[0].message.startswith("homes/lights.yaml:11: ")
    assert failure.system_out == "\n".join(lines(FAILED))
    assert suites["homes/bugs.yaml"]["a bug"].result[0].message == "KeyError: 'lamp'"
    raw = {case.get("name"): case for case in ElementTree.parse(path).iter("testcase")}
    assert (raw["a lamp that stays off"].get("file"), raw["a lamp that stays off"].get("line")) == (str(FILE), "11")


def test_junit_is_xml_whatever_was_said(tmp_path: Path) -> None:
    odd = "\x00\x1b[31m <&> \ud800 ]]> ü"
    one = replace(FAILED, name=odd, failures=(Failure(1, 1, odd, (Miss("reply", odd, odd),)),))
    write_junit([one], tmp_path / "junit.xml")
    assert JUnitXml.fromfile(str(tmp_path / "junit.xml")).failures == 1


@pytest.mark.parametrize("write", [write_report, write_junit])
def test_a_path_that_can_not_be_written_is_said_with_a_remedy(write: object, tmp_path: Path) -> None:
    assert callable(write)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as folder:
        write(ALL, tmp_path)
    with pytest.raises(StorageError) as blocked:
        write(ALL, tmp_path / "file" / "report")
    assert folder.value.remedy
    assert blocked.value.remedy
    assert {p.name for p in tmp_path.iterdir()} == {"file"}


def test_an_old_report_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write_report([PASSED], path)
    write_report([FAILED], path)
    assert path.read_text(encoding="utf-8") == page([FAILED])
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
