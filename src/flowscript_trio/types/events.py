"""Owns the events of a run: plain frozen objects, handed to synchronous observers as they happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .results import Cancellation, NodeResult, RunStatus

if TYPE_CHECKING:
    from .ast import BaseNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``time`` is in seconds of trio's clock; ``path`` is that of the run's node or branch ("" for the run)."""

    time: float
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    run_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    status: RunStatus
    error: BaseException | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    node: BaseNode


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEnded(Event):
    """A node ended, was cancelled, or was skipped: ``result.status`` tells."""

    node: BaseNode
    result: NodeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStarted(Event):
    """A block opened its nursery. ``branches`` is their number, None where it is not known yet."""

    branches: int | None
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStarted(Event):
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchEnded(Event):
    """``status`` is ``success``, ``failed`` or ``cancelled``."""

    index: int
    status: str
    error: BaseException | None = None
    cancelled_by: Cancellation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    """The block at ``path`` cancels what still runs in it."""

    cancellation: Cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWarning(Event):
    message: str


Observer = Callable[[Event], None]
