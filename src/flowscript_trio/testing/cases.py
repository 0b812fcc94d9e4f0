"""Owns what a test case is: what the run is given, what stands in for the world, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..types.decisions import Answer
from ..types.errors import FlowScriptError, Problem
from ..types.location import Location
from ..types.results import NodeStatus

START = datetime(2000, 1, 1, tzinfo=UTC)
"""What the wall clock of expressions says when a case begins, unless the case sets it."""


class _Anything:
    """The type of ``ANYTHING``."""

    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING = _Anything()
"""Stands for an output of which nothing is expected; null is a value that can be expected."""


class CasesInvalid(FlowScriptError):
    """A file of cases cannot be used. ``problems`` has everything that is wrong with it, in its order.

    It is raised where nothing runs yet, so nothing is cancelled by it.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(problem.render() for problem in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a stub does at one call: after ``delay`` seconds it gives ``output``, raises, or hangs.

    ``error`` is the message of what it raises, None if it raises nothing; ``type`` the error's name as
    expressions see it, ``status`` an HTTP status that it bears. ``retryable`` says whether to try again, None:
    by the type and the status, as for real errors.

    One that hangs, or still waits, ends when it is cancelled, at once.
    """

    output: Any = None
    error: str | None = None
    type: str | None = None
    status: int | None = None
    retryable: bool | None = None
    hangs: bool = False
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Stub:
    """Stands in for the runtime of one node: a reply for each call of it, in order; the last one repeats.

    Every attempt and every iteration is a call.

    Cancelled while a reply waits, it raises ``trio.Cancelled`` at once, and that call has had its reply.
    """

    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedError:
    """The error that the run must fail with; None where a part of it does not matter.

    ``message`` must be in the error's message, or, written ``/…/``, be found in it as a regular expression.
    ``node`` is the id or label of the node that raised it.

    Plain data: cancellation means nothing to it.
    """

    type: str | None = None
    message: str | None = None
    node: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a run. What is not given is not looked at, but that a run which is not expected to
    fail does not fail.

    Values are compared as JSON. ``duration`` is in virtual seconds. ``attempts``, ``results`` and ``statuses``
    are of a node's last execution; ``calls`` counts how often a node's runtime was called, ``inputs`` and
    ``settings`` are what it was handed last (of the settings, those that are named). ``warnings`` are texts
    that must each be in a warning of the run.

    Plain data: cancellation means nothing to it.
    """

    output: Any = ANYTHING
    error: ExpectedError | None = None
    duration: float | None = None
    statuses: Mapping[str, NodeStatus] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is said about what must come of the run."""
        return self == Expected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: its name, what the run is given (as :func:`flowscript_trio.run` takes it), the stubs by node,
    the nodes that may run for ``real`` (True: all), and what is expected.

    Plain data: cancellation means nothing to it.
    """

    name: str
    expected: Expected
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    real: frozenset[str] | Literal[True] = frozenset()
    input: Any = None
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    now: datetime = START
    base: Path | None = None
    max_concurrency: int | None = None
    decisions: Mapping[str, Answer] = field(default_factory=dict)
    """What is answered to the checkpoints of these ids; to the others, their default."""
    location: Location | None = None


def pattern_of(message: str) -> str | None:
    """The regular expression of an expected message that is written ``/…/``, or None."""
    return message[1:-1] if len(message) > 2 and message[0] == message[-1] == "/" else None
