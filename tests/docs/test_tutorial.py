"""Owns the proof that a person who follows the tutorial literally, in an empty folder, arrives at its result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from typing_in import Command, File, script_of, steps_of, without_chance

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "race.md"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of this checkout: what an index has once the version is released."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(pip, check=True, env=environment())
    return folder


def environment(**more: str) -> dict[str, str]:
    """An environment as a newcomer's shell has it."""
    ours = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


def test_what_the_tutorial_says_is_typed_into_a_shell(wheels: Path, tmp_path: Path) -> None:
    steps = list(steps_of(TUTORIAL.read_text(encoding="utf-8")))
    assert sum(isinstance(step, File) for step in steps) == 4
    folder = tmp_path / "empty"
    folder.mkdir()
    shell = subprocess.run(
        ["bash", "-c", script_of(steps)],
        cwd=folder,
        env=environment(PIP_FIND_LINKS=str(wheels)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shell.returncode, shell.stdout, shell.stderr) == (0, "", "")
    shown = {
        number: (tmp_path / f"shown.{number}").read_text(encoding="utf-8")
        for number, step in enumerate(steps)
        if isinstance(step, Command)
    }
    failed = tmp_path / "failed"
    assert not failed.exists(), [shown[int(number)] for number in failed.read_text().split()]
    for number, step in enumerate(steps):
        if isinstance(step, Command) and step.shown is not None:
            assert without_chance(shown[number]) == without_chance(step.shown), step.line
    assert (folder / ".venv" / "bin" / "flowscript").exists()


def test_a_command_that_shows_something_else_would_be_found() -> None:
    page = (
        "Put this into `a.txt`:\n\n```text\nhello\n```\n\n"
        "```sh\ntrue\n```\n\n```console\n$ cat a.txt\nhello\n$ false\n```\n"
    )
    steps = list(steps_of(page))
    assert steps == [
        File("a.txt", "hello\n"),
        Command("true", None),
        Command("cat a.txt", "hello\n"),
        Command("false", ""),
    ]
    assert "echo 3 >> ../failed" in script_of(steps)
