"""Owns the proof that the page that compares shows what its programs write, where their libraries are there."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PROGRAMS = DOCS / "examples" / "why"
PAGE = (DOCS / "explanation" / "why.md").read_text(encoding="utf-8")
NEEDS = {
    "nursery": "trio",
    "here": "flowscript_trio",
    "graph_langgraph": "langgraph",
    "graph_pydantic": "pydantic_graph",
    "durable_dbos": "dbos",
}
INSTALLED = [name for name, module in NEEDS.items() if find_spec(module) is not None]


def shown(name: str) -> str:
    """What the page says that a program writes."""
    after = PAGE.partition(f"(../examples/why/{name}.py)")[2]
    block = re.search(r"```text\n(.*?)```", after, re.DOTALL)
    assert block is not None
    return block[1]


def without_seconds(text: str) -> str:
    return re.sub(r"after \d+\.\d s", "after N s", text)


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTALLED)
def test_the_page_shows_what_a_program_writes(name: str) -> None:
    command = [sys.executable, f"{name}.py"]
    done = subprocess.run(command, cwd=PROGRAMS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert without_seconds(done.stdout) == without_seconds(shown(name))


def test_every_program_is_on_the_page_with_its_three_lines() -> None:
    assert {path.stem for path in PROGRAMS.glob("*.py")} == {*NEEDS, "tally"}
    for name in NEEDS:
        starts = [line.partition(":")[0] for line in shown(name).splitlines()]
        assert starts == ["one fails", "cancelled", "timed out"], name
