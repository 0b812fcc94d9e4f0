"""Owns the entries of a run's journal as frozen types, and how each becomes a row and is read back.

``key`` is the path of an execution, with the attempt of every block around it that is tried again. ``at`` is
the scheduler's pass in which something happened, counted from the beginning of the run over all its processes.
Times are those of the wall clock, in seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from ...journal.rows import Row
from ...types.results import RunStatus

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal says of the execution at ``key``."""

    kind: ClassVar[str]
    key: str


@dataclass(frozen=True, slots=True)
class RunBegan(Entry):
    """The run begins; what it follows from beside its document is drawn once.

    ``prints`` tell by the ``salt`` whether the secrets of those names have changed since.
    """

    kind = "began"
    seed: int
    started: datetime
    salt: bytes
    prints: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Started(Entry):
    """An attempt of a node that may have an effect is about to begin; ``settings`` is the hash of its settings."""

    kind = "started"
    attempt: int
    settings: str


@dataclass(frozen=True, slots=True)
class Ended(Entry):
    """An attempt of a node succeeded. ``again``: it logged in, and cookies are not kept; it is done again."""

    kind = "ended"
    attempt: int
    at: int
    output: Any
    again: bool = False


@dataclass(frozen=True, slots=True)
class AttemptFailed(Entry):
    """An attempt of a node failed, with that error and what expressions see of it."""

    kind = "failed"
    attempt: int
    at: int
    error: bytes


@dataclass(frozen=True, slots=True)
class Retried(Entry):
    """What follows a failed attempt: the ``<retry>`` of that number at ``due``, or none."""

    kind = "retried"
    attempt: int
    rule: int | None
    due: float


@dataclass(frozen=True, slots=True)
class Late(Entry):
    """An attempt of a node without bodies did not end in its time, ``seconds``."""

    kind = "late"
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JobEnded(Entry):
    """A branch, an iteration, or a node of a graph ended. ``key`` is the block's.

    ``outside``: a cancellation from outside the block was pending. ``late``: the block keeps what has succeeded
    when its time has passed, and it had.
    """

    kind = "job"
    index: int
    at: int
    outside: bool
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
    due: float


@dataclass(frozen=True, slots=True)
class BoundEnded(Entry):
    """What a time limit bounds has ended, too ``late`` or in time."""

    kind = "bound-ended"
    late: bool


@dataclass(frozen=True, slots=True)
class Waits(Entry):
    """A node waits until ``due``."""

    kind = "waits"
    attempt: int
    due: float


@dataclass(frozen=True, slots=True)
class Cancelling(Entry):
    """A cancellation that the document did not ask for has reached the run."""

    kind = "cancelling"
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Reading(Entry):
    """What an evaluation for a node read from the clock, for the ``number``-th time in that ``turn`` of it."""

    kind = "reading"
    turn: str
    number: int
    value: datetime


@dataclass(frozen=True, slots=True)
class BodyEnded(Entry):
    """A body is over, and what follows it however it ended (the clean-up at ``key``) begins."""

    kind = "body"
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Completed(Entry):
    """A node that can be undone has succeeded: its compensation is owed."""

    kind = "completed"


@dataclass(frozen=True, slots=True)
class Answered(Entry):
    """What a checkpoint was answered."""

    kind = "answered"
    attempt: int
    action: str
    input: Any
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Compacted(Entry):
    """Iterations or rounds of these intervals have ended, and their entries are dropped. ``key`` is the block's.

    ``kept`` is what of them can still be seen: outputs by index, or the state after the last of the rounds.
    """

    kind = "compacted"
    jobs: list[tuple[int, int]]
    at: int
    kept: Any


@dataclass(frozen=True, slots=True)
class Forked(Entry):
    """The entries before this one are those of the run ``run`` before the first one of its execution ``before``.

    ``disowned`` are the nodes that ``run`` itself undoes, if anyone; ``skipped`` are the outputs of those that
    are not run, by their keys.
    """

    kind = "forked"
    run: str
    before: str
    disowned: list[str]
    skipped: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded(Entry):
    """The run has ended."""

    kind = "run-ended"
    status: RunStatus
    output: Any
    error: bytes | None


ENTRIES: dict[str, type[Entry]] = {
    each.kind: each
    for each in (
        RunBegan,
        Started,
        Ended,
        AttemptFailed,
        Retried,
        Late,
        JobEnded,
        Decided,
        Bounded,
        BoundEnded,
        Waits,
        Cancelling,
        Reading,
        BodyEnded,
        Completed,
        Answered,
        Compacted,
        Forked,
        RunEnded,
    )
}
"""Every kind of entry."""

_FIELDS = {
    each: tuple(field.name for field in fields(each) if field.name != "key")
    for each in ENTRIES.values()
}


def row_of(entry: Entry, encode: Encode, value: bytes = b"") -> Row:
    """An entry as a row with that ``value``; raises what ``encode`` raises for a value that cannot be kept."""
    facts = [getattr(entry, name) for name in _FIELDS[type(entry)]]
    return Row(entry.kind, entry.key, encode(facts), value)


def entry_of(row: Row, decode: Decode) -> Entry:
    """The entry that a row holds; raises KeyError for a kind that this version does not know."""
    return ENTRIES[row.kind](row.key, *decode(row.data))
