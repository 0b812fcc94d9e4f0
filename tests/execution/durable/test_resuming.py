"""Owns the tests of resuming from a store: by an id, by ``resume``, in another process, after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.ending import ending_of
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.execution.durable.run_entries import RunEnded
from flowscript_trio.journal.rows import Row
from flowscript_trio.types.events import Event, RunWarning

TWO = '<workflow name="w"><source:a id="one"/><source:a id="two" input="one"/></workflow>'


class Counting:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:a")(self.a)

    async def a(self, params: fs.ExecutionParams) -> Any:
        await trio.sleep(1)  # virtual
        self.done.append(params.node.label)
        return {"x": params.input}


async def test_a_run_that_ended_gives_its_outcome(autojump_clock: Any) -> None:
    counting, store = Counting(), fs.Store.memory()
    flow = fs.loads(TWO, registry=counting.registry)
    run = await fs.run(flow, store=store, run_id="r", input=1)
    again = await fs.run(flow, store=store, run_id="r", input=1)
    assert again.output == run.output == {"x": {"x": 1}}
    resumed = await fs.resume(store, "r", registry=counting.registry)
    assert (resumed.status, resumed.output) == ("completed", run.output)
    assert counting.done == ["one", "two"]


async def test_a_run_that_failed_raises_its_error_again(autojump_clock: Any) -> None:
    store = fs.Store.memory()
    flow = fs.loads('<workflow name="w"><fail message="no" type="Sold" status="409"/></workflow>')
    for _ in range(2):
        with pytest.raises(fs.WorkflowFailed, match="no") as caught:
            await fs.run(flow, store=store, run_id="r")
        assert (caught.value.type, caught.value.status) == ("Sold", 409)


@pytest.mark.parametrize("resumed", [False, True])
async def test_the_call_raises_the_error_of_its_run_whoever_else_waits_for_it(
    resumed: bool, autojump_clock: Any
) -> None:
    flow = fs.loads('<workflow name="w"><delay duration="1s"/><fail message="no"/></workflow>')
    store = fs.Store.memory()
    if resumed:
        async with fs.open_run(flow, store=store, run_id="r") as left:
            left.leave()
    raised: list[BaseException] = []

    async def call(task_status: trio.TaskStatus[fs.Run] = trio.TASK_STATUS_IGNORED) -> None:
        resume = partial(fs.resume, store, "r")
        begin = resume if resumed else partial(fs.run, flow, store=store, run_id="r")
        with pytest.raises(fs.WorkflowFailed, match="no") as caught:
            await begin(task_status=task_status)
        raised.append(caught.value)

    async with trio.open_nursery() as nursery:
        run = await nursery.start(call)
        await run.wait()
    assert raised == [run.error]


async def test_a_run_is_resumed_with_the_bounds_of_expressions_that_are_given(
    autojump_clock: Any,
) -> None:
    store = fs.Store.memory()
    flow = fs.loads(
        '<workflow name="w"><delay duration="1s"/><set var="a" value="{{repeat($input, 100)}}"/></workflow>'
    )
    async with fs.open_run(flow, store=store, run_id="r", input="x") as run:
        run.leave()
    with pytest.raises(fs.LimitExceeded):
        await fs.resume(store, "r", bounds=fs.Limits(text=50))


@pytest.mark.parametrize("changed", [{"input": 2}, {"config": {"k": 1}}])
async def test_the_same_run_with_something_else_is_refused(
    changed: dict[str, Any], autojump_clock: Any
) -> None:
    counting, store = Counting(), fs.Store.memory()
    flow = fs.loads(TWO, registry=counting.registry)
    await fs.run(flow, store=store, run_id="r", input=1)
    with pytest.raises(fs.InputError, match="'r'"):
        await fs.run(flow, store=store, run_id="r", **{"input": 1, **changed})


async def test_a_run_that_is_under_way_is_busy(autojump_clock: Any) -> None:
    counting, store = Counting(), fs.Store.memory()
    flow = fs.loads(TWO, registry=counting.registry)
    async with fs.open_run(flow, store=store, run_id="r"):
        with pytest.raises(fs.RunBusy):
            await fs.resume(store, "r", registry=counting.registry)


async def test_a_run_without_an_id_gets_one(autojump_clock: Any) -> None:
    counting, store = Counting(), fs.Store.memory()
    run = await fs.run(fs.loads(TWO, registry=counting.registry), store=store)
    assert (await store.show(run.id)).state == "completed"


async def test_included_documents_are_resumed_from_the_store(
    autojump_clock: Any, tmp_path: Path
) -> None:
    (tmp_path / "part.xml").write_text('<workflow name="part"><source:a id="inner"/></workflow>')
    main = tmp_path / "main.xml"
    main.write_text(
        '<workflow name="w"><include id="i" workflow="part.xml"/><source:a id="b" input="i"/></workflow>'
    )
    counting, store = Counting(), fs.Store.memory()
    async with fs.open_run(
        fs.load(main, registry=counting.registry), store=store, run_id="r"
    ) as run:
        await trio.sleep(1.5)  # virtual
        run.leave()
    assert counting.done == ["inner"]
    main.unlink()
    (tmp_path / "part.xml").unlink()
    resumed = await fs.resume(store, "r", registry=counting.registry)
    assert resumed.status == "completed"
    assert counting.done == ["inner", "b"]


async def test_no_secret_is_in_the_store_and_a_missing_one_is_named(tmp_path: Path) -> None:
    registry = fs.Registry(base=fs.registry)
    second, may_end = trio.Event(), trio.Event()
    given: list[Any] = []

    @registry.runtime("source:whoami")
    async def whoami(params: fs.ExecutionParams) -> Any:
        given.append(params.input)
        if params.node.label == "b":
            second.set()
            await may_end.wait()
        return {
            "token": params.run.secrets["KEY"],
            "url": f"https://x/?k={params.run.secrets['KEY']}",
        }

    flow = fs.loads(
        '<workflow name="w"><secret name="KEY"/><source:whoami id="a"/><source:whoami id="b" input="a"/></workflow>',
        registry=registry,
    )
    store = fs.Store(tmp_path / "runs.db")
    secrets = {"KEY": "hunter2-hunter2"}
    async with fs.open_run(flow, store=store, run_id="r", secrets=secrets) as run:
        await second.wait()
        run.leave()
    may_end.set()
    assert not _files_with(b"hunter2", tmp_path)
    with pytest.raises(fs.InputError, match="KEY"):
        await fs.resume(store, "r", registry=registry)
    resumed = await fs.resume(store, "r", registry=registry, secrets=secrets)
    assert given[-1]["token"] == "hunter2-hunter2"
    assert given[-1]["url"] == "https://x/?k=hunter2-hunter2"
    assert resumed.status == "completed"
    assert not _files_with(b"hunter2", tmp_path)


def _files_with(data: bytes, folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if data in file.read_bytes()]


async def test_a_secret_that_has_changed_replaces_the_old_one_with_a_warning(
    autojump_clock: Any,
) -> None:
    registry = fs.Registry(base=fs.registry)
    seen = []

    @registry.runtime("source:whoami")
    async def whoami(params: fs.ExecutionParams) -> Any:
        await trio.sleep(1)  # virtual
        seen.append(params.input)
        return params.run.secrets["KEY"]

    flow = fs.loads(
        '<workflow name="w"><secret name="KEY"/><source:whoami id="a"/><source:whoami id="b" input="a"/></workflow>',
        registry=registry,
    )
    store = fs.Store.memory()
    async with fs.open_run(flow, store=store, run_id="r", secrets={"KEY": "old-secret-1"}) as run:
        await trio.sleep(1.5)  # virtual
        run.leave()
    events: list[Event] = []
    resumed = await fs.resume(
        store, "r", registry=registry, secrets={"KEY": "new-secret-2"}, observers=[events.append]
    )
    assert seen == [None, "new-secret-2"]
    assert "a different value" in resumed.warnings[0].message
    told = [event.message for event in events if isinstance(event, RunWarning)]
    assert told == [resumed.warnings[0].message]


async def test_what_an_evaluation_read_from_the_clock_stands(autojump_clock: Any) -> None:
    counting, store = Counting(), fs.Store.memory()
    flow = fs.loads(
        """<workflow name="w"><transform:template id="t" template="{{now()}}"/><source:a id="a" input="t"/>
        <source:a id="b" input="a"/><transform:template id="u" input="b" template="{{t}}"/></workflow>""",
        registry=counting.registry,
    )
    async with fs.open_run(flow, store=store, run_id="r") as run:
        await trio.sleep(1.5)  # virtual
        run.leave()
    read = run.results["t"].output
    await trio.to_thread.run_sync(lambda: None)
    resumed = await fs.resume(store, "r", registry=counting.registry)
    assert resumed.output == read


async def test_a_node_whose_settings_are_others_has_diverged(autojump_clock: Any) -> None:
    registry = fs.Registry(base=fs.registry)
    grown: list[int] = []

    @registry.runtime("source:list", pure=True)
    async def read(params: fs.ExecutionParams) -> Any:
        grown.append(1)
        return len(grown)

    @registry.runtime("sink:act")
    async def act(params: fs.ExecutionParams) -> Any:
        await trio.sleep(2)  # virtual

    flow = fs.loads(
        '<workflow name="w"><source:list id="n"/><sink:act id="a" count="{{n}}"/></workflow>',
        registry=registry,
    )
    store = fs.Store.memory()
    async with fs.open_run(flow, store=store, run_id="r") as run:
        await trio.sleep(1)  # virtual
        run.leave()
    with pytest.raises(fs.Diverged, match="'a'"):
        await fs.resume(store, "r", registry=registry)


KILLED = '''
import os, signal, sys, trio
import flowscript_trio as fs
from flowscript_trio.journal import sqlite

db, log, die = sys.argv[1], sys.argv[2], int(sys.argv[3])
commits = 0
commit = sqlite.SqliteBackend.commit
def counted(self, *args):
    global commits
    commits += 1
    if commits == die and die % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self, *args)
    if commits == die:
        os.kill(os.getpid(), signal.SIGKILL)
sqlite.SqliteBackend.commit = counted

@fs.runtime("source:act")
async def act(params):
    await trio.sleep(0.005)
    with open(log, "a") as file:
        file.write(params.node.label + "\\n")
    if params.config.get("fails") and params.execution.number == 1:
        raise ValueError("once")
    return params.node.label

TEXT = """<workflow name="w">
  <source:act id="a"><compensate><source:act id="undo"/></compensate></source:act>
  <parallel id="p" wait="any"><branch><source:act id="b"/></branch>
    <branch><source:act id="c"/><source:act id="c2"/><finally><source:act id="clean"/></finally></branch></parallel>
  <source:act id="r" fails="1"><on-error><retry max="2" when="true" base="1ms"/></on-error></source:act>
  <foreach id="f" collection="[1,2,3]" max-concurrency="2"><source:act id="g"/></foreach>
  <source:act id="end" input="a, p, r, f"/>
  <finally><source:act id="last"/></finally></workflow>"""
run = trio.run(lambda: fs.run(fs.loads(TEXT), store=fs.Store(db), run_id="r", seed=1, max_crashes=99))
print(run.status, run.output)
'''


@pytest.mark.slow
def test_a_process_that_is_killed_at_every_commit_is_resumed(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    killed = 0
    for die in range(1, 200):
        db, log = tmp_path / f"{die}.db", tmp_path / f"{die}.log"
        first = _process(script, db, log, die)
        if first.returncode == 0:
            break
        assert first.returncode == -signal.SIGKILL, first.stderr
        killed += 1
        _process(script, db, log, die)  # and again at that commit of its resumption
        last = _process(script, db, log, 0)
        assert last.returncode == 0, last.stderr
        assert last.stdout == "completed end\n"
        done = log.read_text().split()
        assert {"a", "r", "g", "end", "last"} <= set(done), (die, done)
        assert done.count("end") <= 3
        assert "undo" not in done
    assert killed > 5


def _process(script: Path, db: Path, log: Path, die: int) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, str(script), str(db), str(log), str(die)]
    return subprocess.run(
        arguments, capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )


def test_how_a_run_ended_is_read_from_a_journal_of_an_earlier_release() -> None:
    """It has no place of the error in it."""
    coding = Coding({})
    facts = ["failed", None, coding.encode_error(ValueError("no"))]
    ended = entry_of(Row("run-ended", "", coding.encode(facts)), coding.decode)
    assert isinstance(ended, RunEnded)
    ending = ending_of(ended, coding)
    assert (str(ending.error), ending.origin) == ("no", None)
