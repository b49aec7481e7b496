"""Results for build servers: JUnit's XML, one suite a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from junitparser import Attr, Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from firmware_sim.results.timeline import failure_text, lines, shown_path
from firmware_sim.results.totals import save
from firmware_sim.scenario.played import Played

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write down."""


class _Case(TestCase):
    """A test case with where it stands, as GitLab, Jenkins and GitHub's annotations read it."""

    file = Attr()
    line = Attr()


def write_junit(results: Sequence[Played], path: Path) -> None:
    """Write the results as XML; a scenario that fails as expected counts as skipped, as with pytest.

    Raises:
        BadInput: The path is a folder.
        StorageError: The file can't be written.
    """
    document = JUnitXml("homebody")
    ordered = sorted(results, key=lambda played: (str(played.file), played.line, played.name))
    for file, group in groupby(ordered, key=lambda played: shown_path(played.file)):
        suite = TestSuite(_written(file))
        suite.add_testcases([_case(played) for played in group])
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    written: bytes = document.tostring()  # type: ignore[no-untyped-call]
    save(path, f'<?xml version="1.0" encoding="utf-8"?>\n{written.decode("utf-8")}\n')


def _case(played: Played) -> TestCase:
    file = shown_path(played.file)
    case = _Case(
        _written(played.name), _written(file.removesuffix(played.file.suffix).replace("/", ".")), played.seconds
    )
    case.file, case.line = _written(file), str(played.failures[0].line if played.failures else played.line)
    text = _written(failure_text(played))
    first = text.partition("\n")[0]
    match played.status:
        case "expected failure":
            case.result = [Skipped(_written(played.reason), "expected failure")]
        case "failed":
            case.result = [_with(Failure(first, "failed"), text)]
        case "passed unexpectedly":
            case.result = [_with(Failure(first, "passed unexpectedly"), text)]
        case "broken":
            case.result = [_with(Error(_written(_last(played.reason)), "broken"), text)]
    case.system_out = _written("\n".join(lines(played)))
    return case


def _with(result: Failure | Error, text: str) -> Failure | Error:
    result.text = text
    return result


def _last(reason: str) -> str:
    """Last line of a traceback, which names the error."""
    return next((line for line in reversed(reason.splitlines()) if line.strip()), "")


def _written(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
