"""Owns the budget of a run over several processes: counts go on, and what was exceeded stays exceeded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

import trio

from ...scheduler.raised import first_of
from ...types.errors import BudgetExceeded
from ...types.paths import END, bound_path
from ..regions import Region
from ..spending import Spending, reason_of
from .compacting import Parts
from .entries import Requested
from .past import Past
from .recorder import Recorder
from .run_entries import Exceeded
from .timers import Timer

T = TypeVar("T")


def restore_spending(spending: Spending, past: Past, parts: Parts) -> None:
    """Take over what earlier processes spent and what is not counted again where their executions are restored.

    What is counted from now on is noted for the ``parts`` of the run, which may be compacted.
    """
    parts.counts = True
    spending.noted = parts.spend
    spending.requests_of, spending.elsewhere = {}, {}
    spending.ran_before = 0.0 if past.ran is None else past.ran.seconds
    spending.had_round = past.has
    for (path, _), sent in past.requested.items():
        spending.note_requests(path, sum(each.requests for each in sent))
    for compacted in past.compacted.values():
        for _, _, entry in compacted:
            for name, in_cleanup, count in entry.spent:
                spending.note_spent(name, in_cleanup, count)
    if past.exceeded is not None:
        bound = past.exceeded.bound
        limit = getattr(spending.budget, bound) or 0  # another budget may have been given since
        spending.exceeded = BudgetExceeded(bound, limit, past.exceeded.path)


def recall_requests(recorder: Recorder, path: str, number: int) -> None:
    """What an attempt had sent in earlier processes counts already; it is of what may be compacted here."""
    for each in recorder.past.requested.get((path, number), ()):
        recorder.parts.spend(path, "requests", each.requests)


async def counting_requests(
    recorder: Recorder, spending: Spending, path: str, number: int, work: Awaitable[T]
) -> T:
    """Do an attempt of a node, and write how many requests it has sent. Cancellation passes through."""
    try:
        return await work
    finally:
        sent = spending.take_requests(path)
        if sent:
            recorder.journal.write(Requested(bound_path(path, "requests"), number, sent))


async def on_disk_first(
    recorder: Recorder,
    spending: Spending,
    region: Region,
    cancel: Callable[[str], None],
    work: Awaitable[T],
) -> T:
    """Do the work of a run, which is cancelled only once it is on disk that its budget is exceeded.

    Until then nothing begins in ``region``. A run that an earlier process saw exceeded is cancelled at once.
    Cancellation passes through, and what the work raises is raised as it is.
    """
    if spending.exceeded is not None:
        cancel(reason_of(spending.exceeded))
        return await work
    happened = trio.Event()

    def exceed(reason: str) -> None:
        assert spending.exceeded is not None
        recorder.decisions.settle(region)
        recorder.journal.write(Exceeded("", spending.exceeded.bound, spending.exceeded.path))
        happened.set()

    async def cancel_then() -> None:
        await happened.wait()
        await recorder.journal.kept()
        assert spending.exceeded is not None
        recorder.decisions.settled(region)
        cancel(reason_of(spending.exceeded))

    spending.cancel = exceed
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_then)
            try:
                done = await work
            finally:
                nursery.cancel_scope.cancel("the nodes of the run have ended")
    except BaseExceptionGroup as group:
        raise first_of(group)
    return done


class BudgetTimer(Timer):
    """The seconds of a budget, of which earlier processes have used some."""

    def __init__(self, recorder: Recorder, spending: Spending, seconds: float) -> None:
        self._recorder = recorder
        over = recorder.past.bodies.get(END)
        exceeded = spending.exceeded
        self.is_known: bool = over is not None and not over.raised
        was_exceeded = exceeded is not None and exceeded.bound == "seconds"
        self._kept = over if self.is_known and not was_exceeded else None
        left = -1.0 if was_exceeded else inf
        self.seconds: float = left if self.is_known else seconds - spending.ran_before

    def end(self, late: bool) -> None:
        """Nothing: that it was exceeded is an entry of its own."""
