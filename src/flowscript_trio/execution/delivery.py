"""Owns when a cancellation reaches a node: the first step of its task that the scheduler makes under it."""

from __future__ import annotations

from math import inf

import trio
from trio.lowlevel import Task, add_instrument, current_task, remove_instrument

from ..types.deferred import dataclass


@dataclass(slots=True, eq=False)
class _Visit:
    """A node that a task is at; ``delivered`` in seconds of trio's clock."""

    path: str
    delivered: float | None = None


class DeliveryTimes(trio.abc.Instrument):
    """Knows at which nodes of a run the tasks are, and which of them a cancellation has reached.

    It is installed while it knows of any: a run without observers has none.
    """

    def __init__(self) -> None:
        self._visits: dict[Task, list[_Visit]] = {}

    def enter(self, path: str) -> None:
        """The current task begins with a node."""
        if not self._visits:
            add_instrument(self)
        self._visits.setdefault(current_task(), []).append(_Visit(path))

    def leave(self, path: str) -> float | None:
        """The current task is done with a node; when a cancellation reached it, None if none did."""
        task = current_task()
        visits = self._visits.get(task)
        if not visits or visits[-1].path != path:  # it began before anyone observed the run
            return None
        visit = visits.pop()
        if not visits:
            del self._visits[task]
        if not self._visits:
            remove_instrument(self)
        return visit.delivered

    def before_task_step(self, task: Task) -> None:
        visits = self._visits.get(task)
        if visits is not None and trio.current_effective_deadline() == -inf:
            for visit in visits:
                if visit.delivered is None:
                    visit.delivered = trio.current_time()
