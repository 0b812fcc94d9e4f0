"""Owns the entries of a run's journal as frozen types: what it says of its nodes, blocks and bodies.

``key`` is the path of an execution, with the attempt of every block around it that is tried again. ``at`` is
the scheduler's pass in which something happened, counted from the beginning of the run over all its processes.
Times are those of the wall clock, in seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Self

from ...journal.cookies import without_cookies
from ...journal.errors import ErrorFacts
from ...types.storing import CannotKeep


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal says of the execution at ``key``."""

    kind: ClassVar[str]
    is_secret: ClassVar[bool] = False
    """Whether all entries of the kind are sealed, and none is written without a key."""
    is_open: ClassVar[bool] = False
    """Whether none of the kind is sealed: it tells by which key the others are, and holds no value."""
    is_bare: ClassVar[bool] = False
    """Whether it says nothing but numbers and words of the engine's own, among which no secret is looked for."""
    key: str

    def without_cookies(self) -> Self:
        """What is written in its place where it has headers that set cookies, and there is no key to seal it.

        Raises CannotKeep where nothing can be.
        """
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{name: without_cookies(part) for name, part in facts.items()})


@dataclass(frozen=True, slots=True)
class Started(Entry):
    """An attempt of a node that may have an effect is about to begin; ``settings`` is the hash of its settings."""

    kind = "started"
    is_bare = True
    attempt: int
    settings: str


@dataclass(frozen=True, slots=True)
class KeptFirst(Entry):
    """What the runtime of a node found before it changed it."""

    kind = "kept"
    attempt: int
    value: Any


@dataclass(frozen=True, slots=True)
class Ended(Entry):
    """An attempt of a node succeeded. ``again``: it set cookies, and without a key they are not kept; it is done
    again.
    """

    kind = "ended"
    attempt: int
    at: int
    output: Any
    again: bool = False

    def without_cookies(self) -> Ended:
        return replace(self, output=None, again=True)


@dataclass(frozen=True, slots=True)
class CookiesSet(Entry):
    """An attempt of a node has set cookies, up to that ``turn``: what has changed of those of its scope."""

    kind = "cookies"
    is_secret = True
    attempt: int
    turn: int
    changes: list[Any]

    def without_cookies(self) -> CookiesSet:
        raise CannotKeep("", "cookies cannot be kept in a store without a key")


@dataclass(frozen=True, slots=True)
class AttemptFailed(Entry):
    """An attempt of a node failed, with that error and what expressions see of it."""

    kind = "failed"
    attempt: int
    at: int
    error: ErrorFacts


@dataclass(frozen=True, slots=True)
class Retried(Entry):
    """What follows a failed attempt: the ``<retry>`` of that number at ``due``, or none.

    ``cancelled``: a cancellation was pending as it failed.
    """

    kind = "retried"
    is_bare = True
    attempt: int
    rule: int | None
    due: float
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Late(Entry):
    """An attempt of a node without bodies, or the clean-up at ``key``, did not end in its time, ``seconds``."""

    kind = "late"
    is_bare = True
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JobsEnded(Entry):
    """Branches, iterations, or nodes of a graph ended in one pass, and alike. ``key`` is the block's.

    ``outside``: a cancellation from outside the block was pending, ``cancelled``: any was. ``late``: the block
    keeps what has succeeded when its time has passed, and it had.
    """

    kind = "jobs"
    is_bare = True
    indices: list[int]
    at: int
    outside: bool
    cancelled: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Decided(Entry):
    """A block is settled by the ending of the job of that index, and is about to cancel the rest."""

    kind = "decided"
    index: int
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Bounded(Entry):
    """A time limit is under way, and passes at ``due``."""

    kind = "bounded"
    is_bare = True
    due: float


@dataclass(frozen=True, slots=True)
class BoundEnded(Entry):
    """What a time limit bounds has ended, too ``late`` or in time."""

    kind = "bound-ended"
    is_bare = True
    late: bool
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Waits(Entry):
    """A node waits until ``due``."""

    kind = "waits"
    is_bare = True
    attempt: int
    due: float


