"""Owns the tests of ``flowscript prune``."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands
from flowscript_trio.journal.rows import Mark, State
from flowscript_trio.journal.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with three runs that have ended and one that has not."""
    store = Store(tmp_path / "runs.db")

    async def leave(run_id: str, state: State) -> None:
        journal = await store.begin(run_id, b"")
        journal.mark(Mark(state))
        await journal.aclose()

    for run_id, state in (
        ("a", "completed"),
        ("b", "failed"),
        ("c", "suspended"),
        ("d", "cancelled"),
    ):
        trio.run(leave, run_id, state)  # type: ignore[arg-type]
    return tmp_path / "runs.db"


def left(file: Path) -> list[str]:
    return [run.run_id for run in trio.run(Store(file).runs)]


def prune(*words: str) -> Result:
    return CliRunner().invoke(commands, ["prune", *words])


def test_ended_runs_are_forgotten_and_counted(file: Path) -> None:
    done = prune("--store", str(file), "--older-than", "0s", "--keep", "1")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "2 runs forgotten\n")
    assert left(file) == ["d", "c"]
    assert prune("--store", str(file), "--older-than", "0s").stderr == "1 run forgotten\n"
    assert left(file) == ["c"]


def test_younger_runs_are_kept(file: Path) -> None:
    assert prune("--store", str(file), "--older-than", "1h").stderr == "0 runs forgotten\n"
    assert left(file) == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("store", "age", "said"),
    [("runs.db", "soon", "expected a duration such as"), ("mysql://h/x", "1d", "a URL of 'mysql'")],
)
def test_what_was_given_wrongly_is_said(store: str, age: str, said: str) -> None:
    done = prune("--store", store, "--older-than", age)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_store_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = prune("--store", str(tmp_path / "none.db"), "--older-than", "1d")
    assert done.exit_code == 1
    assert "there is no store" in done.stderr
