"""Owns the workloads of durable runs: nodes that do nothing, with a store in SQLite, beside the same without one.

Beside SQLite alone, which keeps as many rows in as many commits: no program on that machine comes below.
Beside DBOS and LangGraph, too, as far as they are installed (the extra ``peers``). Each keeps a file of SQLite
whose commits are synced in full. What counts is the processor time of all threads: the time of a disk is its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio

import flowscript_trio as fs

from .measuring import Cost, Workload

PEERS = ("dbos", "langgraph.checkpoint.sqlite")
WIDTHS = {1: 400e-6, 10: 70e-6, 100: 40e-6}
"""Nodes at once, and the seconds that one is to take."""

NODES = 1_000
"""Nodes of a run at full scale: with fewer, what a run costs once would count as theirs."""

_registry = fs.Registry(base=fs.registry)


@_registry.runtime("source:nothing")
async def _nothing(params: fs.ExecutionParams) -> int:
    return 1


def missing() -> list[str]:
    """The peers that are not installed."""
    return [name for name in PEERS if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of what it lies in
        return False


def worked(work: Callable[[Path], float]) -> Cost:
    """What work with a folder of its own measures of itself."""

    def cost() -> float:
        with TemporaryDirectory() as folder:
            return work(Path(folder))

    return cost


def engine(width: int, rounds: int, has_store: bool = True) -> Cost:
    """Rounds of so many nodes at once."""
    node = '<source:nothing id="n{}"/>'
    branches = "".join(f"<branch>{node.format(index)}</branch>" for index in range(width))
    block = f'<parallel id="p" max-concurrency="{width}">{branches}</parallel>'
    body = node.format(0) if width == 1 else block
    text = f'<workflow name="w"><loop id="l" max="{rounds}">{body}</loop></workflow>'
    flow = fs.loads(text, registry=_registry)

    async def main(folder: Path) -> float:
        store = fs.Store(folder / "runs.db") if has_store else None
        if store is not None:
            await store.make()  # once for all runs: it is no node's
        began = time.process_time()
        await fs.run(flow, registry=_registry, store=store)
        return time.process_time() - began

    return worked(lambda folder: trio.run(main, folder))


def sqlite_alone(width: int, rounds: int) -> Cost:
    """A bare script of ``sqlite3``: a commit a round, of the two rows that a run keeps of each node."""

    def main(folder: Path) -> float:
        connection = sqlite3.connect(folder / "alone.db", isolation_level=None)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute(
            "create table rows (run integer, number integer, kind text, key blob, data blob, "
            "primary key (run, number)) without rowid"
        )
        began = time.process_time()
        for number in range(rounds):
            first = number * 2 * width
            rows = [
                (1, first + each, "ended", b"l/1/p[1]/n1", b"[1,1,1]") for each in range(2 * width)
            ]
            connection.execute("begin immediate")
            connection.executemany("insert into rows values (?, ?, ?, ?, ?)", rows)
            connection.execute("commit")
        took = time.process_time() - began
        connection.close()
        return took

    return worked(main)


def dbos(width: int, rounds: int) -> Cost:
    """A workflow of DBOS: steps one after another, or gathered. Its own threads stand still between the rounds."""
    from dbos import DBOS

    @DBOS.step(name=f"step-{width}-{rounds}")
    async def step() -> int:
        return 1

    @DBOS.workflow(name=f"flow-{width}-{rounds}")
    async def flow(rounds: int) -> None:
        for _ in range(rounds):
            if width == 1:
                await step()
            else:
                await asyncio.gather(*(step() for _ in range(width)))

    async def main(folder: Path) -> float:
        config: Any = {
            "name": "benchmark",
            "system_database_url": f"sqlite:///{folder}/system.db",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
        DBOS(config=config)
        DBOS.launch()
        try:
            await flow(1)  # what is made at the first call is not counted
            began = time.process_time()
            await flow(rounds)
            return time.process_time() - began
        finally:
            DBOS.destroy()

    return worked(lambda folder: asyncio.run(main(folder)))


def langgraph(width: int, rounds: int) -> Cost:
    """A graph of LangGraph that goes round: a superstep of so many nodes, kept before the next one begins.

    Several at once are joined by a node, which is a superstep more.
    """
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.errors import GraphRecursionError
    from langgraph.graph import START, StateGraph
    from typing_extensions import TypedDict

    State = TypedDict("State", {f"n{index}": int for index in range(width)})  # type: ignore[misc]

    def named(name: str) -> Callable[[Any], dict[str, int]]:
        return lambda state: {name: 1}

    def build() -> Any:
        graph: Any = StateGraph(State)
        names = [f"n{index}" for index in range(width)]
        for name in names:
            graph.add_node(f"node-{name}", named(name))
            graph.add_edge(START, f"node-{name}")
            for each in names if width == 1 else ():
                graph.add_edge(f"node-{name}", f"node-{each}")
        if width > 1:
            graph.add_node("again", lambda state: {})
            graph.add_edge([f"node-{name}" for name in names], "again")
            for name in names:
                graph.add_edge("again", f"node-{name}")
        return graph

    def main(folder: Path) -> float:
        with SqliteSaver.from_conn_string(str(folder / "graph.db")) as saver:
            saver.setup()
            compiled = build().compile(checkpointer=saver)
            steps = rounds if width == 1 else 2 * rounds - 1
            config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": steps}
            began = time.process_time()
            try:
                compiled.invoke({"n0": 0}, config, durability="sync")
            except GraphRecursionError:  # so many supersteps, of a graph that has no end
                return time.process_time() - began
            raise AssertionError("it has no end")

    return worked(main)


def workloads(scale: float) -> Iterator[Workload]:
    """At each width: the run without a store, SQLite alone, and the peers that are installed."""
    peers = {"dbos": ("DBOS", dbos), "langgraph.checkpoint.sqlite": ("LangGraph", langgraph)}
    absent = missing()
    for width, seconds in WIDTHS.items():
        rounds = max(int(NODES * scale) // width, 5)
        count = width * rounds
        what = f"{width} at once, with a store"
        ours = engine(width, rounds)
        yield Workload(
            f"{what}, to the reach", "node", count, ours, _seconds(seconds * count), 1.0, None
        )
        bare = engine(width, rounds, has_store=False)
        yield Workload(f"{what}, to none", "node", count, ours, bare, None, None)
        alone = sqlite_alone(width, rounds)
        yield Workload(f"{what}, to SQLite alone", "node", count, ours, alone, None, None)
        for name, (peer, make) in peers.items():
            if name not in absent:
                theirs = make(width, rounds)
                yield Workload(f"{what}, to {peer}", "node", count, ours, theirs, None, None)


def _seconds(seconds: float) -> Cost:
    return lambda: seconds
