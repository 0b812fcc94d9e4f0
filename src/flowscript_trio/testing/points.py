"""Owns the points of a proof: where a run is disturbed, and how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class CancelAt:
    """A cancellation from outside, requested just before the scheduler's ``step``-th step of the run (from 1)."""

    step: int

    def __str__(self) -> str:
        return f"a cancellation at step {self.step}"


@dataclass(frozen=True, slots=True, order=True)
class DeadlineAt:
    """A deadline from outside, ``time`` virtual seconds after the run began."""

    time: float

    def __str__(self) -> str:
        return f"a deadline at {self.time:g} s"


@dataclass(frozen=True, slots=True, order=True)
class RaiseAt:
    """An error in the ``call``-th call of a runtime for the node at ``path`` (from 1).

    It is raised in the place of the ``wait``-th wait of that call (from 1); 0 is before its first step, and one
    more than it has waits is after its last.
    """

    path: str
    call: int
    wait: int

    def __str__(self) -> str:
        where = "before its first step" if not self.wait else f"in its wait {self.wait}"
        again = f" (call {self.call})" if self.call > 1 else ""
        return f"an error in {self.path}{again} {where}"


Point = CancelAt | DeadlineAt | RaiseAt
