"""Owns what people see of a run on standard error: a live tree on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import trio

from ..observe.tree import RunTree
from ..types.events import (
    BranchEnded,
    CancelRequested,
    Event,
    NodeEnded,
    NodeStarted,
    Observer,
    RunWarning,
)

REFRESH = 0.1  # seconds between two pictures


def is_lively(stream: IO[str]) -> bool:
    """Whether a stream is a terminal that can redraw."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


@asynccontextmanager
async def show(quiet: bool = False) -> AsyncIterator[Observer | None]:
    """An observer that shows a run on standard error while the block lasts."""
    if quiet:
        yield None
    elif is_lively(sys.stderr):
        async with _live() as observer:
            yield observer
    else:
        yield PlainLines(sys.stderr)


@asynccontextmanager
async def _live() -> AsyncIterator[Observer]:
    from rich.console import Console
    from rich.live import Live

    from .tables import draw

    tree = RunTree()
    live = Live(
        draw(tree, trio.current_time()),
        console=Console(file=sys.stderr),
        auto_refresh=False,
        vertical_overflow="ellipsis",
    )

    async def refresh() -> None:
        while True:
            live.update(draw(tree, trio.current_time()), refresh=True)
            await trio.sleep(REFRESH)

    with live:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refresh)
            try:
                yield tree
            finally:
                nursery.cancel_scope.cancel()
                live.update(draw(tree, trio.current_time()), refresh=True)


class PlainLines:
    """An observer that writes one line an event."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._start: float | None = None

    def __call__(self, event: Event) -> None:
        if self._start is None:
            self._start = event.time
        line = self._line(event)
        if line is not None:
            print(f"{event.time - self._start:8.3f}  {line}", file=self._stream, flush=True)

    def _line(self, event: Event) -> str | None:
        match event:
            case NodeStarted():
                return f"start      {event.path}"
            case NodeEnded(result=result):
                took = f"({result.duration:.3f} s)"
                if result.status == "failed":
                    return f"failed     {event.path} {took} {type(result.error).__name__}"
                by = result.cancelled_by
                return f"{result.status:<10} {event.path} {took}{' ' + by.reason if by else ''}"
            case BranchEnded(status=status) if status != "success":
                return f"{status:<10} branch {event.path}"
            case CancelRequested(cancellation=cancellation):
                return f"cancel     {event.path or 'the run'}: {cancellation.reason}"
            case RunWarning(message=message):
                return f"warning    {message}"
        return None
