"""Owns the tests of ``flowscript test``: streams, choice of cases, and the exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
TEXT = """<workflow name="w"><source:http id="a" url="http://x.invalid"/></workflow>"""
CASES = """
cases:
  first one: {stubs: {a: {output: 1, delay: 20s}}, output: 1, duration: 20s}
  second one: {stubs: {a: {output: {n: "\\e[2J"}}}, output: {n: 2}}
  third: {stubs: {a: {error: no}}, error: no}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w.xml").write_text(TEXT)
    (tmp_path / "w.test.yaml").write_text(CASES)
    return tmp_path


def flowscript(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLOWSCRIPT, "test", *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
    )


def names(done: subprocess.CompletedProcess[str]) -> list[Any]:
    return [case["name"] for case in json.loads(done.stdout)["cases"]]


def test_results_go_to_standard_output_as_json_and_lines_for_people_to_standard_error(
    folder: Path,
) -> None:
    done = flowscript(folder, "w.xml")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "cases": [
            {"name": "first one", "passed": True, "problems": [], "duration": 20.0},
            {
                "name": "second one",
                "passed": False,
                "problems": ['output.n: expected 2, found "\\u001b[2J"'],
                "duration": 0.0,
            },
            {"name": "third", "passed": True, "problems": [], "duration": 0.0},
        ],
        "passed": 2,
        "failed": 1,
    }
    assert done.stderr.splitlines() == [
        "ok      first one (20 s)",
        "FAILED  second one  w.test.yaml:4:3",
        '        output.n: expected 2, found "\\u001b[2J"',
        "ok      third (0 s)",
        "2 passed, 1 failed",
    ]


def test_the_exit_status_is_0_when_all_cases_passed(folder: Path) -> None:
    done = flowscript(folder, "w.xml", "--case", "third", "--case", "first one")
    assert done.returncode == 0
    assert names(done) == ["first one", "third"]


def test_cases_can_be_chosen_by_a_part_of_their_names(folder: Path) -> None:
    assert names(flowscript(folder, "w.xml", "-k", "ONE")) == ["first one", "second one"]
    assert names(flowscript(folder, "w.xml", "--keyword", "i", "--case", "third")) == ["third"]


def test_the_cases_may_stand_in_another_file(folder: Path) -> None:
    (folder / "w.test.yaml").rename(folder / "other.yaml")
    done = flowscript(folder, "w.xml", "--cases", "other.yaml", "-k", "third")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["w.xml", "--case", "thrid"], "there is no case 'thrid'; did you mean 'third'?"),
        (["w.xml", "-k", "nothing"], "no case is chosen"),
        (["w.xml", "--cases", "none.yaml"], "none.yaml: No such file"),
        (["none.xml"], "none.xml: No such file"),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_exits_with_2(folder: Path, args: list[str], message: str) -> None:
    done = flowscript(folder, *args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_file_of_cases_that_is_not_valid_exits_with_2_and_shows_all_problems(
    folder: Path,
) -> None:
    (folder / "w.test.yaml").write_text("cases:\n  a: {outptu: 1}\n  b: {real: [c], output: 1}\n")
    done = flowscript(folder, "w.xml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "w.test.yaml:2:7: error: a case has no key 'outptu'" in done.stderr
    assert "did you mean 'output'?" in done.stderr
    assert "3 errors" in done.stderr


def test_a_document_that_is_not_valid_exits_with_2(folder: Path) -> None:
    (folder / "w.xml").write_text('<workflow name="w"><deelay id="a"/></workflow>')
    done = flowscript(folder, "w.xml")
    assert done.returncode == 2
    assert "did you mean 'delay'" in done.stderr


def open_when_read(pipe: Path, process: subprocess.Popen[str]) -> int:
    """The writing end of a pipe, once the process reads from it."""
    while process.poll() is None:
        with suppress(OSError):  # nobody reads yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    raise AssertionError(process.communicate())


def test_ctrl_c_exits_with_130_and_prints_no_failure(folder: Path) -> None:
    (folder / "w.xml").write_text(
        '<workflow name="w"><source:file id="a" path="pipe" format="text"/></workflow>'
    )
    (folder / "w.test.yaml").write_text("cases: {hangs: {real: true, output: x}}")
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(
        [*FLOWSCRIPT, "test", "w.xml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        writer = open_when_read(folder / "pipe", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        os.close(writer)
    assert process.returncode == 130, err
    assert out == ""
    assert err == "interrupted\n"
