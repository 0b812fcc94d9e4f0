"""Owns what a run leaves behind: statuses, results of nodes, cancellations."""

from __future__ import annotations

from typing import Any, Literal

from .deferred import dataclass
from .location import Location

NodeStatus = Literal["success", "failed", "cancelled", "skipped"]
RunStatus = Literal["completed", "failed", "cancelled", "suspended"]
LEFT = "this process leaves the run"
"""The reason of what is cancelled here since its run is left: it has not ended, and goes on elsewhere."""


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
class BranchResult:
    """How one branch of a block, or one iteration of a ``<foreach>``, ended.

    ``started`` is False for one that was never started; its status is ``cancelled``. ``item`` is that of an
    iteration that failed.
    """

    index: int
    status: NodeStatus
    error: BaseException | None = None
    cancelled_by: Cancellation | None = None
    started: bool = True
    item: Any = None


@dataclass(frozen=True, slots=True)
class NodeMark:
    """How a node is in a scope that has no output of it: it is not published, or never began."""

    status: NodeStatus
    error: BaseException | None = None
    output: None = None


CANCELLED = NodeMark("cancelled")
SKIPPED = NodeMark("skipped")


@dataclass(slots=True)
class NodeResult:
    """One execution of one node.

    ``label`` is the node's id, or for a node without one its tag and line.
    ``started`` is in seconds of trio's clock, ``duration`` in seconds. ``error`` is the very exception
    object of a failed node. ``possibly_masked`` are errors that only the context of a ``Cancelled``
    showed; they never surface. ``outlived`` marks a node that ended normally two or more passes after
    its cancellation was requested; its output is not used.
    """

    id: str | None
    label: str
    path: str
    status: NodeStatus
    output: Any
    started: float
    duration: float
    location: Location
    error: BaseException | None = None
    attempts: int = 1
    earlier: tuple[BaseException, ...] = ()
    """The errors of the attempts before the last one, and of a node whose handler took its place."""
    cancelled_by: Cancellation | None = None
    possibly_masked: tuple[BaseException, ...] = ()
    outlived: bool = False
    branches: tuple[BranchResult, ...] = ()
    """Of a ``<parallel>`` or ``<foreach>``: how its branches ended, by index (successes only as far as kept)."""
    worker: str | None = None
    """Where the node ran: the name of the worker, None for trio's own thread."""

    @property
    def replaced(self) -> BaseException | None:
        """The node's own error where something stood in for it: its fallback, which may have failed as well."""
        return self.earlier[-1] if len(self.earlier) >= self.attempts else None
