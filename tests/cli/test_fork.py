"""Owns the tests of ``flowscript fork``, and of choosing among the runs of a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands
from flowscript_trio.cli.records import _STATES
from flowscript_trio.journal.rows import STATES

DOCUMENT = (
    '<workflow name="w"><source:file id="one" path="one.txt"/>'
    '<sink:file id="two" path="two.txt" input="one"/>'
    '<transform:template id="t" template="{{one}}!" after="two"/></workflow>'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a document, and a store in which it has run once."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.xml").write_text(DOCUMENT)
    (tmp_path / "one.txt").write_text("first")
    assert call("run", "w.xml", "--store", "runs.db", "--run-id", "r", "-q").exit_code == 0
    (tmp_path / "one.txt").write_text("second")
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


def test_a_fork_goes_on_from_a_node_with_what_was_before(folder: Path) -> None:
    (folder / "two.txt").unlink()
    forked = call("fork", "r", "--store", "runs.db", "--at", "two", "--run-id", "f")
    assert (forked.exit_code, forked.stdout) == (0, "f\n")
    assert "flowscript resume f --store runs.db" in forked.stderr
    done = call("resume", "f", "--store", "runs.db", "-q")
    assert json.loads(done.stdout) == "first!"
    assert (folder / "two.txt").read_text() == "first"


def test_a_fork_can_have_a_changed_document_and_outputs_given(folder: Path) -> None:
    (folder / "new.xml").write_text(DOCUMENT.replace("{{one}}!", "{{one}}?"))
    options = ("--document", "new.xml", "--skip", 'one="by hand"', "--run-id", "f")
    assert call("fork", "r", "--store", "runs.db", "--at", "one", *options).exit_code == 0
    assert json.loads(call("resume", "f", "--store", "runs.db", "-q").stdout) == "by hand?"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("r", "--at", "tow"), 2, "did you mean 'two'"),
        (("s", "--at", "two"), 2, "there is no run 's'"),
        (("r", "--at", "two", "--skip", "two"), 2, "expected KEY=JSON"),
        (("r", "--at", "two", "--skip", "two={"), 2, "expected KEY=JSON"),
    ],
)
def test_what_was_given_wrongly_is_said(
    words: tuple[str, ...], code: int, said: str, folder: Path
) -> None:
    done = call("fork", *words, "--store", "runs.db")
    assert done.exit_code == code
    assert said in done.stderr


def test_runs_are_chosen_by_status_name_and_age(folder: Path) -> None:
    def listed(*words: str) -> list[str]:
        done = call("runs", "--store", "runs.db", "--json", *words)
        assert done.exit_code == 0, done.stderr
        return [run["run"] for run in json.loads(done.stdout)]

    assert listed("--status", "completed", "--status", "failed") == ["r"]
    assert listed("--status", "failed") == []
    assert listed("--name", "w", "--younger-than", "1h") == ["r"]
    assert listed("--name", "other") == []
    assert listed("--younger-than", "0s") == []


def test_the_runs_of_a_folder_are_not_chosen_among(tmp_path: Path) -> None:
    done = call("runs", str(tmp_path), "--name", "w")
    assert (done.exit_code, "--store" in done.stderr) == (2, True)


def test_an_age_that_is_none_is_said(folder: Path) -> None:
    done = call("runs", "--store", "runs.db", "--younger-than", "soon")
    assert done.exit_code == 2
    assert "expected a duration" in done.stderr


def test_the_command_knows_all_states() -> None:
    assert _STATES == STATES
