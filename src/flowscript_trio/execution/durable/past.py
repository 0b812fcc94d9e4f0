"""Owns what the journal of a run says of its past: entries by the keys of executions. It writes nothing.

``has(path)``: something was recorded of that execution, or of one inside it.
"""

from __future__ import annotations

from typing import Any

from ...scheduler.restoring import End
from ...types.paths import attempt_path, bounded_by, job_in, levels_of, without_attempt
from .compacting import Numbered, Part
from .entries import (
    Answered,
    AttemptFailed,
    BodyEnded,
    Bounded,
    BoundEnded,
    Compacted,
    Completed,
    CookiesSet,
    Decided,
    Ended,
    Entry,
    Given,
    JobsEnded,
    KeptFirst,
    Late,
    Opened,
    Passed,
    Reading,
    Requested,
    Retried,
    Started,
    Waits,
    Whole,
)
from .run_entries import Cancelling, Exceeded, Forked, Left, Ran, RunBegan, RunEnded

Attempt = tuple[str, int]
"""The key of an execution, and which attempt of it, from 1."""


class Past:
    """The entries of the processes before this one."""

    def __init__(self) -> None:
        self.began: RunBegan | None = None
        self.ended: RunEnded | None = None
        self.cancelling: Cancelling | None = None
        self.ran: Ran | None = None
        self.ran_row: int = -1
        self.outdated: list[tuple[int, int]] = []
        """The numbers of rows that say something only of those behind them, with the row up to which they do."""
        self.exceeded: Exceeded | None = None
        self.requested: dict[Attempt, list[Requested]] = {}
        self.rates: dict[str, float] = {}
        """When each rate has forgotten all that passed it, by the wall clock."""
        self.outcomes: dict[Attempt, Ended | AttemptFailed] = {}
        self.wholes: dict[str, Whole] = {}
        self.opened: dict[Attempt, Opened] = {}
        self.given: dict[tuple[str, str], list[tuple[Given, int]]] = {}
        """What blocks with a pace were given, with the numbers of rows, by their keys and their paces.

        Of a pace that passes every item over, that is the last one.
        """
        self.late: dict[Attempt, Late] = {}
        self.retried: dict[Attempt, Retried] = {}
        self.started: dict[Attempt, list[Started]] = {}
        self.kept: dict[Attempt, KeptFirst] = {}
        self.cookies: dict[Attempt, CookiesSet] = {}
        self.latest_turn: int = -1
        """The latest turn in which a cookie was set."""
        self.waits: dict[Attempt, Waits] = {}
        self.answers: dict[Attempt, Answered] = {}
        self.jobs: dict[str, dict[int, End]] = {}
        self.job_rows: dict[str, list[tuple[int, int, list[int]]]] = {}
        """The rows of these, by the keys of blocks: each with its number, its bytes, and the jobs it tells of."""
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
        self.rows: list[Numbered] = []
        """The number of each row, the execution that it is in, and its bytes."""
        self.parts: dict[str, Part] = {}
        """The rows of each iteration and round, by its path."""
        self.latest: int = 0
        """The latest pass of the record."""
        self._started: set[str] = set()
        self._open: dict[Attempt, list[int]] = {}  # the rows of what had begun and not ended
        self._known: set[str] = set()
        self._begun: dict[str, set[int]] = {}
        self._highest: dict[str, int] = {}

    def has(self, path: str) -> bool:
        """Whether anything was recorded of that execution, or of one inside it."""
        return path in self._known

    def was_cut(self, path: str) -> bool:
        """Whether an attempt of a node had begun that never came to an end of its own.

        Where another process has found that out already, the node is on record as one that is to be undone, though
        it may have failed since with Interrupted.
        """
        return path in self.order or (
            path in self._started
            and any(key[0] == path and key not in self.outcomes for key in self.started)
        )

    def crashes(self, path: str, attempt: int) -> int:
        """How many processes have died while that attempt of a node was at work, without those that left."""
        return len(self._open.get((path, attempt), ()))

    def had_begun(self, path: str, attempt: int) -> bool:
        """Whether anything was recorded of that attempt of a node, or of an execution inside it."""
        key = (path, attempt)
        found = self.outcomes, self.started, self.late, self.retried, self.waits, self.opened
        return any(key in each for each in found) or self.has(attempt_path(path, attempt))

    def begun(self, block: str) -> set[int]:
        """Of the branches, iterations or rounds of ``block`` those that anything was recorded of."""
        return self._begun.get(block, set())

    def has_later_round(self, loop: str, number: int) -> bool:
        """Whether anything was recorded of a round of the loop after that one, from 0."""
        return self._highest.get(loop, -1) > number

    def take_in(self, entry: Entry, number: int, size: int, value: bytes) -> None:
        """Take in the entry of the row with that number, bytes and value; the rows come in order."""
        self.rows.append((number, entry.key, size))
        match entry:
            case RunBegan():
                self.began = entry
            case RunEnded():
                self.ended = entry
            case Cancelling():
                self.cancelling = entry
            case Ran():
                if self.ran is not None:
                    self.outdated.append((self.ran_row, number))
                self.ran, self.ran_row = entry, number
            case Requested():
                path = bounded_by(entry.key)
                self.requested.setdefault((path, entry.attempt), []).append(entry)
            case Given():
                known = self.given.setdefault((entry.key, entry.pace), [])
                if known and entry.stands_for_all:
                    self.outdated.append((earlier := known.pop()[1], earlier + 1))
                known.append((entry, number))
            case Opened():
                self.opened[entry.key, entry.attempt] = entry
                self._open.pop((entry.key, entry.attempt), None)
            case Whole():
                self.wholes[entry.key] = entry
                self._open.pop((entry.key, 1), None)
            case Passed():
                self._let_pass({entry.name: entry.full_at})
            case Exceeded():
                self.exceeded = self.exceeded or entry
            case Ended() | AttemptFailed():
                self.outcomes[entry.key, entry.attempt] = entry
                self._open.pop((entry.key, entry.attempt), None)
            case Late():
                self.late[entry.key, entry.attempt] = entry
            case Retried():
                self.retried[entry.key, entry.attempt] = entry
            case Started():
                self._started.add(entry.key)
                self.started.setdefault((entry.key, entry.attempt), []).append(entry)
                self._open.setdefault((entry.key, entry.attempt), []).append(number)
            case Left():
                self._leave(entry.since)
            case CookiesSet():
                self.cookies[entry.key, entry.attempt] = entry
                self.latest_turn = max(self.latest_turn, entry.turn)
            case KeptFirst():
                self.kept[entry.key, entry.attempt] = entry
            case Waits():
                self.waits[entry.key, entry.attempt] = entry
            case Answered():
                self.answers[entry.key, entry.attempt] = entry
            case JobsEnded():
                end = End(entry.at, entry.outside, entry.cancelled, entry.late)
                self.jobs.setdefault(entry.key, {}).update(dict.fromkeys(entry.indices, end))
                self.job_rows.setdefault(entry.key, []).append((number, size, entry.indices))
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
                self._let_pass(entry.rates)
                self.latest_turn = max(self.latest_turn, entry.turn)
            case Forked():
                self.disowned.update(entry.disowned)
                self.skipped |= entry.skipped
            case Completed():
                self.order[entry.key] = number
        if not isinstance(entry, Ran):  # whose moment is one of the wall clock
            self.latest = max(self.latest, getattr(entry, "at", 0))
        self._learn(entry.key)

    def _leave(self, since: int) -> None:
        """What was begun in a row from that number on was left: its process did not die of it."""
        for rows in self._open.values():
            rows[:] = [number for number in rows if number < since]

    def _let_pass(self, rates: dict[str, float]) -> None:
        for name, full_at in rates.items():
            self.rates[name] = max(full_at, self.rates.get(name, 0.0))

    def _learn(self, path: str) -> None:
        """Remember that something is known about a path, and of all that it is in."""
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
