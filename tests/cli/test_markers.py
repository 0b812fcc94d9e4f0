"""Owns the tests of ``flowscript markers``, ``validate --durable`` and ``prune --markers``."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands
from flowscript_trio.journal.rows import Mark
from flowscript_trio.journal.store import Store


def flowscript(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE t (id)")
    connection.close()
    return tmp_path / "shop.db"


def tables(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return [name for (name,) in found]


def test_the_table_is_made_once(file: Path) -> None:
    for _ in range(2):
        done = flowscript("markers", "sqlite:///shop.db")
        assert (done.exit_code, done.stderr) == (
            0,
            "the database has the table flowscript_markers\n",
        )
    assert tables(file) == ["t", "flowscript_markers"]


def test_the_statements_are_printed_for_who_makes_tables_otherwise(file: Path) -> None:
    done = flowscript("markers", "--print")
    assert done.exit_code == 0
    connection = sqlite3.connect(file)
    connection.executescript(done.stdout)
    connection.close()
    assert "flowscript_markers" in tables(file)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "a CONNECTION is missing"),
        (("shop.db",), 1, "not a valid database URL"),
        (("sqlite:////nowhere/at/all.db",), 1, "unable to open database file"),
    ],
)
def test_what_keeps_the_table_from_being_made_is_said(
    words: tuple[str, ...], code: int, said: str, file: Path
) -> None:
    done = flowscript("markers", *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


SINKS = """<workflow name="w">
  <sink type="database" id="known" connection="sqlite:///shop.db" table="t"/>
  <sink type="database" id="computed" connection="{{$config.db}}" table="t"/>
  <sink type="database" id="absent" connection="sqlite:///absent.db" table="t"/>
  <sink type="database" id="memory" connection="sqlite://" table="t"/>
</workflow>"""


def test_validate_says_which_sinks_write_at_least_once(file: Path, tmp_path: Path) -> None:
    (tmp_path / "w.xml").write_text(SINKS)
    plain = flowscript("validate", "w.xml")
    assert "at least once" not in plain.stderr
    done = flowscript("validate", "--durable", "w.xml")
    assert done.exit_code == 0
    said = done.stderr
    assert "w.xml:2:3: warning: 'known' writes at least once" in said
    assert "flowscript markers CONNECTION" in said
    assert "w.xml:3:3: warning: 'computed' writes exactly once only where" in said
    assert "'absent' writes at least once" in said
    assert "'memory'" not in said
    assert not (tmp_path / "absent.db").exists()
    flowscript("markers", "sqlite:///shop.db")
    again = flowscript("validate", "--durable", "--json", "w.xml")
    assert "'known'" not in again.stdout
    assert '"at-least-once"' in again.stdout


def test_markers_are_pruned_with_their_runs(file: Path, tmp_path: Path) -> None:
    flowscript("markers", "sqlite:///shop.db")
    store = Store(tmp_path / "runs.db")

    async def leave(run_id: str, state: str) -> None:
        journal = await store.begin(run_id, b"")
        journal.mark(Mark(state))  # type: ignore[arg-type]
        await journal.aclose()

    connection = sqlite3.connect(file)
    for run_id, state in (("a", "completed"), ("b", "suspended"), ("c", "failed")):
        trio.run(leave, run_id, state)
        connection.execute(
            "INSERT INTO flowscript_markers (key, run) VALUES (?, ?)", ("k" + run_id, run_id)
        )
    connection.execute("INSERT INTO flowscript_markers (key, run) VALUES ('k', 'of another store')")
    connection.commit()
    words = ["prune", "--store", "runs.db", "--markers", "sqlite:///shop.db", "--older-than"]
    kept = flowscript(*words, "1h")
    assert kept.stderr == "0 markers forgotten\n0 runs forgotten\n"
    done = flowscript(*words, "0s", "--keep", "1")
    assert done.stderr == "1 marker forgotten\n1 run forgotten\n"
    left = connection.execute("SELECT run FROM flowscript_markers ORDER BY run").fetchall()
    assert [run for (run,) in left] == ["b", "c", "of another store"]
    connection.close()
