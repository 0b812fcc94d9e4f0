"""Owns the points of a proof: where a run is disturbed, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal


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
    """An error in the ``call``-th call of the runtime of the node with that label (from 1).

    It is raised in the place of the ``wait``-th wait of that call (from 1; checkpoints, which cannot fail,
    are not counted); 0 is before its first step, and one more than it has waits is after its last.
    ``lasting``: each later call of that node fails as well, before its first step.
    """

    label: str
    call: int
    wait: int
    lasting: bool = False

    def __str__(self) -> str:
        where = "before its first step" if not self.wait else f"at its wait {self.wait}"
        again = f" (call {self.call})" if self.call > 1 else ""
        ever = ", and in every later call" if self.lasting else ""
        return f"an error in {self.label!r}{again} {where}{ever}"


@dataclass(frozen=True, slots=True, order=True)
class StallAt:
    """The ``call``-th call of that node's runtime waits until it is cancelled, in the place of its work."""

    label: str
    call: int

    def __str__(self) -> str:
        again = f" (call {self.call})" if self.call > 1 else ""
        return f"{self.label!r}{again} waiting without end"


Fate = Literal["crash", "loss", "late"]
FATES: dict[Fate, str] = {
    "crash": "the worker of {} dying",
    "loss": "the reply of {} being lost",
    "late": "the reply of {} coming late",
}


@dataclass(frozen=True, slots=True, order=True)
class PlaceAt:
    """What becomes of the ``call``-th time that something with that label goes to its place."""

    label: str
    call: int
    fate: Fate

    def __str__(self) -> str:
        again = f" (call {self.call})" if self.call > 1 else ""
        return FATES[self.fate].format(repr(self.label)) + again


@dataclass(frozen=True, slots=True, order=True)
class Crash:
    """The process of a durable run dies ``before`` its ``number``-th commit, ``after`` it, or after an ``effect``.

    That is when this many nodes with effects have done their work in that process, and none of that is written.
    The numbers count from 1. Several such points are processes that die one after another.
    """

    moment: Literal["before", "after", "effect"]
    number: int

    def __str__(self) -> str:
        if self.moment == "effect":
            return f"a process that dies after effect {self.number}"
        return f"a process that dies {self.moment} commit {self.number}"


Point = CancelAt | DeadlineAt | RaiseAt | StallAt | PlaceAt | Crash
Points = tuple[Point, ...]

KINDS: dict[type, str] = {
    CancelAt: "cancellations",
    DeadlineAt: "deadlines from outside",
    RaiseAt: "errors",
    StallAt: "time limits that pass",
    PlaceAt: "losses at places",
    Crash: "crashes",
}


def is_from_outside(point: Point) -> bool:
    """Whether the point disturbs the run from outside."""
    return isinstance(point, CancelAt | DeadlineAt)


def smaller(points: Points) -> Iterator[Points]:
    """Points that are less: fewer of them, or one of them earlier; the least first."""
    if len(points) > 1:
        yield from ((point,) for point in points)
    for at, point in enumerate(points):
        for less in _earlier(point):
            yield (*points[:at], less, *points[at + 1 :])


def _earlier(point: Point) -> Iterator[Point]:
    match point:
        case CancelAt(step=step):
            yield from (CancelAt(less) for less in _below(step, 1))
        case RaiseAt(call=call, wait=wait):
            yield from (replace(point, call=less) for less in _below(call, 1))
            yield from (replace(point, wait=less) for less in _below(wait, 0))
        case PlaceAt(call=call):
            yield from (replace(point, call=less) for less in _below(call, 1))
        case StallAt(call=call):
            yield from (replace(point, call=less) for less in _below(call, 1))
        case Crash(number=number):
            yield from (replace(point, number=less) for less in _below(number, 1))


def _below(number: int, least: int) -> Iterator[int]:
    """The least, the half, and the one below a number, as far as they are less."""
    yield from sorted({least, (least + number) // 2, number - 1} & set(range(least, number)))
