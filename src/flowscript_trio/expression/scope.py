"""Owns what an expression can see: the scope protocol, overlays of bindings, the run's services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from itertools import chain
from random import Random
from time import thread_time
from typing import Any, Protocol

from ..types.deferred import dataclass
from ..types.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one evaluation; every one can be set for a run.

    They bound what no cancellation reaches: evaluating waits for nothing.
    """

    depth: int = 200
    """How deep lists and objects may nest where they are compared, copied or encoded."""
    operations: int = 50_000_000
    """Calls of functions and arrow functions, and items that they visit."""
    text: int = 64 * 1024 * 1024
    """Characters of one text."""
    items: int = 10_000_000
    """Items of one list, keys of one object."""
    bits: int = 4096
    """Bits of one integer."""
    seconds: float = 1.0
    """Seconds of processor time of one evaluation, of the thread that it runs on."""


LOOK = 10_000
"""Operations between two looks at the clock."""
OPERATION = 20e-9
"""Seconds of an operation at least: what is charged at once is refused where it cannot fit the time left."""
ROOMY = 1024
"""Characters and items that bounds let through where small values are not looked at."""
RUN = 1024
"""Items that are counted at once."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Services:
    """What expressions take from the run, so that a test can fix it: clock, chance, bounds."""

    now: Callable[[], datetime] = utc_now
    random: Random = field(default_factory=Random)
    limits: Limits = field(default_factory=Limits)
    look: Callable[[], None] | None = None
    """Asked now and then by a long evaluation; it raises where the run has no time left."""
    spent: int = 0
    """Operations of the evaluation that is going on."""
    depth: int = 0
    """Calls of arrow functions inside one another that are going on."""
    written: int = 0
    """Characters of the text that a template is making."""
    first: int = field(init=False)
    """Operations after which an evaluation is looked at for the first time."""
    due: int = field(init=False)
    """Operations after which it is looked at next."""
    roomy: bool = field(init=False)
    """Whether short texts and small numbers are within the bounds, so that no one needs to look."""
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self._began = 0.0
        self.first = self.due = min(LOOK, limits.operations)
        self.roomy = limits.bits >= 64 and limits.text >= ROOMY and limits.items >= ROOMY

    def begin(self) -> None:
        """Begin an evaluation: nothing is spent."""
        self.spent = self.depth = self.written = 0
        self.due = self.first

    def spend(self, operations: int) -> None:
        """Count operations of this evaluation, before they are done.

        Raises LimitExceeded beyond their bound, or where they do not fit the time that is left.
        """
        self.spent += operations
        if self.spent > self.due:
            self.foresee(operations)

    def foresee(self, operations: int) -> None:
        """Look at the clock: raise LimitExceeded where this many operations do not fit the time left."""
        limits = self.limits
        if self.spent > limits.operations:
            raise LimitExceeded(f"the expression takes more than {limits.operations:,} operations")
        if self.look is not None:
            self.look()
        now = thread_time()
        if self.due == self.first:
            self._began = now  # what came before is too little to matter
        if now - self._began + operations * OPERATION > limits.seconds:
            raise LimitExceeded(
                f"the expression takes more than {limits.seconds:g} s of processor time"
            )
        # Never `first` again, which says that nobody has looked yet.
        self.due = max(min(self.spent + LOOK, limits.operations), self.first + 1)

    def visit(self, items: Sequence[Any], each: int = 1) -> Iterator[Any]:
        """The items, each counted as ``each`` operations before it is visited, in runs of a thousand."""
        return chain.from_iterable(self._runs(items, each))

    def _runs(self, items: Sequence[Any], each: int) -> Iterator[Iterable[Any]]:
        for start in range(0, len(items), RUN):
            part = items[start : start + RUN]
            self.spend(len(part) * each)
            yield part

    def spend_copy(self, size: int) -> None:
        """Count the copying of ``size`` items, which takes less time than visiting them."""
        if size > 3:
            self.spend(size >> 1)

    def spend_update(self, size: int) -> None:
        """Count that ``size`` keys are put into an object that has some, where each is looked up."""
        if size > 3:
            self.spend(size * 2)

    def spend_text(self, length: int) -> None:
        """Count the copying or comparing of a text of ``length`` characters."""
        if length > 63:
            self.spend(length >> 4)

    def spend_scan(self, length: int) -> None:
        """Count a search in, or a change of, a text of ``length`` characters, each of which is looked at."""
        if length > 63:
            self.spend(length >> 2)


class Closed(dict[str, Any], ABC):
    """An object of which no member can be read that is not there: ``get`` raises EvaluationError.

    What an expression makes of it by adding or leaving out members is closed as well.
    """

    __slots__ = ()

    @abstractmethod
    def holding(self, made: dict[str, Any]) -> Closed:
        """A copy with these members, which are counted by whoever made them."""


def as_closed_as(source: Any, made: dict[Any, Any]) -> dict[Any, Any]:
    """What was made of a value, or with it among others."""
    if isinstance(source, Closed) and not isinstance(made, Closed):
        return source.holding(made)
    return made


class NodeView(Protocol):
    """What an expression can see of a node that has ended (a :class:`~..types.results.NodeResult`)."""

    @property
    def status(self) -> str: ...
    @property
    def output(self) -> Any: ...
    @property
    def error(self) -> BaseException | None: ...


class Scope(Protocol):
    """What names mean at one place of a run. Expressions only read it.

    ``value`` gives a variable, a bound name or a ``$`` name; ``node`` the last result of a node by its
    id. Both give None where there is nothing yet.
    """

    @property
    def services(self) -> Services: ...
    def value(self, name: str) -> Any: ...
    def node(self, name: str) -> NodeView | None: ...


class Overlay:
    """A scope with further names bound over another, which it leaves as it is."""

    __slots__ = ("bindings", "scope", "services")

    def __init__(
        self, scope: Scope, bindings: Mapping[str, Any], services: Services | None = None
    ) -> None:
        self.scope: Scope = scope
        self.bindings: Mapping[str, Any] = bindings
        self.services: Services = scope.services if services is None else services

    def value(self, name: str) -> Any:
        bindings = self.bindings
        return bindings[name] if name in bindings else self.scope.value(name)

    def node(self, name: str) -> NodeView | None:
        return self.scope.node(name)


def base_of(scope: Scope) -> Any:
    """The scope without the names that are bound over it: a layer of the run."""
    while isinstance(scope, Overlay):
        scope = scope.scope
    return scope
