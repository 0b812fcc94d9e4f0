"""Owns what people see of a run on standard error: a live tree on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import IO

import trio
from trio.lowlevel import enable_ki_protection

from ..observe.tree import RunTree
from ..types.deferred import dataclass
from ..types.events import (
    BranchEnded,
    CancelRequested,
    Event,
    NodeEnded,
    NodeStarted,
    Observer,
    RunWarning,
)
from ..types.exceptions import class_name
from ..types.printing import one_line, printable
from .saying import say

REFRESH = 0.1
"""Seconds between two pictures."""


def is_lively(stream: IO[str]) -> bool:
    """Whether a stream is a terminal that can redraw, and its user has not asked for plain text."""
    plain = os.environ.get("TERM", "") in ("", "dumb") or os.environ.get("NO_COLOR")
    return stream.isatty() and not plain


Pause = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class View:
    """What shows a run: its observers, a context in which nothing is drawn, and what writes a line meanwhile."""

    observers: tuple[Observer, ...]
    pause: Pause = nullcontext
    say: Callable[[str], None] = say


@asynccontextmanager
async def show(log: str | None = None) -> AsyncIterator[View]:
    """What shows a run on standard error while the block lasts.

    ``log`` is ``tree``, ``lines``, ``json`` or ``nothing``; None is a tree on a terminal, else lines.
    """
    if log == "nothing":
        yield View(())
    elif log == "json":
        from ..observe.chronicle import Chronicle, Lines

        yield View((Chronicle(Lines(sys.stderr.buffer)),))
    elif log == "tree" or (log is None and is_lively(sys.stderr)):
        async with _live() as view:
            yield view
    else:
        yield View((PlainLines(sys.stderr),))


@asynccontextmanager
async def _live() -> AsyncIterator[View]:
    """An observer whose tree is drawn again every now and then, and once more at the end."""
    from rich.console import Console, Group
    from rich.live import Live

    from .tables import draw

    tree = RunTree(trio.current_time())
    console = Console(file=sys.stderr)

    def picture() -> Group:
        return draw(tree, trio.current_time(), max(console.height - 4, 5))

    @enable_ki_protection  # an interrupt must not leave a picture half drawn
    async def refresh() -> None:
        while True:
            if live.is_started:
                live.update(picture(), refresh=True)
            await trio.sleep(REFRESH)

    @contextmanager
    def pause() -> Iterator[None]:
        live.stop()
        try:
            yield
        finally:
            live.start()

    def say_above(text: str) -> None:
        # Through the console, which draws the picture again below it; the terminal wraps what is long.
        console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    with Live(picture(), console=console, auto_refresh=False) as live:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refresh)
            try:
                yield View((tree,), pause, say_above)
            finally:
                nursery.cancel_scope.cancel("the run has ended")
                # Nothing stays of what never began: a run of a store, say, that had ended before.
                live.update(picture() if tree.name else Group(), refresh=True)


class PlainLines:
    """An observer that writes one line an event; it falls silent when nobody reads them any more."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream: IO[str] | None = stream
        self._start: float | None = None

    def __call__(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        if self._start is None:
            self._start = event.time
        line = describe(event)
        if line is None or self._stream is None:
            return
        try:
            print(f"{event.time - self._start:8.3f}  {line}", file=self._stream, flush=True)
        except OSError:  # the reader has gone; the run does not fail for that
            self._stream = None


def describe(event: Event) -> str | None:
    """An event in one line, or None where it says nothing new."""
    match event:
        case NodeStarted():
            return f"start      {one_line(event.path)}"
        case NodeEnded(result=result, replayed=replayed):
            took = f"({result.duration:.3f} s)"
            if replayed:
                took += " restored"
            if result.worker is not None:
                took += f" on {one_line(result.worker)}"
            if result.status == "failed":
                first = result.replaced
                after = "" if first is None else f" after {class_name(first)}"
                return f"failed     {one_line(event.path)} {took} {class_name(result.error)}{after}"
            if result.status == "success" and result.replaced is not None:
                took += f" by its fallback after {class_name(result.replaced)}"
            by = result.cancelled_by
            return f"{result.status:<10} {one_line(event.path)} {took}{' ' + one_line(by.reason) if by else ''}"
        case BranchEnded(status=status) if status != "success":
            return f"{status:<10} branch {one_line(event.path)}"
        case CancelRequested(cancellation=cancellation):
            return (
                f"cancel     {one_line(event.path) or 'the run'}: {one_line(cancellation.reason)}"
            )
        case RunWarning(message=message):
            return f"warning    {one_line(message)}"
    return None
