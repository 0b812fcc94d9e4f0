"""Owns the tests of limits that a store keeps: they hold over all runs and processes that have the store."""

from __future__ import annotations

import operator
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.sharing import SharedLimits
from flowscript_trio.types.events import TokenAwaited, TokenTaken

from databases import expire_leases, new_database
from postgresql import POSTGRESQL, URL, needs_postgresql

KINDS = ["sqlite", POSTGRESQL]


@pytest.fixture(params=KINDS)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "runs.db") if request.param == "sqlite" else new_database(URL)


class Nodes:
    """A runtime whose nodes are counted while they run, for as long as they are told."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self.done: list[str] = []
        self.times: list[float] = []
        self.began = trio.Event()
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)

    async def act(self, params: fs.ExecutionParams) -> None:
        self.times.append(time.monotonic())
        self._now += 1
        self.most = max(self.most, self._now)
        self.began.set()
        try:
            await trio.sleep(float(params.config.get("takes", 0.02)))
        finally:
            self._now -= 1
        self.done.append(str(params.node.id))

    def load(self, text: str) -> fs.Flow:
        return fs.loads(text, registry=self.registry)

    async def run_all(self, runs: list[tuple[fs.Flow, fs.Store]], **options: Any) -> None:
        async def run(flow: fs.Flow, store: fs.Store) -> None:
            await fs.run(flow, store=store, registry=self.registry, **options)

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                for flow, store in runs:
                    nursery.start_soon(run, flow, store)


EACH = """<workflow name="w"><limit name="api" {rules}/>
<foreach id="e" collection="[1, 2, 3]" maxConcurrency="3"><source:act id="a" limit="api"/></foreach></workflow>"""


async def test_what_a_document_declares_holds_over_all_runs_of_the_store(where: str) -> None:
    nodes = Nodes()
    # Two stores are as two processes are: neither knows what is waited for in the other.
    stores = [fs.Store(where), fs.Store(where)]
    text = EACH.format(rules='max="2"')
    await nodes.run_all([(nodes.load(text), stores[number % 2]) for number in range(4)])
    assert nodes.most == 2
    assert len(nodes.done) == 12


async def test_workflows_of_other_names_have_limits_of_their_own(where: str) -> None:
    nodes, store = Nodes(), fs.Store(where)
    text = '<workflow name="{}"><limit name="x" max="1"/><source:act id="a" takes="2" limit="x"/></workflow>'
    await nodes.run_all([(nodes.load(text.format(name)), store) for name in ("v", "w")])
    assert nodes.most == 2


async def test_a_limit_that_the_application_shares_holds_over_all_workflows(where: str) -> None:
    nodes, stores = Nodes(), [fs.Store(where), fs.Store(where)]
    text = '<workflow name="{}"><source:act id="a" takes="0.1" limit="x"/></workflow>'
    runs = [(nodes.load(text.format(name)), store) for name in ("v", "w") for store in stores]
    await nodes.run_all(runs, limits={"x": fs.Limit(max=1, shared=True)})
    assert nodes.most == 1


async def test_a_rate_holds_over_all_runs_of_the_store(where: str) -> None:
    nodes, stores = Nodes(), [fs.Store(where), fs.Store(where)]
    text = EACH.format(rules='rate="1/100ms" burst="2"')
    started = time.monotonic()
    await nodes.run_all([(nodes.load(text), store) for store in stores])
    # Two pass at once and one after each tenth of a second, and a node begins some time after it has passed.
    earliest = [max(number - 1, 0) * 0.1 for number in range(6)]
    after = [begun - started + 0.01 for begun in sorted(nodes.times)]
    assert all(map(operator.ge, after, earliest)), after
    assert len(after) == 6


async def test_a_block_holds_its_limit_against_other_runs_and_what_needs_it_waits(
    where: str,
) -> None:
    nodes = Nodes()
    text = """<workflow name="w"><limit name="seats" max="1"/><limit name="api" max="1"/>
      <if id="s" condition="true" limit="seats"><then>
      <source:act id="a"/><source:act id="b" limit="api"/></then></if></workflow>"""
    both = """<workflow name="w"><limit name="seats" max="1"/><limit name="api" max="1"/>
      <source:act id="both" limit="api seats"/></workflow>"""
    stores = [fs.Store(where), fs.Store(where)]
    runs = [(nodes.load(each), store) for store in stores for each in (text, both)]
    await nodes.run_all(runs)
    assert nodes.most == 1
    assert sorted(nodes.done) == ["a", "a", "b", "b", "both", "both"]


async def test_a_node_that_is_cancelled_while_it_waits_keeps_nobody_waiting(where: str) -> None:
    nodes, store = Nodes(), fs.Store(where)
    text = '<workflow name="w"><limit name="x" max="1"/><source:act id="a" takes="{}" limit="x"/></workflow>'
    seen: list[str] = []
    awaited = [trio.Event(), trio.Event()]

    def see(event: object) -> None:
        if type(event) in (TokenAwaited, TokenTaken):
            seen.append(type(event).__name__)
        if type(event) is TokenAwaited:
            awaited[seen.count("TokenAwaited") - 1].set()

    async def run() -> None:
        flow = nodes.load(text.format(0))
        await fs.run(flow, store=store, registry=nodes.registry, observers=[see])

    with trio.fail_after(30):
        async with fs.open_run(nodes.load(text.format(60)), store=store) as holder:
            await nodes.began.wait()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                await awaited[0].wait()
                nursery.cancel_scope.cancel()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                await awaited[1].wait()
                holder.leave()
    assert seen == ["TokenAwaited", "TokenAwaited", "TokenTaken"]
    assert len(nodes.done) == 1


async def test_an_open_circuit_fails_at_once_whatever_the_store_says(where: str) -> None:
    nodes, store = Nodes(), fs.Store(where)
    text = """<workflow name="w"><limit name="x" max="1" breaker="1 in 1m, 30s"/>
      <fail message="broken" id="f" limit="x"/></workflow>"""
    flow = nodes.load(text)
    with pytest.raises(fs.FlowScriptError, match="broken"):
        await fs.run(flow, store=store)
    with pytest.raises(fs.CircuitOpen):
        await fs.run(nodes.load(text), store=store)


async def test_workers_on_a_store_in_memory_share_what_documents_declare(
    autojump_clock: Any,
) -> None:
    nodes, store = Nodes(), fs.Store.memory(clock=trio.current_time)
    text = '<workflow name="w"><limit name="x" max="2"/><source:act id="a" takes="1" limit="x"/></workflow>'
    for number in range(6):
        await fs.submit(nodes.load(text), store=store, run_id=str(number))
    await fs.work(store, registry=nodes.registry, until_empty=True)
    assert nodes.most == 2
    assert len(nodes.done) == 6


async def test_a_shared_limit_is_refused_where_no_store_keeps_it() -> None:
    limit = fs.Limit(max=1, shared=True, name="x")
    flow = fs.loads('<workflow name="w"><delay duration="1s" limit="x"/></workflow>')
    with pytest.raises(fs.InputError, match="'x' is shared in a store, and the run has none"):
        await fs.run(flow, limits={"x": limit})
    with pytest.raises(RuntimeError, match="only they can take it"):
        async with limit:
            pass


WORKER = """
import sys, time, trio
import flowscript_trio as fs

