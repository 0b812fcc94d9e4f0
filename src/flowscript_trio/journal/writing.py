"""Owns a journal in trio's thread: rows gather for a pass, go to the store whole, and those who wait are woken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Timer

import trio

from ..types.storing import StoreFailed, Superseded
from .backend import Backend, Batch, Owned
from .blobs import pack
from .calling import call
from .rows import Answered, Large, LargeRow, Mark, Question, Row
from .writer import Job, Writer

READ_AT_ONCE = 1_000
"""Rows that are read from the store at once."""

PATIENCE = 10
"""Real seconds in which a journal that is closed must reach the disk; another process may hold it locked."""


class PassEnd(trio.abc.Instrument):
    """Hands what a pass wrote to the writer as the pass ends: trio waits for I/O exactly once before each.

    What nobody waits for yet is held for one pass more where that follows at once: most often somebody does then,
    and the writer is woken once for both.
    """

    def __init__(self) -> None:
        self.touched: list[LiveJournal] = []

    def before_io_wait(self, timeout: float) -> None:
        if self.touched:
            touched, self.touched = self.touched, []
            for journal in touched:
                if not journal.end_pass(is_last=timeout > 0):
                    self.touched.append(journal)


_pass_end: trio.lowlevel.RunVar[PassEnd | None] = trio.lowlevel.RunVar(
    "flowscript_trio.journal", None
)


def _end_of_passes() -> PassEnd:
    """The one of this ``trio.run``; it is installed with the first journal, and idle without rows."""
    end = _pass_end.get()
    if end is None:
        end = PassEnd()
        trio.lowlevel.add_instrument(end)
        _pass_end.set(end)
    return end


def is_writing() -> bool:
    """Whether anything is written as this pass of trio ends, so that somebody may go on: for virtual clocks."""
    end = _pass_end.get()
    return end is not None and bool(end.touched)


class LiveJournal:
    """The journal of a run that this process owns; see :class:`~.rows.Journal`."""

    def __init__(self, backend: Backend, writer: Writer, owned: Owned) -> None:
        self._backend = backend
        self._writer = writer
        self._owned = owned
        self._end = _end_of_passes()
        self._token = trio.lowlevel.current_trio_token()
        self._rows: list[Row | LargeRow] = []
        self._large: set[bytes] = set()
        self._ending: list[Callable[[], None]] = []
        self._mark: Mark | None = None
        self._questions: list[Question] = []
        self._dropped: list[tuple[int, int]] = []
        self._touched = False
        self._held = False
        self._wanted = False
        self._next = owned.rows  # the number of the next row
        self._changes = 0  # what was written, rows and others
        self._handed = 0  # of these, what the writer has
        self._kept = 0  # of these, what is on disk
        self._failed: StoreFailed | None = None
        self._waiting: deque[tuple[int, trio.lowlevel.Task]] = deque()
        self._closed = False
        self._gone = trio.Event()
        self._news = trio.Event()
        backend.heed(owned, partial(self._told, 0))
        backend.listen(owned, self._told_news)

    @property
    def owner(self) -> tuple[int, int]:
        """The number of the run in its store, and the fence under which it is owned here."""
        return self._owned.number, self._owned.fence

    @property
    def found(self) -> int:
        return self._owned.rows - self._owned.dropped

    @property
    def is_inline(self) -> bool:
        return self._backend.inline

    @property
    def run_id(self) -> str:
        return self._owned.run_id

    @property
    def document(self) -> bytes:
        return self._owned.document

    @property
    def ahead(self) -> float:
        return self._owned.ahead

    def read(self) -> Iterator[Row]:
        return (row for _, row in self.numbered())

    def numbered(self) -> Iterator[tuple[int, Row]]:
        start, missing = 0, self._owned.rows - self._owned.dropped
        while missing > 0 and (rows := self._backend.rows(self._owned, start, READ_AT_ONCE)):
            yield from rows
            start = rows[-1][0] + 1
            missing -= len(rows)
        if missing:
            raise self._backend.damaged(self.run_id, "rows are missing")

    def write(self, row: Row) -> int:
        return self._put(pack(row, self._large))

    def _put(self, row: Row | LargeRow) -> int:
        self._rows.append(row)
        self._changes += 1
        if not self._touched:
            self._touch()
        return self._next + len(self._rows) - 1

    def write_large(self, row: Row, digest: bytes, packed: bytes | None = None) -> int:
        large = row.value if packed is None else packed
        part = Large(digest, b"" if digest in self._large else large)
        self._large.add(digest)
        if packed is None:
            return self._put(LargeRow(row.kind, row.key, row.data, part))
        return self._put(LargeRow(row.kind, row.key, part, row.value))

    def at_end_of_pass(self, write: Callable[[], None]) -> None:
        self._ending.append(write)
        self._changed()

    def drop(self, numbers: Sequence[tuple[int, int]]) -> None:
        self._dropped += numbers
        self._large.clear()  # the store may forget large parts with the rows: they are given to it again
        self._changed()

    def mark(self, mark: Mark) -> None:
        self._mark = mark
        self._changed()

    def ask(self, question: Question) -> None:
        self._questions.append(question)
        self._changed()

    def _changed(self) -> None:
        self._changes += 1
        self._touch()

    def _touch(self) -> None:
        """See to it that the rows are handed over as this pass ends."""
        if not self._touched:
            self._touched = True
            self._end.touched.append(self)

    async def synced(self) -> None:
        if self._failed is None and self._kept == self._changes:
            await trio.lowlevel.checkpoint()
            return
        if self._failed is not None:
            await trio.lowlevel.checkpoint()
            raise self._failure()
        self._wanted = True
        self._touch()  # the writer may have the rows already, without knowing that they are waited for
        place = (self._changes, trio.lowlevel.current_task())
        self._waiting.append(place)

        def cancelled(_: object) -> trio.lowlevel.Abort:
            self._waiting.remove(place)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(cancelled)
        if self._kept < place[0]:
            raise self._failure()

    def end_pass(self, is_last: bool) -> bool:
        """Give the writer what the pass wrote, unless it is held until the next one ends, which is to follow.

        ``is_last``: none is known to follow.
        """
        ending, self._ending = self._ending, []
        for write in ending:
            write()
        self._held = not (self._wanted or is_last or self._held)
        self._touched = self._held
        if not self._held and self._failed is None:
            self._hand_over()
        return not self._held

    def _hand_over(self) -> None:
        batch = None
        if self._changes > self._handed:
            rows, questions, dropped = self._rows, self._questions, self._dropped
            batch = Batch(
                self._owned, self._next, tuple(rows), self._mark, tuple(questions), tuple(dropped)
            )
            self._next += len(self._rows)
            self._rows, self._questions, self._dropped, self._mark = [], [], [], None
            self._handed = self._changes
        told = partial(self._told, self._handed)
        self._writer.put(Job(self._owned, batch, told, self._wanted))
        self._wanted = False

    def _told(self, count: int, failed: StoreFailed | None) -> None:
        """Called by the writer, in its thread: this many changes are on disk, or can never be."""
        self._call_soon(partial(self._settle, count, failed))

    def _settle(self, count: int, failed: StoreFailed | None) -> None:
        if self._failed is None and failed is None:
            self._kept = count
        elif self._failed is None:
            self._failed = failed
            self._gone.set()
        while self._waiting and (self._failed is not None or self._waiting[0][0] <= self._kept):
            trio.lowlevel.reschedule(self._waiting.popleft()[1])

    def _failure(self) -> StoreFailed:
        """An error for each waiter: one that several tasks raised would gather all their tracebacks."""
        assert self._failed is not None
        if isinstance(self._failed, Superseded):
            return Superseded(self.run_id)
        failure = StoreFailed(str(self._failed))
        failure.__cause__ = self._failed.__cause__
        return failure

    async def lost(self) -> StoreFailed:
        await self._gone.wait()
        return self._failure()

    def _told_news(self) -> None:
        """Called in any thread: something was put in the inbox."""
        if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is self._token:
            self._note_news()  # at once: a virtual clock would not see that it is on its way
            return
        self._call_soon(self._note_news)

    def _note_news(self) -> None:
        self._news.set()

    async def news(self) -> None:
        if self._backend.look_every is not None:
            await trio.sleep(self._backend.look_every)
            return
        await self._news.wait()
        self._news = trio.Event()

    async def answers(self) -> list[Answered]:
        return await call(self._backend, partial(self._backend.answers, self.run_id))

    async def settle(self, slot: str, data: bytes, by: str) -> Answered:
        offer = partial(self._backend.answer, self.run_id, slot, data, by)
        return await call(self._backend, offer)

    async def aclose(self) -> None:
        if self._closed:
            await trio.lowlevel.checkpoint()
            return
        self._closed = True
        unsaved = self._failed is None  # else whoever waited was told
        with trio.CancelScope(shield=True):
            try:
                if await self._synced_within(PATIENCE):
                    return
                if unsaved:
                    raise StoreFailed(
                        f"the end of the run {self.run_id!r} could not be written within {PATIENCE} s, since "
                        "another process holds the store locked; resume the run once that has ended"
                    )
            except StoreFailed:
                if unsaved:
                    raise
            finally:
                await call(self._backend, self._let_go)

    async def _synced_within(self, seconds: float) -> bool:
        """Whether all was on disk within this many real seconds: a disk does not live in virtual time."""
        if self._kept == self._changes or self._backend.inline:
            await self.synced()
            return True
        with trio.CancelScope() as scope:
            timer = Timer(seconds, partial(self._call_soon, scope.cancel))
            timer.daemon = True
            timer.start()
            try:
                await self.synced()
            finally:
                timer.cancel()
        return not scope.cancelled_caught

    def _call_soon(self, call: Callable[[], None]) -> None:
        """Call in trio's thread (called in another)."""
        with suppress(trio.RunFinishedError):  # then nobody is left to hear of it
            self._token.run_sync_soon(call)

    def _let_go(self) -> None:
        self._writer.leave()
        self._backend.release(self._owned)
