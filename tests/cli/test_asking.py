"""Owns the tests of how the command line asks a person."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowscript_trio.cli.asking import read_answer
from flowscript_trio.types.decisions import Answer

FLOW = """<workflow name="ship">
  <checkpoint id="ask" prompt="Ship it?">
    <action id="skip" label="Skip ahead" goto="end"/>
  </checkpoint>
  <transform:template id="between" template="shipped"/>
  <transform:template id="end" template="{{ask.action}} {{ask.input ?? '-'}} {{between ?? 'nothing'}}"/>
</workflow>"""

LABELS = {"approve": "Approve", "reject": "Reject", "skip": "Skip ahead"}
ANSWERS = [
    ("approve\n", Answer("approve")),
    (" 3 \n", Answer("skip")),
    ("SKIP\n", Answer("skip")),
    ("skip ahead\n", Answer("skip")),
    ("skip in a hurry\n", Answer("skip", "in a hurry")),
    ("2 no money\n", Answer("reject", "no money")),
    ("\n", None),
    ("4\n", None),
    ("approved\n", None),
]


@pytest.mark.parametrize(("line", "answer"), ANSWERS)
def test_an_answer_is_a_number_an_id_or_a_label(line: str, answer: Answer | None) -> None:
    assert read_answer(line, LABELS) == answer


def run_with(typed: str, folder: Path) -> tuple[int, str, str]:
    """Run the workflow with a terminal as standard input: exit status, standard output, standard error."""
    (folder / "ship.xml").write_text(FLOW)
    main, side = pty.openpty()
    os.write(main, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "flowscript_trio", "run", "ship.xml"],
        stdin=side,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )
    os.close(side)
    os.close(main)
    return done.returncode, done.stdout, done.stderr


def test_a_person_at_the_terminal_is_asked_until_the_answer_is_one(tmp_path: Path) -> None:
    status, output, shown = run_with("skpi\n3 in a hurry\n", tmp_path)
    assert (status, output) == (0, '"skip in a hurry nothing"\n')
    assert "Ship it?\n  1  approve\n  2  reject\n  3  skip  (Skip ahead)\n> " in shown
    assert re.search("please answer with one of approve, reject, skip; did you mean 'skip'", shown)


def test_the_end_of_the_terminal_counts_as_reject(tmp_path: Path) -> None:
    status, output, shown = run_with("\x04", tmp_path)
    assert (status, output) == (1, "")
    assert "CheckpointRejected: 'ask' was rejected (Ship it?)" in shown


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "ship.xml").write_text(FLOW.replace("prompt=", 'default="approve" prompt='))
    done = subprocess.run(
        [sys.executable, "-m", "flowscript_trio", "run", "ship.xml"],
        input="3\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, '"approve - shipped"\n')
    assert "Ship it?" not in done.stderr
