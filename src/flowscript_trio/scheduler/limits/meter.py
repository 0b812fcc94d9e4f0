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
