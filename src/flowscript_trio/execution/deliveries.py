"""Owns when a cancellation reaches a node: the first step of its task that the scheduler makes under it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import trio
from trio.lowlevel import Task, add_instrument, current_task, remove_instrument


@dataclass(slots=True, eq=False)
class _Stay:
    """A node that a task is at; ``delivered`` in seconds of trio's clock."""

    path: str
    delivered: float | None = None


class Deliveries(trio.abc.Instrument):
    """Knows at which nodes of a run the tasks are, and which of them a cancellation has reached.

    It is installed while it knows of any: a run without observers has none.
    """

    def __init__(self) -> None:
        self._stays: dict[Task, list[_Stay]] = {}

    def enter(self, path: str) -> None:
        """The current task begins with a node."""
        if not self._stays:
            add_instrument(self)
        self._stays.setdefault(current_task(), []).append(_Stay(path))

    def leave(self, path: str) -> float | None:
        """The current task is done with a node; when a cancellation reached it, None if none did."""
        task = current_task()
        stays = self._stays.get(task)
        if not stays or stays[-1].path != path:  # it began before anyone observed the run
            return None
        stay = stays.pop()
        if not stays:
            del self._stays[task]
        if not self._stays:
            remove_instrument(self)
        return stay.delivered

    def before_task_step(self, task: Task) -> None:
        stays = self._stays.get(task)
        if stays is not None and trio.current_effective_deadline() == -inf:
            for stay in stays:
                if stay.delivered is None:
                    stay.delivered = trio.current_time()
