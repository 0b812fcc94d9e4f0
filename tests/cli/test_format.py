"""Owns the tests of ``flowscript fmt``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands

UGLY = "<workflow name='w'><!-- é --><set var='a' value='1'/></workflow>"
NEAT = '<workflow name="w">\n  <!-- é -->\n  <set var="a" value="1"/>\n</workflow>\n'
BROKEN = '<workflow name="w">\n<oops'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("ugly.xml", UGLY), ("neat.xml", NEAT), ("broken.xml", BROKEN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def fmt(folder: Path, *words: str, stdin: str | None = None) -> Result:
    full = [str(folder / word) if word.endswith((".xml", ".md")) else word for word in words]
    return CliRunner().invoke(commands, ["fmt", *full], input=stdin)


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_a_document_goes_to_standard_output_and_stays_as_it_is(folder: Path) -> None:
    before = texts(folder)
    done = fmt(folder, "ugly.xml")
    assert (done.exit_code, done.stdout, done.stderr) == (0, NEAT, "")
    assert texts(folder) == before


def test_standard_input_is_formatted(folder: Path) -> None:
    done = fmt(folder, "-", stdin=UGLY)
    assert (done.exit_code, done.stdout) == (0, NEAT)


def test_check_names_what_would_change_and_changes_nothing(folder: Path) -> None:
    before = texts(folder)
    done = fmt(folder, "--check", "neat.xml", "ugly.xml")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"{folder / 'ugly.xml'} would change\n"
    assert fmt(folder, "--check", "neat.xml").exit_code == 0
    assert fmt(folder, "--check", "-", stdin=UGLY).exit_code == 1
    assert texts(folder) == before


def test_write_puts_the_result_into_the_files(folder: Path) -> None:
    kept = (folder / "neat.xml").stat().st_mtime_ns
    done = fmt(folder, "--write", "neat.xml", "ugly.xml")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"{folder / 'ugly.xml'} changed\n"
    assert texts(folder)["ugly.xml"] == NEAT
    assert (folder / "neat.xml").stat().st_mtime_ns == kept
    assert sorted(texts(folder)) == ["broken.xml", "neat.xml", "ugly.xml"]


def test_a_file_that_is_written_keeps_its_permissions(folder: Path) -> None:
    (folder / "ugly.xml").chmod(0o640)
    assert fmt(folder, "--write", "ugly.xml").exit_code == 0
    assert (folder / "ugly.xml").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(folder: Path) -> None:
    (folder / "link.xml").symlink_to(folder / "ugly.xml")
    assert fmt(folder, "--write", "link.xml").exit_code == 0
    assert (folder / "link.xml").is_symlink()
    assert texts(folder)["ugly.xml"] == NEAT


def test_nothing_is_written_where_one_of_several_is_broken(folder: Path) -> None:
    before = texts(folder)
    done = fmt(folder, "--write", "ugly.xml", "broken.xml")
    assert done.exit_code == 2
    assert "broken.xml:2:1" in done.stderr
    assert texts(folder) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--check", "--write", "neat.xml"),
        ("neat.xml", "ugly.xml"),
        ("--write", "-"),
        ("missing.xml",),
        (),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], folder: Path) -> None:
    before = texts(folder)
    done = fmt(folder, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error" in done.stderr
    assert texts(folder) == before
