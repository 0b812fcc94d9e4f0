"""Owns the events of a run: plain frozen objects, handed to synchronous observers as they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .deferred import dataclass
from .results import Cancellation, NodeResult, RunStatus

if TYPE_CHECKING:
    from .ast import BaseNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``time`` is in seconds of trio's clock; ``path`` is that of the run's node or branch ("" for the run).

    ``execution`` is the number of the execution of that node or branch: they are counted from 1 in the order in
    which they begin, and what had begun before anybody observed the run when it is heard of first. It is 0 for the
    run, and for a warning that is not of one of them.
    """

    time: float
    path: str
    execution: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run begins, with its id and the name of its workflow."""

    run_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """A run has ended; ``error`` is what it raises, None where it does not."""

    status: RunStatus
    error: BaseException | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    """A node begins: whether it runs at all, and when its work begins, is seen from what follows."""

    node: BaseNode


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    """A node begins to work, for the first time (1) or once more. A node that is skipped does not.

    ``input`` is what it is given, without secrets; it must not be changed.
    """

    node: BaseNode
    attempt: int
    input: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Event):
    """An attempt of a node failed, and another one follows in ``delay`` seconds."""

    node: BaseNode
    attempt: int
    error: BaseException
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAwaited(Event):
    """A node has to wait: for the limits of these names; without ``limits`` for a token of the run's limiter."""

    node: BaseNode
    limits: tuple[str, ...] = ()

    @property
    def awaited(self) -> str:
        """What it waits for, for people."""
        if not self.limits:
            return "a token"
        return f"the limit{'s' * (len(self.limits) > 1)} {', '.join(self.limits)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTaken(Event):
    """A node has that for which it had to wait."""

    node: BaseNode
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEnded(Event):
    """A node ended, was cancelled, or was skipped: ``result.status`` tells.

    Of a cancelled node ``result.cancelled_by`` says who requested that and when, ``delivered`` when it reached
    the node (in seconds of trio's clock, None where nobody observed the run when the node began), and ``time``
    when the node had ended: between the last two lies its clean-up.
    ``replayed``: in a durable run, all of it was done by an earlier process.
    """

    node: BaseNode
    result: NodeResult
    delivered: float | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStarted(Event):
    """A block opened its nursery. ``branches`` is their number, None where it is not known yet."""

    branches: int | None
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStarted(Event):
    """A branch of a parallel block, or an iteration, begins; ``index`` counts from 0."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchEnded(Event):
    """``status`` is ``success``, ``failed`` or ``cancelled``.

    ``worker`` is where it ran whole, if it was lost there, or killed with its worker: no node in it says so then.
    """

    index: int
    status: str
    error: BaseException | None = None
    cancelled_by: Cancellation | None = None
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    """The block at ``path`` cancels what still runs in it."""

    cancellation: Cancellation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWarning(Event):
    """A warning of the run; ``path`` is that of a node, or what it is called."""

    message: str


Observer = Callable[[Event], None]
