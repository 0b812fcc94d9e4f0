"""Owns the workloads of hold-ups: the longest time that a ticking sibling has no turn, to 50 ms.

What is read stays alive while it is measured: to free a million objects takes a while too, and is not the node's.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import trio

from . import flows
from .databases import URL, rows_of
from .measuring import Workload
from loopback import Answer, Loopback, loopback

ALLOWED = 0.05
"""Seconds."""
MEGABYTE = 1_000_000
ROW = {"id": 1, "name": "the name of something", "price": 1.5, "note": None}


class Ticker:
    """A task that does nothing but look at the clock; ``longest`` is the longest time between two looks."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        last = time.perf_counter()
        task_status.started()
        while True:
            try:
                await trio.sleep(0.001)
            finally:  # cancelled too: it may have had no turn at all
                now = time.perf_counter()
                self.longest = max(self.longest, now - last)
                last = now


async def longest(work: Callable[[], Awaitable[object]]) -> float:
    ticker = Ticker()
    async with trio.open_nursery() as nursery:
        await nursery.start(ticker.run)
        kept = await work()
        await trio.sleep(0.002)
        nursery.cancel_scope.cancel()
    del kept
    return ticker.longest


def hold_up(name: str, work: Callable[[], Awaitable[object]]) -> Workload:
    def cost() -> float:
        # As in a program: by the share of new containers Python decides whether to look at all of them.
        gc.unfreeze()
        gc.collect()
        return trio.run(longest, work)

    return Workload(f"hold-up: {name}", "run", 1, cost, lambda: ALLOWED, 1.0, 0.4)


FIRST = """
import sys, trio, flowscript_trio as fs
from benchmarks.holdups import Ticker
flow = fs.loads(sys.argv[1])

async def main():
    ticker = Ticker()
    async with trio.open_nursery() as nursery:
        await nursery.start(ticker.run)
        await fs.run(flow, secrets={"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": "http://127.0.0.1:1"})
        await trio.sleep(0.002)
        nursery.cancel_scope.cancel()
    print(ticker.longest)

trio.run(main)
"""
"""A program that runs one document, and says how long the longest hold-up was."""


def first(name: str, body: str) -> Workload:
    """The first node of its kind in a process; that it fails is no matter."""
    text = f'<workflow name="first"><parallel id="p" tolerate="1"><branch>{body}</branch></parallel></workflow>'

    def cost() -> float:
        command = [sys.executable, "-W", "ignore", "-c", FIRST, text]
        paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        return float(done.stdout)

    return Workload(
        f"hold-up: the first {name} of a process", "run", 1, cost, lambda: ALLOWED, 1.0, 0.4
    )


def firsts() -> Iterator[Workload]:
    yield first("request", '<source type="http" id="x" url="http://127.0.0.1:1/"/>')
    yield first("model", '<transform type="ai" id="x" model="m" user="u"/>')
    yield first(
        "database", '<source type="database" id="x" connection="sqlite://" query="SELECT 1"/>'
    )
    if URL:
        ask = f'<source type="database" id="x" connection="{URL}" query="SELECT 1"/>'
        yield first("PostgreSQL", ask)
    for form in ("csv", "yaml", "json"):
        name = folder() / f"first.{form}"
        name.write_text("[]" if form == "json" else "a\n")
        yield first(f"{form} file", f'<source type="file" id="x" path="{name}"/>')
    yield first(
        "pattern",
        '<transform type="map" id="x"><expression>regex_match("a", "[a-z]+")</expression></transform>',
    )


def flow(body: str, **options: Any) -> Callable[[], Awaitable[object]]:
    return partial(flows.fs.run, flows.load(body), **options)


@cache
def folder() -> Path:
    return Path(mkdtemp(prefix="flowscript-benchmark-"))


def file(name: str, line: str, size: int, begin: str = "", end: str = "") -> str:
    """The name of a file of many lines."""
    path = folder() / f"{size}-{name}"
    if not path.exists():
        with open(path, "w", encoding="utf-8") as made:
            made.write(begin)
            left = size // len(line)
            while left > 0:
                made.write(line * min(left, 10_000))
                left -= 10_000
            made.write(end)
    return path.name


