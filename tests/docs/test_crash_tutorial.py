"""Owns the proof that a person who follows the tutorial about a crash arrives at its result, with ``kill -9``."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from typing_in import Command, File, script_of, steps_of

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "crash.md"
WAITED = "until test -e booked.txt; do sleep 0.05; done"
"""What a person sees in five seconds, for a machine of which nobody knows how long it takes."""


def hurried(step: File | Command) -> File | Command:
    """The step, with a shorter wait for the bank."""
    if isinstance(step, File):
        return replace(step, text=step.text.replace('"10s"', '"3s"'))
    return replace(step, line=WAITED) if step.line.startswith("sleep") else step


def test_who_kills_a_run_as_the_tutorial_says_can_go_on_with_it(tmp_path: Path) -> None:
    steps = [hurried(step) for step in steps_of(PAGE.read_text(encoding="utf-8"))]
    folder = tmp_path / "empty"
    folder.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-c", script_of(steps)],
        cwd=folder,
        env={**os.environ, "PATH": path, "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert not (tmp_path / "failed").exists()
    typed = {number: step for number, step in enumerate(steps) if isinstance(step, Command)}
    assert [step.line for step in typed.values() if step.line.startswith("kill -9")]
    for number, step in typed.items():
        if step.shown is not None:
            shown = (tmp_path / f"shown.{number}").read_text().splitlines(keepends=True)
            ours = [
                line for line in shown if "Killed" not in line
            ]  # the shell tells of that when it likes
            assert "".join(ours) == step.shown, step.line
