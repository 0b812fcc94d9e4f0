"""Owns the proof that every shell example of the how-to pages and the explanations works.

They are about a workflow ``nightly.xml`` and runs of it that are recorded, or in a store; here they are.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from typing_in import Command, steps_of

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for folder in ("howto", "explanation", "reference", "examples")
    for page in sorted((ROOT / "docs" / folder).rglob("*.md"))
    if "\n```sh\n" in page.read_text(encoding="utf-8")
]
NIGHTLY = """
<workflow name="nightly">
  <parallel id="both">
    <branch><delay id="pause" duration="1ms"/></branch>
    <branch><transform type="template" id="hello" template="hello"/></branch>
  </parallel>
</workflow>
"""
RUN = "5f465852"
"""The run that the pages speak of."""


def flowscript(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowscript_trio", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def commands_of(page: Path) -> list[list[str]]:
    steps = steps_of(page.read_text(encoding="utf-8"))
    typed = [step.line for step in steps if isinstance(step, Command) and step.shown is None]
    return [shlex.split(line) for line in typed]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the workflow, and a record of a run of it, and a run in a store."""
    (tmp_path / "nightly.xml").write_text(NIGHTLY)
    for kept in (("--record", "runs"), ("--store", "runs.db", "--run-id", "nightly-1")):
        done = flowscript(tmp_path, "run", "nightly.xml", *kept, "--quiet")
        assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_shell_example_of_a_page_works(page: Path, folder: Path) -> None:
    [record] = (folder / "runs").iterdir()
    recorded = record.stem.rpartition("-")[2]
    for words in commands_of(page):
        if words[0] == "flowscript":
            given = [recorded if word == RUN else word for word in words[1:]]
            done = flowscript(folder, *given)
        else:  # the benchmarks: that they take these words is seen here, that they run in their own tests
            assert words[:4] == ["PYTHONPATH=tests", "python", "-m", "benchmarks"]
            env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
            command = [sys.executable, *words[2:], "--help"]
            done = subprocess.run(
                command, cwd=folder, env=env, capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, (words, done.stderr)


def test_there_are_such_pages() -> None:
    assert len(PAGES) >= 4
    assert all(commands_of(page) for page in PAGES)
