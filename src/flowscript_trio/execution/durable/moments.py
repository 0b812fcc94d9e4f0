"""Owns when what is on record of a run has happened, as far as its journal says: to a tenth of a second. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...types.paths import bounded_by, levels_of
from .entries import (
    Answered,
    AttemptFailed,
    BoundEnded,
    Compacted,
    Decided,
    Ended,
    Entry,
    JobsEnded,
    Late,
    Retried,
    Started,
    Whole,
)
from .run_entries import Cancelling, Exceeded, Forked, Left, Ran, RunBegan, RunEnded


@dataclass(slots=True)
class Moments:
    """The moments of a run, in seconds since it began; all paths are those of executions.

    A journal says the time at most ten times a second: what lies between is as early as what comes before it.
    """

    first: dict[str, float] = field(default_factory=dict)
    """When something was first on record of an execution, or of one inside it."""
    begun: dict[tuple[str, int], float] = field(default_factory=dict)
    """When an attempt had begun, where that is on record."""
    ended: dict[tuple[str, int], float] = field(default_factory=dict)
    """When an attempt had ended; as the attempt 0 of a block, when the last of what is compacted had."""
    jobs: dict[tuple[str, int], float] = field(default_factory=dict)
    """When a branch, or an iteration, of a block had ended, by the path of the block and its index."""
    cancelled: dict[str, float] = field(default_factory=dict)
    """When a block cancelled what still ran in it; "" for the run."""
    compacted: dict[str, int] = field(default_factory=dict)
    """How many iterations or rounds of a block are known by their number alone."""
    copied: set[str] = field(default_factory=set)
    """What another run had done, which this one was forked from."""
    last: float = 0.0
    forked: Forked | None = None
    end: RunEnded | None = None


def moments_of(entries: Iterable[Entry]) -> Moments:
    """The moments of a run, of all entries of its journal in order."""
    made = Moments()
    began = 0.0
    for entry in entries:
        if isinstance(entry, RunBegan):
            began = entry.started.timestamp()
        elif isinstance(entry, Ran):
            made.last = max(made.last, round(entry.at - began, 6))
        elif isinstance(entry, Forked):
            made.forked, made.copied = entry, set(made.first)
        elif isinstance(entry, RunEnded):
            made.end = entry
        elif not isinstance(entry, Left):
            _take(made, entry, began)
    return made


def _take(made: Moments, entry: Entry, began: float) -> None:
    now = made.last
    path = bounded_by(entry.key)
    match entry:
        case Started():
            made.begun.setdefault((path, entry.attempt), now)
        case Retried() if entry.rule is not None:
            made.begun[path, entry.attempt + 1] = max(now, round(entry.due - began, 6))
        case JobsEnded():
            made.jobs.update({(path, index): now for index in entry.indices})
        case Ended() | AttemptFailed() | Late() | Answered():
            made.ended[path, entry.attempt] = now
        case Whole():
            made.ended[path, 1] = now
        case Decided():
            made.cancelled[path] = now
        case BoundEnded() if entry.late:
            made.cancelled[path] = now
        case Cancelling() | Exceeded():
            made.cancelled.setdefault("", now)
            return
        case Compacted():
            count = sum(end - start for start, end in entry.jobs)
            made.compacted[path] = made.compacted.get(path, 0) + count
            made.ended[path, 0] = now
            return
        case _:
            pass
    for each in (*levels_of(path), path):
        made.first.setdefault(each, now)
