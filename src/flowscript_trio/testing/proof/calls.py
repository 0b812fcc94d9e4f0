"""Owns what a proof knows of one call of a runtime: when it was, what it waited for, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ...types.errors import FlowScriptError
from ...types.results import NodeResult


class Planted(FlowScriptError):
    """The error that a proof raises inside of a node; it can be tried again."""

    retryable = True


@dataclass(slots=True)
class Moment:
    """When something was: the ``pass_number`` of the scheduler, and its ``order`` among all that happened."""

    pass_number: int
    order: int


@dataclass(slots=True)
class Wait:
    """One wait of a call: from which pass to which.

    ``shielded``: the call had put a shield around it. ``deaf``: it was over only after a cancellation had
    reached it, and was not interrupted by it (a thread).
    """

    since: int
    shielded: bool
    deadline: float
    until: int | None = None
    deaf: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One call of a leaf node's runtime. ``label`` is the node's, ``path`` that of its execution.

    ``raised`` is what left it, None if it gave an output. ``told`` is the pass in which it was handed
    ``Cancelled`` first; ``swallowed`` says that it ended normally after that although it was still cancelled.
    """

    label: str
    path: str
    number: int
    type: str
    began: Moment
    sights: Mapping[str, NodeResult]
    """The results of nodes that its scope showed when it began."""
    bound: float
    """The deadline that stood around it when it began, in seconds of trio's clock."""
    places: int = 0
    """In how many places an error could be raised: before it began, in each wait but checkpoints, at its end."""
    waits: list[Wait] = field(default_factory=list)
    ended: Moment | None = None
    told: int | None = None
    planted: Planted | None = None
    raised: BaseException | None = None
    swallowed: bool = False
    started_tasks: bool = False
    output: Any = None
    given: Any = None
    """A copy of the output as it was when it was given away."""

    @property
    def name(self) -> str:
        """How people know it: its runtime and its node."""
        return f"{self.type} ({self.label!r})"

    def give(self, output: Any) -> None:
        """Note the output, as it is now."""
        self.output = output
        try:
            self.given = deepcopy(output)
        except Exception:  # what cannot be copied cannot be compared
            self.given = output

    def wait_in(self, pass_number: int) -> Wait | None:
        """The wait that it was in at the end of a pass, or None."""
        for wait in reversed(self.waits):
            if wait.since <= pass_number:
                over = wait.until is not None and wait.until <= pass_number
                return None if over else wait
        return None
