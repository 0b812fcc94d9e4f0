"""Owns the rows of a journal and what is kept beside them: states, questions, answers. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args

from ..types.storing import StoreFailed

State = Literal["queued", "running", "suspended", "completed", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
ENDED: frozenset[State] = frozenset({"completed", "failed", "cancelled"})
CANCEL = "\0cancel"
"""The slot of the inbox that asks for the run to be cancelled; no key of an execution has a NUL."""


class Row(NamedTuple):
    """One entry of a run's journal.

    ``kind`` says what happened, ``key`` to which execution (its path with attempts), ``data`` the facts of it.
    ``value`` is what the execution gave, or nothing: an output that many entries share is kept once.
    """

    kind: str
    key: str
    data: bytes
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class Large:
    """A large part of a row. ``packed`` is empty where this journal has given it to the store before."""

    hash: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class LargeRow:
    """A row with a part that is large."""

    kind: str
    key: str
    data: bytes | Large
    value: bytes | Large


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a run from now on, and when it is due to go on (seconds since 1970), if ever.

    ``seen`` is how many answers it knows, so that one that comes while it is being suspended is not overlooked.
    """

    state: State
    due: float | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What a run waits to be told: the slot of its answer, what is asked, and until when it is waited for.

    ``withdrawn``: it is not asked any more, unless it was answered before.
    """

    slot: str
    asked: bytes
    due: float | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a run has asked, and whether its slot is filled."""

    slot: str
    asked: bytes
    due: float | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The one answer that is in a slot, and whether it is the one that was offered."""

    slot: str
    data: bytes
    by: str
    taken: bool


@dataclass(frozen=True, slots=True)
class RunState:
    """What a store says of a run without reading its journal. Times are in seconds since 1970.

    ``rows`` is how many entries its journal has; ``owned`` says whether a process runs it now.
    Plain data: cancellation means nothing to it.
    """

    run_id: str
    workflow: str
    state: State
    created: float
    due: float | None
    ended: float | None
    rows: int
    owned: bool
    waits_for: tuple[str, ...] = ()
    """The slots of questions without an answer."""

    @property
    def orphaned(self) -> bool:
        """Whether the process that ran it is gone, so that it is to be resumed."""
        return self.state == "running" and not self.owned


class Journal(Protocol):
    """The journal of one run that this process owns. All of it is for trio's thread."""

    @property
    def run_id(self) -> str: ...

    @property
    def is_inline(self) -> bool:
        """Whether calls of the store take no time, so that they are made in trio's thread."""

    @property
    def found(self) -> int:
        """How many rows were there when it was opened."""

    @property
    def owner(self) -> tuple[int, int]:
        """The number of the run in its store, and the fence under which it is owned here."""

    @property
    def document(self) -> bytes:
        """What the run was begun with."""

    @property
    def ahead(self) -> float:
        """The seconds by which the clock of the store is ahead of this machine's."""

    def read(self) -> Iterator[Row]:
        """The rows on disk, in order; to be read before anything is written."""

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """As :meth:`read`, with their numbers."""

    def write(self, row: Row) -> int:
        """Add a row. It waits for nothing; the rows of one pass of the scheduler go in one transaction.

        Gives its number, which is one above that of the row before, whatever was dropped.
        """

    def write_large(self, row: Row, digest: bytes, packed: bytes | None = None) -> int:
        """Add a row whose large value was packed before, in a thread, and has that hash; else as :meth:`write`.

        ``packed`` is what is large in its place: its facts.
        """

    def at_end_of_pass(self, write: Callable[[], None]) -> None:
        """Call that once, as this pass of the scheduler ends: what it writes goes with the rows of the pass.

        It counts as written, for whoever waits. It must not raise.
        """

    def drop(self, numbers: Sequence[tuple[int, int]]) -> None:
        """Forget rows, by intervals of their numbers; in one transaction with the rows of the same pass."""

    def mark(self, mark: Mark) -> None:
        """Say which state the run is in; it is kept with the rows of the same pass."""

    def ask(self, question: Question) -> None:
        """Open a slot for an answer, or close one; it is kept with the rows of the same pass."""

    async def synced(self) -> None:
        """Return once every row written so far is on disk.

        Those that wait since the same pass are woken in one. It is a checkpoint, and can be cancelled; what was
        written stays written. Raises StoreFailed where the rows could not be written, now or before.
        """

    async def lost(self) -> StoreFailed:
        """Wait until nothing more of the run can be written here, and give the reason: the run is to be left.

        Superseded where another process may have taken it over. It can be cancelled.
        """

    async def answers(self) -> list[Answered]:
        """The answers and wishes (:data:`CANCEL`) that others left in the inbox, oldest first; a checkpoint."""

    async def news(self) -> None:
        """Wait until there may be more in the inbox: until the store tells, or for as long as it is to be left
        alone. It can be cancelled.
        """

    async def settle(self, slot: str, data: bytes, by: str) -> Answered:
        """Answer a question of one's own (its time has passed), unless somebody has; gives what stands."""

    async def aclose(self) -> None:
        """Put what was written on disk and give the run back. A cancellation waits for that."""
