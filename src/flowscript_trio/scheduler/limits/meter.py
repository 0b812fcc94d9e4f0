"""Owns the count of a rate: when the next one may pass, so that no more than burst + rate × time ever do."""

from __future__ import annotations

from math import inf

from ...types.limits import Rate


class Meter:
    """A token bucket that is counted, not refilled: each time follows from one start by one multiplication.

    So errors of rounding do not add up. The bucket holds ``burst``; it begins full, at the ``start`` of a count.
    """

    __slots__ = ("_burst", "_passed", "_rate", "_start")

    def __init__(self, rate: Rate, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._start = -inf
        self._passed = 0

    def ready_at(self) -> float:
        """When the next one may pass, in seconds of trio's clock: perhaps long ago."""
        early = self._passed + 1 - self._burst
        return self._start if early <= 0 else self._start + self._rate.time_of(early)

    def count(self, now: float) -> None:
        """One passes now, at or after the time when it may."""
        if now > self._start + self._rate.time_of(self._passed):
            self._start, self._passed = now, 0  # the bucket is full again
        self._passed += 1

    @property
    def full_at(self) -> float:
        """When the bucket is full again if nothing more passes, in seconds of trio's clock."""
        return self._start + self._rate.time_of(self._passed)

    @property
    def counted(self) -> tuple[float, int]:
        """When the count began, and how many have passed since: all that has to be kept of it."""
        return self._start, self._passed

    @counted.setter
    def counted(self, counted: tuple[float, int]) -> None:
        self._start, self._passed = counted

    def bound(self, now: float) -> None:
        """Where the count goes on later than any can, the clock was set: the bucket is empty ``now``."""
        whole = self._rate.time_of(self._burst)
        if self.full_at > now + whole:
            self._start, self._passed = now, self._burst

    def resume(self, full_at: float, now: float) -> None:
        """Go on with a count from elsewhere, after which the bucket is full again at ``full_at``, or this one.

        Where that is later than any count can be, the clock was set: the bucket is empty ``now``.
        """
        whole = self._rate.time_of(self._burst)
        full_at = min(full_at, now + whole)
        if full_at > max(self.full_at, now):
            self._start, self._passed = full_at - whole, self._burst
