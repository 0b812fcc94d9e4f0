"""Owns the tests of ``flowscript graph``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from flowscript_trio.cli.commands import commands

DOCUMENT = '<workflow name="w"><transform type="template" id="a" template="x"/></workflow>'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "w.xml"
    path.write_text(DOCUMENT)
    return path


@pytest.mark.parametrize(
    ("words", "begins"),
    [([], "<svg "), (["-f", "mermaid"], "flowchart LR"), (["--format", "dot"], 'digraph "w" {')],
)
def test_a_picture_goes_to_standard_output(words: list[str], begins: str, file: Path) -> None:
    done = CliRunner().invoke(commands, ["graph", str(file), *words])
    assert done.exit_code == 0
    assert done.stdout.startswith(begins)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "begins"),
    [("w.svg", "<svg "), ("w.mmd", "flowchart LR"), ("w.gv", "digraph"), ("w.txt", "<svg ")],
)
def test_or_to_a_file_whose_name_says_the_format(name: str, begins: str, file: Path) -> None:
    done = CliRunner().invoke(commands, ["graph", str(file), "-o", str(file.with_name(name))])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert file.with_name(name).read_text().startswith(begins)
    assert {path.name for path in file.parent.iterdir()} == {"w.xml", name}


def test_a_file_that_cannot_be_written_is_refused_and_none_is_left(file: Path) -> None:
    (file.parent / "folder").mkdir()
    for target in (file.parent / "missing" / "w.svg", file.parent / "folder"):
        done = CliRunner().invoke(commands, ["graph", str(file), "-o", str(target)])
        assert done.exit_code == 2
        assert str(target.name) in done.stderr
    assert sorted(path.name for path in file.parent.iterdir()) == ["folder", "w.xml"]


def test_a_document_that_is_not_valid_is_not_drawn(file: Path) -> None:
    file.write_text('<workflow name="w"><delay id="a"/></workflow>')
    done = CliRunner().invoke(commands, ["graph", str(file)])
    assert done.exit_code == 2
    assert "w.xml:1:" in done.stderr
    assert done.stdout == ""
