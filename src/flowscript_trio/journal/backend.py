"""Owns what a kind of store has to do: blocking calls of one thread, in which nothing knows of trio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..types.storing import StoreFailed
from .rows import Answered, Asked, LargeRow, Mark, Question, Row, RunState, State
from .sharing import Ask, Back, Told


@dataclass(frozen=True, slots=True)
class Owned:
    """A run that this process owns. ``number`` is the store's for it, ``fence`` grows with each owner."""

    run_id: str
    number: int
    fence: int
    document: bytes
    rows: int
    """The number of the next row of its journal."""
    dropped: int = 0
    """How many of the rows before that were dropped."""
    ahead: float = 0.0
    """The seconds by which the clock of the store is ahead of this machine's: 0.0 where they agree to a second."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one pass of the scheduler wrote of a run: it reaches the disk whole or not at all."""

    owned: Owned
    first: int
    """The number of the first row in the journal, from 0."""
    rows: tuple[Row | LargeRow, ...]
    mark: Mark | None = None
    questions: tuple[Question, ...] = ()
    dropped: tuple[tuple[int, int], ...] = ()
    """Rows that are forgotten, those of the batch among them: intervals of their numbers."""


class Backend(Protocol):
    """A kind of store. Each call raises StoreFailed where the store cannot be used."""

    inline: bool
    """Whether calls take no time, so that they are made in trio's thread."""

    @property
    def look_every(self) -> float | None:
        """Seconds between two looks at an inbox; None where :meth:`listen` tells of what comes."""

    def make(self) -> None:
        """Make the store where there is none."""

    def begin(self, run_id: str, document: bytes, workflow: str) -> Owned:
        """Own a run, which is made where there is none; RunBusy, InputError for another document."""

    def submit(self, run_id: str, document: bytes, workflow: str) -> None:
        """Make a run that is queued; InputError where there is one with another document."""

    def own(self, run_id: str) -> Owned:
        """Own a run that is there; InputError where it is not, RunBusy."""

    def seen(self, run_id: str) -> Owned:
        """A run as it is now, to be read and not written, whoever owns it; InputError where it is not."""

    def heed(self, owned: Owned, lost: Callable[[StoreFailed], None]) -> None:
        """Call ``lost``, in any thread, when the run is taken from this process before it gives it back."""

    def listen(self, owned: Owned, told: Callable[[], None]) -> None:
        """Call ``told``, in any thread, when something comes into the inbox, where ``look_every`` is None."""

    def release(self, owned: Owned) -> None:
        """Give a run back."""

    def commit(self, batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        """Put batches on disk in one transaction. Locks of others are waited for, as long as ``waiting()``.

        Superseded for a run that has another owner now; then nothing of the batches was kept.
        """

    def rest(self) -> None:
        """Close what committing keeps open; the next commit opens it again."""

    def rows(self, owned: Owned, start: int, most: int) -> list[tuple[int, Row]]:
        """Rows of the journal from a number on, this many at most, with their numbers."""

    def damaged(self, run_id: str, how: str) -> StoreFailed:
        """The error for a run of which something is missing."""

    def runs(
        self, states: Sequence[State], limit: int, workflow: str | None, seconds: float | None
    ) -> list[RunState]:
        """The runs in these states (all, where there is none), the youngest first.

        Only those of that workflow, and those that began within this many seconds, unless these are None.
        """

    def ready(self, limit: int, skip: frozenset[str]) -> list[RunState]:
        """Runs that nobody owns and that can go on, but for some, the oldest first."""

    def show(self, run_id: str) -> RunState:
        """The state of one run; InputError where there is none."""

    def answer(self, run_id: str, slot: str, data: bytes, by: str) -> Answered:
        """Fill a slot, unless it is; InputError where there is no such question."""

    def questions(self, run_id: str) -> list[Asked]:
        """What the run has asked, oldest first; InputError where there is no such run."""

    def answers(self, run_id: str) -> list[Answered]:
        """The slots that are filled, oldest first."""

    def share(self, asks: Sequence[Ask], back: Sequence[Back], now: float) -> list[Told]:
        """Give limits back, and give those that are asked for where they may be had: an answer to each, in order.

        ``now`` is the wall clock of this process; a store that has a clock of its own goes by that.
        """

    def prune(self, older: float, keep: int) -> int:
        """Forget runs that ended this many seconds ago, but for those that ended last; how many were forgotten."""
