"""Owns what the journal of a run says of its past: entries by the keys of executions. It writes nothing.

``has(path)``: something was recorded of that execution, or of one inside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...scheduler.restoring import End
from ...types.paths import iteration_path, job_in, levels_of, without_attempt
from .entries import (
    Answered,
    AttemptFailed,
    BodyEnded,
    Bounded,
    BoundEnded,
    Cancelling,
    Compacted,
    Completed,
    Decided,
    Ended,
    Entry,
    Forked,
    JobEnded,
    Late,
    Reading,
    Retried,
    RunBegan,
    RunEnded,
    Started,
    Waits,
)

Attempt = tuple[str, int]
"""The key of an execution, and which attempt of it, from 1."""


class Past:
    """The entries of the processes before this one."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.began: RunBegan | None = None
        self.ended: RunEnded | None = None
        self.cancelling: Cancelling | None = None
        self.outcomes: dict[Attempt, Ended | AttemptFailed] = {}
        self.late: dict[Attempt, Late] = {}
        self.retried: dict[Attempt, Retried] = {}
        self.started: dict[Attempt, list[Started]] = {}
        self.waits: dict[Attempt, Waits] = {}
        self.answers: dict[Attempt, Answered] = {}
        self.jobs: dict[str, dict[int, End]] = {}
        self.decided: dict[str, Decided] = {}
        self.bounds: dict[str, Bounded] = {}
        self.bounds_ended: dict[str, BoundEnded] = {}
        self.bodies: dict[str, BodyEnded] = {}
        self.readings: dict[tuple[str, str, int], Any] = {}
        self.order: dict[str, int] = {}
        """When the nodes that can be undone have succeeded, by their keys."""
        self.compacted: dict[str, list[tuple[int, int, Compacted]]] = {}
        """What stands for iterations and rounds that were dropped, by the keys of blocks.

        Each with the number of its row, and the lowest of those that it stands for.
        """
        self.disowned: set[str] = set()
        """The nodes that another run undoes, which this one was forked from."""
        self.skipped: dict[str, Any] = {}
        """The outputs of nodes that are not run, by their keys."""
        self.rows: list[tuple[int, str, int]] = []
        """The number of each row, the execution in which it stands, and its bytes."""
        self.latest: int = 0
        """The latest pass of the record."""
        self._known: set[str] = set()
        self._begun: dict[str, set[int]] = {}
        self._highest: dict[str, int] = {}
        for number, entry in enumerate(entries):
            self.take_in(entry, number)

    def has(self, path: str) -> bool:
        """Whether anything was recorded of that execution, or of one inside it."""
        return path in self._known

    def begun(self, block: str) -> set[int]:
        """Of the branches, iterations or rounds of ``block`` those that anything was recorded of."""
        return self._begun.get(block, set())

    def has_later_round(self, loop: str, number: int) -> bool:
        """Whether anything was recorded of a round of the loop after that one, from 0."""
        return self._highest.get(loop, -1) > number

    def take_in(self, entry: Entry, number: int, size: int = 0, value: bytes = b"") -> None:
        """Take in the entry of the row with that number, bytes and value; the rows come in order."""
        place = iteration_path(entry.key, entry.index) if isinstance(entry, JobEnded) else entry.key
        self.rows.append((number, place, size))
        match entry:
            case RunBegan():
                self.began = entry
            case RunEnded():
                self.ended = entry
            case Cancelling():
                self.cancelling = entry
            case Ended() | AttemptFailed():
                self.outcomes[entry.key, entry.attempt] = entry
            case Late():
                self.late[entry.key, entry.attempt] = entry
            case Retried():
                self.retried[entry.key, entry.attempt] = entry
            case Started():
                self.started.setdefault((entry.key, entry.attempt), []).append(entry)
            case Waits():
                self.waits[entry.key, entry.attempt] = entry
            case Answered():
                self.answers[entry.key, entry.attempt] = entry
            case JobEnded():
                end = End(entry.at, entry.outside, entry.late)
                self.jobs.setdefault(entry.key, {})[entry.index] = end
            case Decided():
                self.decided[entry.key] = entry
            case Bounded():
                self.bounds[entry.key] = entry
            case BoundEnded():
                self.bounds_ended[entry.key] = entry
            case BodyEnded():
                self.bodies[entry.key] = entry
            case Reading():
                self.readings[entry.key, entry.turn, entry.number] = entry.value
            case Compacted():
                self.compacted.setdefault(entry.key, []).append((number, int(value), entry))
            case Forked():
                self.disowned.update(entry.disowned)
                self.skipped |= entry.skipped
            case Completed():
                self.order[entry.key] = number
        self.latest = max(self.latest, getattr(entry, "at", 0))
        self._learn(entry.key)

    def _learn(self, path: str) -> None:
        """Remember that something is known of a path, and of all that it stands in."""
        if path in self._known:
            return
        for each in (*levels_of(path), path):
            self._known.add(each)
            self._known.add(without_attempt(each))
            job = job_in(each)
            if job is not None:
                block, index = job
                self._begun.setdefault(block, set()).add(index)
                self._highest[block] = max(index, self._highest.get(block, -1))
