"""Owns the workload of being observed: a run with a record beside the same without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import flowscript_trio as fs
from flowscript_trio.observe.journal import keeping_journal

from . import flows
from .measuring import Workload, timed

EVENTS_AN_ITEM = 5
"""A branch and a node each begin and end, and the node makes an attempt."""


def record(items: int) -> Workload:
    """What a unit costs more is what an event costs."""
    flow = flows.load(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10"><source:noop id="n"/></foreach>'
    )
    given = list(range(items))

    async def engine() -> None:
        with tempfile.TemporaryDirectory() as folder, keeping_journal(Path(folder)) as observer:
            await fs.run(flow, input=given, observers=[observer])

    name = f"a record of {items} items, an event, to none"
    count = items * EVENTS_AN_ITEM
    return Workload(name, "event", count, timed(engine), flows.run(flow, input=given), None, None)


def workloads(scale: float) -> Iterator[Workload]:
    yield record(int(10_000 * scale))
