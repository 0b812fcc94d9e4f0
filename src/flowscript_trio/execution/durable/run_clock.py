"""Owns the time of a durable run: passes counted over all its processes, and the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ...scheduler.passes import PassCounter


class RunClock:
    """Counts passes on from ``latest``, the latest one of the record, 0 where there is none.

    ``now`` is the wall clock, and ``ahead`` the seconds by which that of the store is ahead of it.
    """

    def __init__(
        self, passes: PassCounter, latest: int, now: Callable[[], datetime], ahead: float = 0.0
    ) -> None:
        self.passes: PassCounter = passes
        """Those of this process's scheduler."""
        self.now: Callable[[], datetime] = now
        self._ahead = ahead
        self._shift = latest + 2 - passes.now if latest else 1 - passes.now

    @property
    def pass_now(self) -> int:
        """The scheduler's pass, counted from the beginning of the run."""
        return self.passes.now + self._shift

    def here(self, at: int) -> int:
        """A pass of the record as the scheduler of this process would have counted it."""
        return at - self._shift

    def there(self, at: int) -> int:
        """A pass of this process's scheduler as the record counts it."""
        return at + self._shift

    @property
    def time(self) -> float:
        """By the wall clock of the store, in seconds since 1970: machines that share it may differ in theirs."""
        return self.now().timestamp() + self._ahead

    def seconds_until(self, due: float) -> float:
        """The seconds until then by the wall clock; 0 when it has passed."""
        return max(due - self.time, 0.0)
