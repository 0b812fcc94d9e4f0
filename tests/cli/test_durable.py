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
from flowscript_trio.journal import store as store_module
from flowscript_trio.types.events import Event, NodeStarted

from invoking import call

FLOW = """<workflow name="w"><param name="k" default="1"/>
  <source:file id="a" path="input.txt" format="text"/>
  <transform:template id="t" template="{{a}} {{$config.k}}"/></workflow>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.xml").write_text(FLOW)
    (tmp_path / "input.txt").write_text("read")
    return tmp_path


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


FAILS = """<workflow name="w">
  <checkpoint id="approve" prompt="Go?"/>
  <fail id="no" message="it is closed"/></workflow>"""


def test_a_resumed_run_that_fails_shows_its_line_and_is_drawn_in_its_report(folder: Path) -> None:
    (folder / "w.xml").write_text(FAILS)
    durable = ("--store", "runs.db", "--suspend-after", "10ms")
    call("run", "w.xml", "--run-id", "x", *durable, "-q", code=3)
    call("answer", "x", "approve", "approve", "--store", "runs.db")
    (folder / "w.xml").unlink()
    failed = call("resume", "x", "--store", "runs.db", "--report", "out.html", "-q", code=1)
    assert failed.stderr.splitlines()[:4] == [
        "WorkflowFailed: it is closed",
        "w.xml:3:3: no",
        '    3 |   <fail id="no" message="it is closed"/></workflow>',
        "      |   ^^^^^",
    ]
    assert (
        '<svg xmlns="http://www.w3.org/2000/svg" class="flowscript"'
        in (folder / "out.html").read_text()
    )


def test_a_run_that_had_failed_has_the_same_exit_status_again(folder: Path) -> None:
    (folder / "w.xml").write_text(
        '<workflow name="w"><transform:template id="t" template="{{null + 1}}"/></workflow>'
    )
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q", code=1)
    again = call("resume", "x", "--store", "runs.db", "-q", code=1)
    assert "null" in again.stderr


def test_a_run_that_had_failed_says_again_where_it_failed(folder: Path) -> None:
    (folder / "w.xml").write_text(
        """<workflow name="w">
  <parallel id="p">
    <branch><fail id="no" message="it is closed"/></branch>
    <branch><delay id="d" duration="1h"/></branch>
  </parallel></workflow>"""
    )
    first = call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q", code=1)
    again = call("resume", "x", "--store", "runs.db", "-q", code=1)
    place, note = "w.xml:3:13: no\n    3 |     <branch><fail id=", "failed (in p/0)"
    assert place in first.stderr
    assert place in again.stderr
    assert note in first.stderr
    assert note in again.stderr


def test_the_record_of_a_run_that_had_failed_names_its_node_again() -> None:
    flow = fs.loads(
        """<workflow name="w"><loop id="l" max="3">
        <fail id="no" message="closed"><on-error><retry max="1" when="true" base="0s"/></on-error></fail>
        </loop></workflow>"""
    )
    store = fs.Store.memory()

    async def fail(again: bool) -> fs.Failure:
        with pytest.raises(fs.WorkflowFailed) as caught:
            await (fs.resume(store, "x") if again else fs.run(flow, store=store, run_id="x"))
        failure = fs.failure_of(caught.value)
        assert failure is not None
        return failure

    first, second = trio.run(fail, False), trio.run(fail, True)
    for name in ("node", "path", "location", "branch", "attempts"):
        assert getattr(first, name) == getattr(second, name), name
    assert (second.node, second.path, second.attempts) == ("no", "l[0]/no", 2)


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
    for words in (
        ("resume", "y"),
        ("show", "y"),
        ("cancel", "y"),
        ("answer", "y", "ask", "approve"),
    ):
        assert "'y'" in call(*words, "--store", "runs.db", code=2).stderr


def test_an_id_without_a_store_is_wrong_use(folder: Path) -> None:
    assert "--store" in call("run", "w.xml", "--run-id", "x", code=2).stderr
    assert "--store" in call("runs", code=2).stderr


ASKS = """<workflow name="w">
  <checkpoint id="approve" prompt="Go?"><action id="later" label="Later"/></checkpoint>
  <transform:template id="t" template="{{approve.action}} {{approve.input}}"/></workflow>"""


@pytest.fixture
def suspended(folder: Path) -> Path:
    (folder / "asks.xml").write_text(ASKS)
    given = ("--store", "runs.db", "--run-id", "x", "--suspend-after", "10ms")
    left = call("run", "asks.xml", *given, code=3)
    assert (
        "run x is suspended; to go on with it: flowscript resume x --store runs.db" in left.stderr
    )
    assert "flowscript answer x approve ACTION --store runs.db" in left.stderr
    assert "one of later, approve, reject" in left.stderr
    assert left.stdout == ""
    return folder


def test_a_suspended_run_is_answered_and_goes_on(suspended: Path) -> None:
    again = call("resume", "x", "--store", "runs.db", "--suspend-after", "10ms", code=3)
    assert "run x waits for an answer at 'approve' (Go?)" in again.stderr
    done = call("answer", "x", "approve", "later", "-i", "7", "--by", "ann", "--store", "runs.db")
    assert json.loads(done.stdout)["taken"] is True
    assert "flowscript resume x --store runs.db" in done.stderr
    assert json.loads(call("resume", "x", "--store", "runs.db").stdout) == "later 7"
    late = call("answer", "x", "approve", "approve", "--store", "runs.db", code=1)
    assert "'approve' was not waiting any more: it was answered by ann: later" in late.stderr
    assert json.loads(late.stdout) == {
        "action": "later",
        "by": "ann",
        "taken": False,
        "timed_out": False,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "approve", "laiter"), "has no action 'laiter'"),
        (("x", "approve", "laiter"), "did you mean 'later'?"),
        (("x", "aprove", "later"), "did you mean 'approve'?"),
        (("xx", "approve", "later"), "did you mean 'x'?"),
        (("x", "approve", "later", "-i", "{"), "not JSON"),
    ],
)
def test_what_is_no_answer_is_refused_before_anything_is_written(
    suspended: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in call("answer", *arguments, "--store", "runs.db", code=2).stderr
    shown = json.loads(call("show", "x", "--store", "runs.db", "--json").stdout)
    assert [question["key"] for question in shown["questions"]] == ["approve"]


def test_a_cancelled_run_is_cancelled_by_whoever_resumes_it(suspended: Path) -> None:
    asked = call("cancel", "x", "--reason", "not needed", "--store", "runs.db")
    assert "flowscript resume x --store runs.db" in asked.stderr
    twice = call("cancel", "x", "--reason", "other", "--store", "runs.db")
    assert "the first request stands, which said: not needed" in twice.stderr
    cancelled = call("resume", "x", "--store", "runs.db", "--log", "lines", code=1)
    assert "run x was cancelled: not needed" in cancelled.stderr
    shown = call("show", "x", "--store", "runs.db").stdout
    assert "run x of w: cancelled" in shown
    assert "has ended" in call("cancel", "x", "--store", "runs.db", code=2).stderr


def test_runs_and_show_say_what_is_waited_for_and_by_when(folder: Path) -> None:
    (folder / "asks.xml").write_text(ASKS.replace('prompt="Go?"', 'prompt="Go?" timeout="3d"'))
    given = ("--store", "runs.db", "--run-id", "x", "--suspend-after", "10ms")
    assert "is suspended until 2" in call("run", "asks.xml", *given, code=3).stderr
    assert ", waits for approve, due 2" in call("runs", "--store", "runs.db").stdout
    shown = call("show", "x", "--store", "runs.db").stdout
    assert "run x waits for an answer at 'approve' (Go?) until 2" in shown
    (question,) = json.loads(call("show", "x", "--store", "runs.db", "--json").stdout)["questions"]
    assert question.pop("due") is not None
    assert question == {
        "key": "approve",
        "checkpoint": "approve",
        "prompt": "Go?",
        "actions": [{"id": "later", "label": "Later"}],
        "default": "reject",
    }


def test_a_run_that_is_refused_is_not_said_to_go_on(folder: Path) -> None:
    (folder / "s.xml").write_text(
        '<workflow name="w"><param name="n" type="number" required="true"/><set var="x" value="1"/></workflow>'
    )
    refused = call("run", "s.xml", "--store", "runs.db", code=2)
    assert "'n' is missing" in refused.stderr
    assert "resume" not in refused.stderr


@pytest.mark.parametrize("given", ["0s", "soon"])
def test_a_time_to_suspend_after_is_a_duration_above_zero(folder: Path, given: str) -> None:
    said = call("run", "w.xml", "--store", "runs.db", "--suspend-after", given, code=2).stderr
    assert given in said
    assert "--store" in call("run", "w.xml", "--suspend-after", "1h", code=2).stderr


def test_prove_answers_the_questions_of_a_run_and_goes_on_with_one_that_was_left(
    folder: Path,
) -> None:
    (folder / "asks.xml").write_text(
        '<workflow name="w"><checkpoint id="c" prompt="?"/><delay id="d" after="c" duration="2d"/>'
        '<transform:template id="t" after="d" template="{{c.action}}"/></workflow>'
    )
    runs = []
    for more in ((), ("--suspend-after", "1h")):
        proved = call("prove", "asks.xml", "--crash", "--pairs", "5", *more)
        summary = json.loads(proved.stdout)
        assert summary["violations"] == 0
        assert summary["proofs"][0]["undisturbed"] == "completed"
        runs.append(summary["runs"])
    assert runs[1] > runs[0]
    said = call("prove", "asks.xml", "--suspend-after", "1h", code=2).stderr
    assert "--crash" in said


def test_the_key_of_a_store_comes_from_the_variable_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.fernet import Fernet

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORE_KEY", raising=False)
    (tmp_path / "w.xml").write_text('<workflow name="w"><set id="a" var="a" value="1"/></workflow>')
    words = ["--store", "runs.db", "--store-key", "STORE_KEY"]
    run = ["run", "w.xml", "--run-id", "r", *words]
    missing = CliRunner().invoke(commands, run)
    assert (missing.exit_code, "'STORE_KEY'" in missing.stderr) == (2, True)
    monkeypatch.setenv("STORE_KEY", "nonsense")
    wrong = CliRunner().invoke(commands, run)
    assert (wrong.exit_code, "not valid" in wrong.stderr) == (2, True)
    monkeypatch.setenv("STORE_KEY", Fernet.generate_key().decode())
    assert CliRunner().invoke(commands, run).exit_code == 0
    assert CliRunner().invoke(commands, ["resume", "r", *words]).exit_code == 0
    monkeypatch.setenv("STORE_KEY", Fernet.generate_key().decode())
    other = CliRunner().invoke(commands, ["resume", "r", *words])
    assert "begun with a different key" in other.stderr
    lonely = CliRunner().invoke(commands, ["run", "w.xml", "--store-key", "STORE_KEY"])
    assert (lonely.exit_code, "--store" in lonely.stderr) == (2, True)


@pytest.mark.parametrize(("durability", "synchronous"), [("power", "full"), ("process", "normal")])
@pytest.mark.parametrize("command", ["run", "resume", "work"])
def test_a_command_says_at_its_start_what_a_power_cut_may_lose(
    command: str,
    durability: str,
    synchronous: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call("run", "w.xml", "--store", "runs.db", "--run-id", "x", "-q")
    made: list[str] = []
    make = store_module.SqliteBackend

    def noted(path: Path, synchronous: str) -> Any:
        made.append(synchronous)
        return make(path, synchronous)

    monkeypatch.setattr(store_module, "SqliteBackend", noted)
    words = {"run": ["w.xml"], "resume": ["x"], "work": ["--until-empty"]}[command]
    done = call(command, *words, "--store", "runs.db", "--durability", durability)
    assert made == [synchronous]
    said = "Note: the store survives kill -9; a power cut may lose the last moments of a run"
    assert (said in done.stderr) == (durability == "process")


def test_durability_is_that_of_a_store(folder: Path) -> None:
    lonely = CliRunner().invoke(commands, ["run", "w.xml", "--durability", "process"])
    assert (lonely.exit_code, "--store" in lonely.stderr) == (2, True)