registry = fs.Registry(base=fs.registry)

@registry.runtime("source:act")
async def act(params):
    print("began", params.run.id, time.monotonic(), flush=True)
    await trio.sleep(float(params.config["takes"]))
    print("ended", params.run.id, time.monotonic(), flush=True)

trio.run(lambda: fs.work(fs.Store(sys.argv[1]), registry=registry, at_once=4, until_empty=True, every=0.1))
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def start_worker(where: str) -> subprocess.Popen[str]:
    return start(WORKER, where)


async def submit(where: str, text: str, runs: int) -> None:
    nodes, store = Nodes(), fs.Store(where)
    for number in range(runs):
        await fs.submit(nodes.load(text), store=store, run_id=str(number))


def said(process: subprocess.Popen[str]) -> list[tuple[float, int]]:
    """What a worker said to the end: when a node began (1) or ended (-1)."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = [line.split() for line in output.splitlines()]
    return [(float(at), 1 if what == "began" else -1) for what, _, at in lines]


HELD = '<workflow name="w"><limit name="x" max="2"/><source:act id="a" takes="{}" limit="x"/></workflow>'


async def test_a_limit_holds_over_two_workers(where: str) -> None:
    await submit(where, HELD.format("0.2"), 10)
    with start_worker(where) as one, start_worker(where) as two:
        changes = sorted([*said(one), *said(two)])
    assert len(changes) == 20
    busy = most = 0
    for _, change in changes:
        busy += change
        most = max(most, busy)
    assert most == 2


async def test_what_a_killed_worker_held_is_free_for_others(where: str) -> None:
    await submit(where, HELD.replace('max="2"', 'max="1"').format("0.5"), 2)
    with start_worker(where) as first:
        assert first.stdout is not None
        assert first.stdout.readline().startswith("began")
        first.send_signal(signal.SIGKILL)
        first.wait()
    if where.startswith("postgresql"):
        expire_leases(where)
    with start_worker(where) as second:
        assert len(said(second)) == 4
    states = [run.state for run in await fs.Store(where).runs()]
    assert states == ["completed", "completed"]


OPPOSITE = """<workflow name="{name}">
<if id="outer" condition="true" limit="{first}"><then>
<source:act id="a" takes="{takes}" limit="{second}"/></then></if></workflow>"""


def opposite(nodes: Nodes, name: str, first: str, second: str, takes: float = 0.02) -> fs.Flow:
    text = OPPOSITE.format(name=name, first=first, second=second, takes=takes)
    return nodes.load(text)


@asynccontextmanager
async def bounded() -> AsyncIterator[None]:
    """What is refused too late would wait for ever."""
    with trio.fail_after(60):
        yield


@asynccontextmanager
async def stopped(process: subprocess.Popen[str]) -> AsyncIterator[subprocess.Popen[str]]:
    """A process, which is killed when the block ends."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def shared(*names: str) -> dict[str, fs.Limit]:
    return {name: fs.Limit(max=1, shared=True) for name in names}


