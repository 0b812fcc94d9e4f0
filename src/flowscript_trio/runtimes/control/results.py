"""Owns what control runtimes return: one sealed union of frozen results that describe, and run nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...expression import Expression
from ...scheduler.policy import Policy
from ...types.ast import Body
from ...types.decisions import Action, Answer
from ...types.deferred import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class ParallelResult:
    """Run ``branches`` at the same time, ``max_concurrency`` of them at once (None: the run's limit).

    ``merge`` is one of the words ``array``, ``concat``, ``object``, ``none``, or an expression over
    ``$branches``. ``accept`` is an expression over a branch's output, ``result``; ``stagger`` are the seconds
    between the starts of two branches.
    """

    branches: tuple[Body, ...]
    branch_count: int
    max_concurrency: float | None
    policy: Policy
    merge: str | Expression
    accept: Expression | None = None
    stagger: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ForeachResult:
    """Run ``body`` once for each item of ``collection``, ``max_concurrency`` of them at once.

    With ``batch`` it is once for each list of this many items. ``debounce`` are the seconds for which no other
    item must follow one that counts, ``throttle`` those between two iterations' starts.
    """

    body: Body
    collection: Any
    item: str
    index: str
    batch: int | None
    max_concurrency: float
    policy: Policy
    merge: str | Expression
    accept: Expression | None = None
    stagger: float | None = None
    throttle: float | None = None
    debounce: float | None = None

    @property
    def is_paced(self) -> bool:
        """Whether items are held back, so that it counts which of them came when."""
        return (self.stagger, self.throttle, self.debounce) != (None, None, None)


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceResult:
    """Run the one body that was chosen by an ``<if>`` or a ``<branch>``, or none."""

    body: Body | None


@dataclass(frozen=True, slots=True, eq=False)
class LoopResult:
    """Run ``body`` at most ``max`` times, until ``until`` (tested after each round) is truthy."""

    body: Body
    max: int
    until: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class WhileResult:
    """Run ``body`` as long as ``condition`` (tested before each round) is truthy, at most ``max`` times."""

    body: Body
    max: int
    condition: Expression


@dataclass(frozen=True, slots=True, eq=False)
class BreakResult:
    """Leave the loop named ``loop``, or with None the nearest one, if ``taken``."""

    taken: bool
    loop: str | None


@dataclass(frozen=True, slots=True, eq=False)
class ReturnResult:
    """End the document with ``output``."""

    output: Any


@dataclass(frozen=True, slots=True, eq=False)
class TimeoutResult:
    """Run ``body`` for at most ``duration`` seconds."""

    body: Body
    duration: float


@dataclass(frozen=True, slots=True, eq=False)
class AssignResult:
    """Assign variables; ``output`` is the node's output."""

    values: Mapping[str, Any]
    output: Any


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointResult:
    """Ask a person, unless ``asked`` is False: then it counts as approved.

    ``goto`` maps ids of actions to those of the nodes at which they go on. ``rejectable`` says that
    ``reject`` is not one of its own actions, and fails the run. ``answer`` is given where it is known already.
    """

    prompt: str
    actions: tuple[Action, ...]
    goto: Mapping[str, str]
    default: str
    rejectable: bool
    asked: bool
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DocumentResult:
    """Run the document that the node names, with ``arguments`` by name.

    ``isolated``: it sees nothing else, but the secrets that it declares.
    """

    arguments: Mapping[str, Any]
    isolated: bool


ControlResult = (
    ParallelResult
    | ForeachResult
    | ChoiceResult
    | LoopResult
    | WhileResult
    | BreakResult
    | ReturnResult
    | TimeoutResult
    | AssignResult
    | CheckpointResult
    | DocumentResult
)
