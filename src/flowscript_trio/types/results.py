"""Owns what a run leaves behind: statuses, results of nodes, cancellations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .location import Location

NodeStatus = Literal["success", "failed", "cancelled", "skipped"]
RunStatus = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who cancelled, and why.

    ``by`` is the path of the branch or node that caused it (``fetch-all/1``), or None for a cancellation
    from outside the run. ``reason`` is for people. ``requested`` is in seconds of trio's clock, NaN
    where it cannot be known (a cancellation from outside).
    """

    by: str | None
    reason: str
    requested: float


@dataclass(slots=True)
class NodeResult:
    """One execution of one node.

    ``started`` is in seconds of trio's clock, ``duration`` in seconds. ``error`` is the very exception
    object of a failed node. ``possibly_masked`` are errors that only the context of a ``Cancelled``
    showed; they never surface. ``outlived`` marks a node that ended normally two or more passes after
    its cancellation was requested; its output is not used.
    """

    id: str | None
    path: str
    status: NodeStatus
    output: Any
    started: float
    duration: float
    location: Location
    error: BaseException | None = None
    attempts: int = 1
    cancelled_by: Cancellation | None = None
    possibly_masked: tuple[BaseException, ...] = ()
    outlived: bool = False
