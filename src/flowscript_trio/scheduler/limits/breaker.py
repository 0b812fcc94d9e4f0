"""Owns the circuit breaker of a limit: closed, open for a while, then one trial that decides."""

from __future__ import annotations

from collections import deque
from math import inf

from ...types.limits import BreakerRule


class Breaker:
    """Opens after this many failures within its window, as in Nygard, "Release It!", 2007.

    Once its rest has passed one trial may go through: its success closes the circuit, its failure opens it again.
    """

    __slots__ = ("_failures", "_open_until", "_rule", "_trial")

    def __init__(self, rule: BreakerRule) -> None:
        self._rule = rule
        self._failures: deque[float] = deque(maxlen=rule.failures)
        self._open_until = -inf
        self._trial: object = None

    def seconds_left(self, now: float) -> float:
        """How long nothing may go through: 0.0 where something may; the whole rest while a trial is under way."""
        if self._open_until == -inf:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        return 0.0 if self._trial is None else self._rule.rest

    def enter(self, token: object) -> None:
        """Something goes through; it is the trial where the circuit was open."""
        if self._open_until != -inf:
            self._trial = token

    def leave(self, token: object, failed: bool | None, now: float) -> bool:
        """It has ended: whether it failed, None where it was cancelled. Gives whether the circuit opened by it."""
        was_trial = self._trial is token
        if was_trial:
            self._trial = None
        if failed is None:
            return False
        if not failed:
            if was_trial:
                self._open_until = -inf
                self._failures.clear()
            return False
        if was_trial:
            self._open_until = now + self._rule.rest
            return True
        if self._open_until != -inf:
            return False  # it went through before the circuit opened
        self._failures.append(now)
        if len(self._failures) < self._rule.failures:
            return False
        if now - self._failures[0] > self._rule.window:
            return False
        self._open_until = now + self._rule.rest
        return True