@dataclass(frozen=True, slots=True)
class Reading(Entry):
    """What an evaluation for a node read from the clock, for the ``number``-th time in that ``turn`` of it."""

    kind = "reading"
    turn: str
    number: int
    value: datetime


@dataclass(frozen=True, slots=True)
class Begun(Entry):
    """What owes something, however it ends, has begun: a body with clean-up, or what is undone once it has begun.

    Nothing else may be on record of it: nodes that only read or compute are not before they have ended.
    """

    kind = "begun"
    is_bare = True


@dataclass(frozen=True, slots=True)
class BodyEnded(Entry):
    """A body is over, and what follows it however it ended (the clean-up at ``key``) begins.

    ``raised``: ``Cancelled`` has ended it. ``cancelled``: a cancellation was pending.
    """

    kind = "body"
    is_bare = True
    raised: bool
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Completed(Entry):
    """A node that can be undone has succeeded: its compensation is owed."""

    kind = "completed"
    is_bare = True


@dataclass(frozen=True, slots=True)
class Answered(Entry):
    """What a checkpoint was answered."""

    kind = "answered"
    attempt: int
    action: str
    input: Any
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Given(Entry):
    """A block with a pace, at ``key``, was given the item of that index.

    ``pace`` is ``stagger``, ``throttle`` or ``debounce``. ``due`` is when the next one may follow. ``position`` is
    how many items of its collection lie before it.
    """

    kind = "given"
    is_bare = True
    pace: str
    index: int
    due: float
    position: int

    @property
    def stands_for_all(self) -> bool:
        """Whether nothing is asked of those before it, which it is where items were left out between them."""
        return self.pace != "debounce"


@dataclass(frozen=True, slots=True)
class Opened(Entry):
    """An attempt of a node gave a stream, which is opened again where it is consumed again.

    ``rest`` is its output without the stream, which was there under ``name``; None: it is the whole output.
    ``again``: as in :class:`Ended`.
    """

    kind = "opened"
    attempt: int
    at: int
    name: str | None
    rest: Any
    again: bool = False

    def without_cookies(self) -> Opened:
        return replace(self, rest=None, again=True)


@dataclass(frozen=True, slots=True)
class Whole(Entry):
    """What ran elsewhere as a whole has ended: its output, and the signal or the error that it ended with.

    ``results`` are (id, status, output, error) of the nodes in it that are seen from around it, and for an output
    that stayed on its worker what it is, where and why; ``spent`` is what it took of the budget: nodes, rounds,
    requests. ``again``: as in :class:`Ended`.
    """

    kind = "whole"
    at: int
    output: Any
    signal: list[Any] | None
    error: ErrorFacts | None
    results: list[list[Any]]
    spent: list[int]
    again: bool = False

    def without_cookies(self) -> Whole:
        return replace(self, output=None, signal=None, error=None, results=[], again=True)


@dataclass(frozen=True, slots=True)
class Passed(Entry):
    """An attempt of a node has passed the rate of that name, which has forgotten all by then at ``full_at``."""

    kind = "passed"
    attempt: int
    name: str
    full_at: float


@dataclass(frozen=True, slots=True)
class Requested(Entry):
    """An attempt of a node has sent this many requests; they count for the budget of the run."""

    kind = "requested"
    is_bare = True
    attempt: int
    requests: int


@dataclass(frozen=True, slots=True)
class Compacted(Entry):
    """Iterations or rounds of these intervals have ended, and their entries are dropped. ``key`` is the block's.

    ``kept`` is what of them can still be seen: outputs by index, or the state after the last of the rounds.
    ``spent`` is what they took of the budget: (count, whether in clean-up, how many). ``rates`` are all those of
    the run that have not forgotten what passed them, each with the time when it will have. All of it is lists,
    and no tuples: plain JSON is written many times faster.

    ``sealed``: a node in them has set cookies, so that the entry is sealed with the key of the store.
    ``turn`` is the latest one in which a cookie was set that is kept.
    """

    kind = "compacted"
    jobs: list[list[int]]
    at: int
    kept: Any
    spent: list[list[Any]]
    rates: dict[str, float]
    sealed: bool = False
    turn: int = -1

    def without_cookies(self) -> Compacted:
        raise CannotKeep("", "what has cookies is not compacted in a store without a key")
