"""Owns what a proof knows of one call of a runtime: when it was, what it waited for, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ...types.errors import FlowScriptError, WorkerDied
from ...types.exceptions import leaves_of
from ...types.results import NodeResult


class Planted(FlowScriptError):
    """The error that a proof raises inside a node; it can be tried again."""

    retryable = True


class Crashed(Planted, WorkerDied):
    """The worker of something that is placed is lost, as a proof has it."""


@dataclass(slots=True)
class Moment:
    """When something was: the ``pass_number`` of the scheduler, its ``order`` among all that happened, and the
    ``time`` since the run began, in virtual seconds."""

    pass_number: int
    order: int
    time: float


@dataclass(slots=True)
class Wait:
    """One wait of a call: from which pass until when.

    ``shielded``: the call had put a shield around it. ``deaf``: it was over only after a cancellation had
    reached it, and was not interrupted by it (a thread).
    """

    since: int
    shielded: bool
    deadline: float
    until: Moment | None = None
    deaf: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One call of a leaf node's runtime. ``label`` is the node's, ``path`` that of its execution.

    ``raised`` is what left it, None if it gave an output. ``told`` is when it was handed
    ``Cancelled`` first; ``swallowed`` says that it, or a task of its own, was handed one and went on, although it
    was still cancelled: it ended normally, or waited again with no ``Cancelled`` under way.
    """

    label: str
    path: str
    number: int
    type: str
    began: Moment
    sights: Mapping[str, NodeResult]
    """The results of nodes that its scope showed when it began."""
    variables: Mapping[str, Any]
    """The variables that its scope showed then."""
    bound: float
    """The deadline that was around it when it began, in seconds of trio's clock."""
    places: int = 0
    """In how many places an error could be raised: before it began, in each wait but checkpoints, at its end."""
    waits: list[Wait] = field(default_factory=list)
    ended: Moment | None = None
    told: Moment | None = None
    planted: Planted | None = None
    raised: BaseException | None = None
    swallowed: bool = False
    replaced: BaseException | None = None
    """The error that its code raised in the place of ``Cancelled``."""
    cut_short: str = ""
    """Where its clean-up waited without a shield, and was interrupted once more."""
    stray: bool = False
    """Whether it, or a task of its own, raised ``Cancelled`` while nothing around it was cancelled."""
    polled: list[float] = field(default_factory=list)
    """The deadlines that were around it when it asked for them."""
    variables_left: list[str] = field(default_factory=list)
    """The context variables that it has set and not reset."""
    started_tasks: bool = False
    output: Any = None
    given: Any = None
    """A copy of the output as it was when it was given away."""
    comparable: bool = True
    """Whether the output can be copied, and is equal to its copy: else nobody knows whether it changes."""

    @property
    def name(self) -> str:
        """How people know it: its runtime and its node."""
        return f"{self.type} ({self.label!r})"

    @property
    def errors(self) -> list[BaseException]:
        """What left it: the exceptions in a group, or the one; none if it gave an output."""
        return [] if self.raised is None else list(leaves_of(self.raised))

    def give(self, output: Any) -> None:
        """Note the output, as it is now."""
        self.output = output
        try:
            self.given = deepcopy(output)
            self.comparable = bool(self.given == output)
        except Exception:  # what cannot be copied cannot be compared
            self.comparable = False

    @property
    def changed_output(self) -> bool:
        """Whether the output has changed since it was given away, as far as that can be known."""
        try:
            return self.comparable and not bool(self.given == self.output)
        except Exception:
            return False

    def wait_in(self, pass_number: int) -> Wait | None:
        """The wait that it was in at the end of a pass, or None."""
        for wait in reversed(self.waits):
            if wait.since <= pass_number:
                over = wait.until is not None and wait.until.pass_number <= pass_number
                return None if over else wait
        return None


RUNNING: ContextVar[Call | None] = ContextVar("the call of a proof", default=None)
"""The call whose code runs, in its task, in those that it starts, and in threads."""