def files(size: int) -> Iterator[Workload]:
    row = json.dumps(ROW)
    names = {
        "text": file("a.txt", "a line of text, as long as such lines are\n", size),
        "lines": file("a.log", "a line of text, as long as such lines are\n", size),
        "csv": file("a.csv", "1,the name of something,1.5,\n", size, "id,name,price,note\n"),
        "jsonl": file("a.jsonl", row + "\n", size),
        "json": file("a.json", row + ",\n", size, "[", row + "]"),
        "yaml": file("a.yaml", "- {id: 1, name: the name of something}\n", size // 200),
    }
    for form, name in names.items():
        read = f'<source type="file" id="f" path="{name}"/>'
        megabytes = f"{(folder() / name).stat().st_size / MEGABYTE:g} MB"
        yield hold_up(f"{form} of {megabytes}, read", flow(read, base=folder()))
    for form in ("csv", "jsonl", "json"):
        rows = [ROW] * (size // 10 // len(row))
        write = f'<sink type="file" id="f" path="out.{form}"/>'
        yield hold_up(
            f"{form} of about {size / 10 / MEGABYTE:g} MB, written",
            flow(write, base=folder(), input=rows),
        )


def databases(count: int) -> Iterator[Workload]:
    rows = rows_of(count)
    path = folder() / f"{count}.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (id, name, price, ok, note)")
        connection.execute("CREATE TABLE IF NOT EXISTS s (id, name, price, ok, note)")
        values = [tuple(row.values()) for row in rows]
        connection.executemany("INSERT INTO s VALUES (?, ?, ?, ?, ?)", values)
    connection.close()
    url = f"sqlite:///{path}"
    sink = f'<sink type="database" id="k" connection="{url}" table="t"/>'
    yield hold_up(f"{count} rows into SQLite", flow(sink, input=rows))
    source = (
        f'<source type="database" id="s" connection="{url}" query="SELECT * FROM s LIMIT {count}"/>'
    )
    yield hold_up(f"{count} rows from SQLite", flow(source))


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[Loopback]:
    async with loopback() as server:
        server.answer("/x", Answer(200, data, {"Content-Type": "application/json"}))
        server.answer("/chat/completions", Answer(200, data, {"Content-Type": "application/json"}))
        yield server


def http(size: int) -> Iterator[Workload]:
    rows = [ROW] * (size // 80)
    data = json.dumps(rows).encode()
    answer = json.dumps(
        {"choices": [{"message": {"content": json.dumps({"rows": rows[: 4 * MEGABYTE // 80]})}}]}
    ).encode()
    megabytes = f"{size / MEGABYTE:g} MB"
    url = "{{$config.base}}"
    source = f'<source type="http" id="h" url="{url}/x"/>'
    sink = f'<sink type="http" id="h" url="{url}/x"/>'
    ai = (
        f'<transform type="ai" id="a" model="m" user="u" base-url="{url}" api-key="k">'
        "<output-schema>{rows: array}</output-schema></transform>"
    )
    yield hold_up(f"JSON of {megabytes} over HTTP, read", asking(source, data))
    yield hold_up(f"JSON of {megabytes} over HTTP, sent", asking(sink, b"1", input=rows))
    yield hold_up("an answer of a model, of 4 MB", asking(ai, answer))


def asking(body: str, data: bytes, **options: Any) -> Callable[[], Awaitable[object]]:
    ask = flows.load(body)

    async def work() -> object:
        async with answering(data) as server:
            return await flows.fs.run(ask, config={"base": server.base}, **options)

    return work


def transforms(count: int) -> Iterator[Workload]:
    texts = [f"order {number} of 2026-01-{number % 28 + 1:02}" for number in range(count)]
    for name, body in {
        "map": '<transform type="map" id="m" expression="item + \'!\'"/>',
        "map with a pattern": '<transform type="map" id="m" expression="regex_match(item, \'[0-9]+-[0-9]+\')"/>',
        "filter": '<transform type="filter" id="m" condition="length(item) > 20"/>',
        "reduce": '<transform type="reduce" id="m" initial="0" expression="acc + length(item)"/>',
        "template": '<transform type="template" id="m" template="{{length(input)}} of them"/>',
    }.items():
        yield hold_up(f"{name} over {count} items", flow(body, input=texts))


def durable(size: int) -> Iterator[Workload]:
    """Outputs that a durable run keeps: each is made into bytes, hashed and compressed."""
    megabytes = f"{size / MEGABYTE:g} MB"
    outputs = {
        f"text of {megabytes}": "a line of text, as long as such lines are\n" * (size // 42),
        f"bytes of {megabytes}": b"a line of text, as long as such lines are\n" * (size // 42),
        f"rows of about {megabytes}": [{**ROW, "id": number} for number in range(size // 80)],
    }
    for name, output in outputs.items():
        yield hold_up(f"{name}, kept by a durable run", keeping(output))


def resumed(size: int, count: int) -> Iterator[Workload]:
    """What a run is given as it begins in a store, and what is read of it where it is resumed."""
    megabytes = f"{size / MEGABYTE:g} MB"
    rows = [{**ROW, "id": number} for number in range(size // 80)]
    given = flows.fs.loads('<workflow name="given"><set var="x" value="{{1}}"/></workflow>')
    each = flows.fs.loads(
        f'<workflow name="each"><foreach id="f" collection="range(0, {count // 3})" max-concurrency="100" '
        'merge="none" timeout="1h" on-timeout="keep"><delay id="d" duration="0s"/></foreach></workflow>'
    )
    store = flows.fs.Store(folder() / "resumed.db")

    async def begin() -> object:
        return await flows.fs.run(given, store=store, input=rows)

    yield hold_up(f"an input of about {megabytes}, kept by a durable run", begin)
    trio.run(partial(flows.fs.run, given, store=store, run_id="given", input=rows))
    trio.run(partial(flows.fs.run, each, store=store, run_id="each"))
    again = flows.fs.resume
    yield hold_up(f"an input of about {megabytes}, resumed", partial(again, store, "given"))
    yield hold_up(f"a journal of about {count} rows, resumed", partial(again, store, "each"))


def keeping(output: Any) -> Callable[[], Awaitable[object]]:
    registry = flows.fs.Registry(base=flows.fs.registry)

    @registry.runtime("source:given")
    async def given(params: Any) -> Any:
        return output

    text = '<workflow name="kept"><source:given id="g"/><set var="x" value="{{1}}" after="g"/></workflow>'
    flow = flows.fs.loads(text, registry=registry)

    async def work() -> object:
        store = flows.fs.Store(folder() / "kept.db")
        return await flows.fs.run(flow, store=store, registry=registry)

    return work


def workloads(scale: float) -> Iterator[Workload]:
    yield from firsts()
    yield from http(int(20 * MEGABYTE * scale))
    yield from files(int(200 * MEGABYTE * scale))
    yield from databases(int(100_000 * scale))
    yield from durable(int(100 * MEGABYTE * scale))
    yield from resumed(int(50 * MEGABYTE * scale), int(100_000 * scale))
    yield from transforms(int(100_000 * scale))
