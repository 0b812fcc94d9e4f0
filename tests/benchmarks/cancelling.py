"""Owns the seconds from the cancellation of a node that is at work elsewhere until its end is known here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeEnded

from .measuring import Cost
from travelling import lines, until


def cancelled(flow: fs.Flow, make: Callable[[], fs.Place], said: list[str]) -> Cost:
    """The seconds for the one node of a flow, which runs at ``away`` and is given the path of a log.

    It writes a line once it is at work. When it has ended here, ``said`` are the lines that it has written.
    """

    async def work(log: Path) -> float:
        ended: list[float] = []

        def look(event: Event) -> None:
            if isinstance(event, NodeEnded):
                ended.append(time.perf_counter())
                assert lines(log) == said

        places = {"away": make()}
        async with fs.open_run(flow, input=str(log), places=places, observers=[look]) as run:
            await until(lambda: lines(log))
            begun = time.perf_counter()
            run.cancel()
        return ended[0] - begun

    def cost() -> float:
        with TemporaryDirectory() as folder:
            return trio.run(work, Path(folder) / "log")

    return cost