async def test_runs_of_two_processes_that_hold_limits_in_opposite_orders_do_not_run_beside_each_other(
    where: str,
) -> None:
    nodes, limits = Nodes(), shared("x", "y")
    first, second = opposite(nodes, "v", "x", "y", 60), opposite(nodes, "w", "y", "x")
    async with bounded(), fs.open_run(first, store=fs.Store(where), limits=limits) as under_way:
        await nodes.began.wait()
        other = fs.Store(where)
        with pytest.raises(fs.InputError, match="without end") as caught:
            await fs.run(second, store=other, run_id="second", limits=limits)
        said = str(caught.value)
        assert "'y' is held while 'x' is needed inside: <if> 'outer' (<text>:2:1)" in said
        assert "'x' is held while 'y' is needed by another run" in said
        under_way.leave()
    # The other one is no longer there, and what was refused can begin.
    await fs.run(second, store=other, run_id="second", limits=limits)
    assert nodes.done == ["a"]


async def test_a_limit_of_one_process_is_not_that_of_the_same_name_in_another(where: str) -> None:
    nodes = Nodes()
    first, second = opposite(nodes, "v", "x", "y", 60), opposite(nodes, "w", "y", "x")
    own = {**shared("x"), "y": fs.Limit(max=1)}
    async with bounded(), fs.open_run(first, store=fs.Store(where), limits=own) as under_way:
        await nodes.began.wait()
        limits = {"x": fs.Limit(max=1), **shared("y")}
        await fs.run(second, store=fs.Store(where), limits=limits)
        under_way.leave()
    assert nodes.done == ["a"]


async def test_a_limit_of_one_process_may_stand_between_two_of_the_store(where: str) -> None:
    nodes, between = Nodes(), fs.Limit(max=1)
    limits = {**shared("x", "y"), "between": between}
    store, other = fs.Store(where), fs.Store(where)
    first = opposite(nodes, "u", "x", "between", 60)
    second = opposite(nodes, "v", "between", "y", 0)
    third = opposite(nodes, "w", "y", "x", 0)
    async with bounded(), fs.open_run(first, store=store, limits=limits) as one:
        await nodes.began.wait()
        async with fs.open_run(second, store=store, limits=limits) as two:
            with pytest.raises(fs.InputError, match="without end"):
                await fs.run(third, store=other, run_id="third", limits=limits)
            two.cancel()
        async with fs.open_run(third, store=other, run_id="third", limits=limits) as three:
            three.cancel()  # it waits for what the first holds
        one.leave()


async def test_a_run_whose_blocks_hold_nothing_tells_the_store_nothing(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def announce(self: SharedLimits, edges: object) -> None:
        raise AssertionError("it was told")

    monkeypatch.setattr(SharedLimits, "announce", announce)
    nodes = Nodes()
    text = '<workflow name="w"><source:act id="a" limit="x y"/></workflow>'
    await fs.run(nodes.load(text), store=fs.Store(where), limits=shared("x", "y"))
    assert nodes.done == ["a"]


HOLDER = """
import sys, trio
import flowscript_trio as fs

registry = fs.Registry(base=fs.registry)

@registry.runtime("source:act")
async def act(params):
    print("began", flush=True)
    await trio.sleep_forever()

limits = {name: fs.Limit(max=1, shared=True) for name in "xy"}
flow = fs.loads(sys.argv[2], registry=registry)
trio.run(lambda: fs.run(flow, store=fs.Store(sys.argv[1]), limits=limits))
"""


async def test_another_process_that_holds_limits_in_opposite_order_keeps_a_run_from_beginning(
    where: str,
) -> None:
    nodes, store = Nodes(), fs.Store(where)
    text = OPPOSITE.format(name="v", first="x", second="y", takes=0)
    second = opposite(nodes, "w", "y", "x")
    async with bounded(), stopped(start(HOLDER, where, text)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "began\n"
        with pytest.raises(fs.InputError, match="'x' is held while 'y' is needed by another run"):
            await fs.run(second, store=store, run_id="second", limits=shared("x", "y"))
    if where.startswith("postgresql"):
        expire_leases(where)
    await fs.run(second, store=store, run_id="second", limits=shared("x", "y"))
    assert nodes.done == ["a"]


@needs_postgresql
async def test_a_run_whose_lease_has_ended_is_left_since_it_holds_nothing_any_more() -> None:
    where = new_database(URL)
    nodes, limits = Nodes(), shared("x", "y")
    store = fs.Store(where)
    first, second = opposite(nodes, "v", "x", "y", 60), opposite(nodes, "w", "y", "x")
    async with bounded(), fs.open_run(first, store=store, limits=limits) as stopped_for_long:
        await nodes.began.wait()
        expire_leases(where)
        await fs.run(second, store=fs.Store(where), limits=limits)
        # It wakes up, and asks for more time before anything else.
        await trio.to_thread.run_sync(store._backend._leases.beat)  # type: ignore[attr-defined]
        with pytest.raises(fs.Superseded):
            await stopped_for_long.wait()
    assert nodes.done == ["a"]
