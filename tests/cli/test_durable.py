"""Owns the tests of the commands that have to do with durable runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands
from flowscript_trio.types.events import Event, NodeStarted

FLOW = """<workflow name="w"><param name="k" default="1"/>
  <source:file id="a" path="input.txt" format="text"/>
  <transform:template id="t" template="{{a}} {{$config.k}}"/></workflow>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.xml").write_text(FLOW)
    (tmp_path / "input.txt").write_text("read")
    return tmp_path


def call(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == code, result.output
    return result


def test_a_run_with_a_store_says_how_to_go_on_with_it(folder: Path) -> None:
    done = call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "--log", "lines")
    assert json.loads(done.stdout) == "read 1"
    assert "flowscript resume x --store runs.db" in done.stderr


def test_a_run_that_has_ended_gives_its_outcome_again(folder: Path) -> None:
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q")
    (folder / "input.txt").write_text("changed")
    (folder / "w.xml").unlink()
    assert json.loads(call("resume", "x", "--store", "runs.db", "-q").stdout) == "read 1"


def test_a_resumed_run_leaves_its_report(folder: Path) -> None:
    """The first process leaves the run while it sleeps on a clock that stands still."""
    (folder / "w.xml").write_text(
        """<workflow name="w"><source:file id="a" path="input.txt" format="text"/>
        <delay id="d" duration="1ms" input="a"/></workflow>"""
    )

    async def begin() -> None:
        read = trio.Event()

        def observe(event: Event) -> None:
            if isinstance(event, NodeStarted) and event.path == "d":
                read.set()

        store = fs.Store("runs.db")
        flow = fs.load("w.xml")
        async with fs.open_run(flow, store=store, run_id="x", observers=[observe]) as run:
            await read.wait()
            run.leave()

    trio.run(begin, clock=MockClock())
    call("resume", "x", "--store", "runs.db", "--report", "out.html", "-q")
    page = (folder / "out.html").read_text()
    assert "<title>w: completed</title>" in page
    assert '"counts":{"success":1,"restored":1}' in page


def test_the_same_id_with_another_input_is_refused(folder: Path) -> None:
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q")
    again = call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-i", "1", "-q", code=2)
    assert "'x'" in again.stderr


def test_runs_and_show_read_a_store(folder: Path) -> None:
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q")
    listed = json.loads(call("runs", "--store", "runs.db", "--json").stdout)
    assert [(run["run"], run["name"], run["status"]) for run in listed] == [("x", "w", "completed")]
    assert "completed" in call("runs", "--store", "runs.db").stdout
    shown = json.loads(call("show", "x", "--store", "runs.db", "--json").stdout)
    assert shown["status"] == "completed"
    assert "run x of w: completed" in call("show", "x", "--store", "runs.db").stdout


def test_prove_lets_the_processes_of_a_run_die(folder: Path) -> None:
    proved = call("prove", "w.xml", "--crash", "--pairs", "5")
    summary = json.loads(proved.stdout)
    assert summary["violations"] == 0
    assert summary["proofs"][0]["tried"]["two crashes"] == 5
    assert "crashes" in proved.stderr


def test_a_run_that_is_not_there_is_named(folder: Path) -> None:
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q")
    assert "'y'" in call("resume", "y", "--store", "runs.db", code=2).stderr


def test_an_id_without_a_store_is_wrong_use(folder: Path) -> None:
    assert "--store" in call("run", "w.xml", "--run-id", "x", code=2).stderr
    assert "--store" in call("runs", code=2).stderr
