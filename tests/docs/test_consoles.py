"""Owns the proof that console examples and the README's picture are what the commands really show."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from typing_in import File, steps_of, without_chance

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```console" in page.read_text()
    and page.name not in ("race.md", "crash.md")  # typed by tests of their own
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_console_example_of_a_page_shows_what_it_says(page: Path, tmp_path: Path) -> None:
    tried = 0
    for step in steps_of(page.read_text(encoding="utf-8")):
        if isinstance(step, File):
            (tmp_path / step.name).write_text(step.text, encoding="utf-8")
        elif step.shown is not None:
            program, *args = shlex.split(step.line)
            assert program == "flowscript"
            done = subprocess.run(
                [*FLOWSCRIPT, *args],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd=tmp_path,
            )
            assert without_chance(done.stdout) == without_chance(step.shown)
            tried += 1
    assert tried


def test_the_picture_in_the_readme_is_what_the_demo_shows_on_a_terminal() -> None:
    main, side = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen(
        [*FLOWSCRIPT, "demo"], stdout=subprocess.DEVNULL, stderr=side, env=env
    ) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # how Linux tells the end of a terminal
                break
            if not part:
                break
            shown += part
        assert process.wait(30) == 0
    os.close(main)
    last = shown.decode().replace("\r", "").rpartition("\x1b[2K")[2]
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", last)
    picture = next(b[2] for b in BLOCK.finditer((ROOT / "README.md").read_text()) if b[1] == "text")
    kept = without_chance(picture).rstrip("\n")
    assert kept in without_chance(plain), plain


def test_all_cases_of_the_page_on_testing_but_the_wrong_one_pass(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "test-a-workflow.md").read_text()
    blocks = {block[1]: block[2] for block in reversed(list(BLOCK.finditer(page)))}
    (tmp_path / "report.xml").write_text(blocks["xml"])
    (tmp_path / "report.test.yaml").write_text(blocks["yaml"])
    done = subprocess.run(
        [*FLOWSCRIPT, "test", "report.xml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "3 passed, 1 failed" in done.stderr, done.stderr
