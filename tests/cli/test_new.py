"""Owns the tests of ``flowscript new``: what it writes is right, passes its own test cases, and is proved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands


def flowscript(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["greet", "greet.xml"])
def test_a_document_and_its_cases_are_written(name: str, tmp_path: Path) -> None:
    done = flowscript("new", name)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "greet.xml\ngreet.test.yaml\n"
    assert '<workflow name="greet"' in (tmp_path / "greet.xml").read_text()
    for path in tmp_path.iterdir():
        assert "@NAME@" not in path.read_text()


@pytest.mark.slow
def test_what_is_written_is_valid_neat_runs_and_passes_its_cases() -> None:
    flowscript("new", "greet")
    done = flowscript("validate", "greet.xml")
    assert (done.exit_code, done.stderr) == (0, "valid\n")
    assert flowscript("fmt", "--check", "greet.xml").exit_code == 0
    done = flowscript("test", "greet.xml")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["passed"] == 4
    done = flowscript("prove", "greet.xml", "-k", "busy")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["violations"] == 0


def test_the_document_runs_as_its_comment_says(tmp_path: Path) -> None:
    flowscript("new", "greet")
    [line] = [one for one in (tmp_path / "greet.xml").read_text().splitlines() if " -c " in one]
    words = line[line.index("run ") : line.index(" -->")].replace("'", "").split(" -c ")
    done = flowscript(*words[0].split(), "--quiet", "-c", words[1])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"count": 2, "text": "Hello, Ada! Hello, Grace!"}


@pytest.mark.parametrize("there", ["greet.xml", "greet.test.yaml"])
def test_nothing_that_is_there_is_written_over(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("mine")
    done = flowscript("new", "greet")
    assert done.exit_code == 2
    assert there in done.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


@pytest.mark.parametrize("name", ["", "1a", "a b", "missing/greet", "<b>"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    done = flowscript("new", name)
    assert done.exit_code == 2
    assert "Error" in done.stderr
    assert list(tmp_path.iterdir()) == []
