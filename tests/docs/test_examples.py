"""Owns the proof that every Python and XML example of the README and the documentation is right."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

ROOT = Path(__file__).parents[2]
TYPED = ROOT / "docs" / "tutorial" / "race.md"  # test_tutorial types it into a shell
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {TYPED})]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"Put this into `(\w+)\.py`:\s*\Z")


def examples(language: str, *, tests: bool = False) -> list[object]:
    """The blocks of a language in all pages: those that are tests, or all others."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[1] == language and ("def test_" in block[2]) is tests:
                line = text[: block.start()].count("\n") + 1
                found.append(pytest.param(block[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found  # type: ignore[return-value]


def modules() -> dict[str, str]:
    """The blocks that a page puts into a module, by its name: the examples of the page import it."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        end = 0
        for block in BLOCK.finditer(text):
            named = MODULE.search(text, end, block.start())
            end = block.end()
            if named is not None and block[1] == "python":
                assert named[1] not in found
                found[named[1]] = block[2]
    return found


@pytest.fixture
def written_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules of the pages, to be imported from a folder of this test's own."""
    for name, code in modules().items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in modules():
        sys.modules.pop(name, None)


@pytest.fixture
def registered_for_now() -> Iterator[None]:
    """What an example registers in the default registry is gone after it."""
    yield
    runtimes = fs.registry._runtimes
    for name in runtimes.keys() - fs.registry._homes.keys():
        del runtimes[name]


@pytest.fixture
def logged_for_now() -> Iterator[None]:
    """The handlers that an example gives to the root logger are gone after it."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)


@pytest.mark.parametrize("code", examples("python"))
@pytest.mark.usefixtures("written_modules", "registered_for_now", "logged_for_now")
def test_every_python_example_runs(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    # A virtual clock runs ahead of threads, in which files are read; those examples wait for nothing else.
    # Cases and proofs bring a clock of their own.
    if not any(word in code for word in ("source:file", "MockClock", "run_cases", "prove(")):
        run = trio.run

        def run_virtually(*args: object) -> object:
            return run(*args, clock=MockClock(autojump_threshold=0))  # type: ignore[arg-type]

        monkeypatch.setattr(trio, "run", run_virtually)
    exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "example"})


@pytest.mark.parametrize("text", examples("xml"))
def test_every_xml_example_is_valid(text: str) -> None:
    assert fs.loads(text).warnings == ()


@pytest.mark.parametrize("code", examples("python", tests=True))
def test_every_example_of_tests_passes(code: str, tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text(code)
    module = "flowscript_trio.testing.plugin"
    installed = any(point.value == module for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", module]  # an installation may be older than the plugin
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *plugin],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_the_readme_begins_with_the_two_commands_each_one_line() -> None:
    shell = [
        block[2] for block in BLOCK.finditer((ROOT / "README.md").read_text()) if block[1] == "sh"
    ]
    assert len(shell) >= 2
    assert all(len(command.strip().splitlines()) == 1 for command in shell[:2])
    assert shell[0].strip().endswith("flowscript demo")
    assert "pytest" in shell[1]
