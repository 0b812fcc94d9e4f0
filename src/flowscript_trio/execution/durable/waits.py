"""Owns which tasks of a run wait for people or timers, and until when."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import inf

import trio
from trio.lowlevel import Task, current_task

from ...types.passing import passing


class Waits:
    """The tasks of a run that wait for people or timers. ``now`` is the wall clock, in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._dues: dict[Task, float] = {}
        self._begun = trio.Event()

    @passing
    def until(self, due: float = inf) -> Generator[None, None, None]:
        """This task waits until ``due`` by the wall clock, or a time limit around it, while the block runs."""
        task = current_task()
        # One of the application's may hide a later one of the document: better due too early than never.
        left = trio.current_effective_deadline() - trio.current_time()
        self._dues[task] = due if left == inf else min(due, self._now() + max(left, 0.0))
        self._begun.set()
        try:
            yield
        finally:
            del self._dues[task]

    @property
    def due(self) -> float | None:
        """When the first of the waits is over; None where all are for people, who have all the time they need."""
        first = min(self._dues.values(), default=inf)
        return None if first == inf else first

    async def begun(self) -> None:
        """Wait until a task waits."""
        while not self._dues:
            self._begun = trio.Event()
            await self._begun.wait()

    def are_all(self, task: Task, nurseries: Sequence[trio.Nursery]) -> bool:
        """Whether a task waits, or all that run in its ``nurseries`` do and it waits for them."""
        if task in self._dues:
            return True
        children = [each for nursery in nurseries for each in nursery.child_tasks]
        return bool(children) and all(
            self.are_all(child, child.child_nurseries) for child in children
        )
