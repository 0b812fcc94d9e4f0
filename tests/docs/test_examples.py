"""Owns the proof that every Python and XML example of the README and the documentation is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(language: str) -> list[object]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[1] == language:
                line = text[: block.start()].count("\n") + 1
                found.append(pytest.param(block[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


@pytest.mark.parametrize("code", examples("python"))
def test_every_python_example_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A virtual clock runs ahead of threads, in which files are read; those examples wait for nothing else.
    # Cases bring a clock of their own.
    if not any(word in code for word in ("source:file", "MockClock", "run_cases")):
        run = trio.run

        def run_virtually(*args: object) -> object:
            return run(*args, clock=MockClock(autojump_threshold=0))

        monkeypatch.setattr(trio, "run", run_virtually)
    exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "example"})


@pytest.mark.parametrize("text", examples("xml"))
def test_every_xml_example_is_valid(text: str) -> None:
    assert fs.loads(text).warnings == ()


def test_the_readme_begins_with_the_two_commands_each_one_line() -> None:
    shell = [
        block[2] for block in BLOCK.finditer((ROOT / "README.md").read_text()) if block[1] == "sh"
    ]
    assert len(shell) >= 2
    assert all(len(command.strip().splitlines()) == 1 for command in shell[:2])
    assert shell[0].strip().endswith("flowscript demo")
    assert "pytest" in shell[1]
