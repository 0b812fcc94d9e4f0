"""Owns the workload of being observed: a run with a record beside the same without."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import flowscript_trio as fs
from flowscript_trio.execution.preparing import masker_of
from flowscript_trio.observe.chronicle import Chronicle, Lines, keeping_chronicle

from . import flows
from .measuring import Cost, Workload, timed

EVENTS_AN_ITEM = 5
"""A branch and a node each begin and end, and the node makes an attempt."""


def record(items: int) -> Workload:
    """What a unit costs more is what an event costs."""
    flow = flows.load(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10"><source:noop id="n"/></foreach>'
    )
    given = list(range(items))

    async def engine() -> None:
        with tempfile.TemporaryDirectory() as folder, keeping_chronicle(Path(folder)) as observer:
            await fs.run(flow, input=given, observers=[observer])

    name = f"a record of {items} items, an event, to none"
    count = items * EVENTS_AN_ITEM
    return Workload(name, "event", count, timed(engine), flows.run(flow, input=given), None, None)


SECRETS = {
    "TOKEN": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9",
    "URL": "postgresql://app:correct-horse-battery@db.internal/orders",
    "KEY": "9f86d081884c7d659a2feaa0c55ad015",
}


def _nowhere() -> BinaryIO:
    return open(os.devnull, "wb", buffering=0)


def mask(items: int) -> Workload:
    """A run that prints a line an event, and its output, with secrets to look for beside the same without."""
    flow = flows.load(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10"><source:noop id="n"/></foreach>'
    )
    given = [
        {"id": n, "name": f"user {n}", "note": "an order of the day before"} for n in range(items)
    ]

    def printing(secrets: dict[str, str]) -> Cost:
        async def work() -> None:
            with _nowhere() as stream:
                observers = [Chronicle(Lines(stream))]
                run = await fs.run(flow, input=given, secrets=secrets, observers=observers)
                masker = masker_of(flow, fs.RunOptions(secrets=secrets, input=given))
                shown = run.output if masker is None else masker.value(run.output)
                stream.write(json.dumps(shown, indent=2).encode())

        return timed(work, time.thread_time)

    name = f"a run that prints, of {items} items, with secrets, to without"
    return Workload(name, "item", items, printing(SECRETS), printing({}), 1.05, 1.02)


def workloads(scale: float) -> Iterator[Workload]:
    yield record(int(10_000 * scale))
    yield mask(int(10_000 * scale))
