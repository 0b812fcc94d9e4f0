"""Owns the store in memory, for tests: it forgets what was not committed, and can die at any commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from ..types.storing import RunBusy, StoreFailed, Superseded
from .backend import Batch, Owned
from .blobs import unpack
from .finding import find_answer, no_such_run, other_document
from .rows import ENDED, Answered, Asked, Large, LargeRow, Mark, Question, Row, RunState, State
from .sharing import Ask, Back, Book, Count, Entry, Told

Moment = Literal["before", "after"]
Watch = Callable[[Moment, int], None]
"""Called before and after each commit with its number, from 1."""


@dataclass(slots=True)
class _Run:
    number: int
    run_id: str
    workflow: str
    document: bytes
    created: float
    mark: Mark
    fence: int = 0
    owned: bool = False
    ended: float | None = None
    rows: dict[int, Row] = field(default_factory=dict)
    next: int = 0
    questions: dict[str, Question] = field(default_factory=dict)
    answers: dict[str, Answered] = field(default_factory=dict)

    def open_slots(self) -> list[str]:
        """The questions that nobody has answered."""
        return [slot for slot in self.questions if slot not in self.answers]


class MemoryBackend:
    """Keeps runs in memory. ``watch`` may call ``crash`` before a commit, which then does not happen, or after."""

    inline = True
    look_every = None

    def __init__(self, clock: Callable[[], float] = time.time, watch: Watch | None = None) -> None:
        self._clock = clock
        self._watch = watch
        self._runs: dict[str, _Run] = {}
        self._large: dict[bytes, bytes] = {}
        self._heeding: dict[Owned, Callable[[StoreFailed], None]] = {}
        self._listening: dict[Owned, Callable[[], None]] = {}
        self._numbers = 0
        self._entries: list[Entry] = []
        self._counts: dict[str, Count] = {}
        self.commits: int = 0

    def crash(self) -> None:
        """The process dies: its runs have no owner, and what it still writes reaches nothing."""
        for run in self._runs.values():
            run.fence += 1
            run.owned = False
        self._listening.clear()
        heeding, self._heeding = self._heeding, {}
        for owned, lost in heeding.items():
            lost(Superseded(owned.run_id))

    def make(self) -> None:
        pass

    def begin(self, run_id: str, document: bytes, workflow: str) -> Owned:
        self._made(run_id, document, workflow, "running")
        return self.own(run_id)

    def submit(self, run_id: str, document: bytes, workflow: str) -> None:
        self._made(run_id, document, workflow, "queued")

    def _made(self, run_id: str, document: bytes, workflow: str, state: State) -> None:
        run = self._runs.get(run_id)
        if run is None:
            self._numbers += 1
            self._runs[run_id] = _Run(
                self._numbers, run_id, workflow, document, self._clock(), Mark(state)
            )
        elif run.document != document:
            raise other_document(run_id)

    def own(self, run_id: str) -> Owned:
        run = self._run(run_id)
        if run.owned:
            raise RunBusy(run_id, "another task of this process")
        run.owned = True
        run.fence += 1
        dropped = run.next - len(run.rows)
        return Owned(run_id, run.number, run.fence, run.document, run.next, dropped)

    def seen(self, run_id: str) -> Owned:
        run = self._run(run_id)
        dropped = run.next - len(run.rows)
        return Owned(run_id, run.number, run.fence, run.document, run.next, dropped)

    def heed(self, owned: Owned, lost: Callable[[StoreFailed], None]) -> None:
        self._heeding[owned] = lost

    def listen(self, owned: Owned, told: Callable[[], None]) -> None:
        self._listening[owned] = told

    def release(self, owned: Owned) -> None:
        self._heeding.pop(owned, None)
        self._listening.pop(owned, None)
        run = self._runs.get(owned.run_id)
        if run is not None and run.fence == owned.fence:
            run.owned = False

    def commit(self, batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        self.commits += 1
        number = self.commits
        self._look("before", number)
        self._check(batches)
        for batch in batches:
            self._keep(self._run(batch.owned.run_id), batch)
        self._look("after", number)
        self._check(batches)  # who died after the commit does not hear of it

    def rest(self) -> None:
        pass

    def _look(self, moment: Moment, number: int) -> None:
        if self._watch is not None:
            self._watch(moment, number)

    def _check(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            if self._run(batch.owned.run_id).fence != batch.owned.fence:
                raise Superseded(batch.owned.run_id)

    def _keep(self, run: _Run, batch: Batch) -> None:
        assert batch.first == run.next, "a journal is written in order"
        run.rows |= {number: self._whole(row) for number, row in enumerate(batch.rows, run.next)}
        run.next += len(batch.rows)
        for start, end in batch.dropped:
            for number in range(start, end):
                run.rows.pop(number, None)
        for question in batch.questions:
            if not question.withdrawn:
                run.questions.setdefault(question.slot, question)
            elif question.slot not in run.answers:
                run.questions.pop(question.slot, None)
        if batch.mark is not None:
            run.mark = batch.mark
            run.ended = self._clock() if batch.mark.state in ENDED else None

    def _whole(self, row: Row | LargeRow) -> Row:
        if isinstance(row, Row):
            return row
        return Row(row.kind, row.key, self._part(row.data), self._part(row.value))

    def _part(self, part: bytes | Large) -> bytes:
        if isinstance(part, bytes):
            return part
        if part.packed:
            self._large[part.hash] = part.packed
        return unpack(part.hash, self._large[part.hash])

    def rows(self, owned: Owned, start: int, most: int) -> list[tuple[int, Row]]:
        rows = self._run(owned.run_id).rows.items()
        return list(islice((each for each in rows if each[0] >= start), most))

    def damaged(self, run_id: str, how: str) -> StoreFailed:
        return StoreFailed(f"the store in memory is damaged: of the run {run_id!r} {how}")

    def rows_of(self, run_id: str) -> list[Row]:
        """The rows of a run, whoever owns it."""
        run = self._runs.get(run_id)
        return [] if run is None else list(run.rows.values())

    def numbered_rows_of(self, run_id: str) -> list[tuple[int, Row]]:
        """The rows of a run with their numbers, which stay when others are dropped."""
        run = self._runs.get(run_id)
        return [] if run is None else list(run.rows.items())

    def kept_of(self, run_id: str) -> list[bytes]:
        """The bytes of a run's document and rows."""
        rows = self.rows_of(run_id)
        parts = (
            part
            for row in rows
            for part in (row.key.encode("utf-8", "surrogatepass"), row.data, row.value)
        )
        return [self._run(run_id).document, *parts] if run_id in self._runs else []

    def runs(
        self, states: Sequence[State], limit: int, workflow: str | None, seconds: float | None
    ) -> list[RunState]:
        since = 0.0 if seconds is None else self._clock() - seconds
        chosen = [
            run
            for run in self._runs.values()
            if (not states or run.mark.state in states)
            and workflow in (None, run.workflow)
            and run.created >= since
        ]
        return [self._state(run) for run in reversed(chosen)][:limit]

    def ready(self, limit: int, skip: frozenset[str]) -> list[RunState]:
        free = (run for name, run in self._runs.items() if name not in skip and self._is_ready(run))
        return [self._state(run) for run in islice(free, limit)]

    def _is_ready(self, run: _Run) -> bool:
        mark = run.mark
        due = mark.due is not None and mark.due <= self._clock()
        waits = mark.state == "suspended" and not due and len(run.answers) <= mark.seen
        return not run.owned and mark.state not in ENDED and not waits

    def show(self, run_id: str) -> RunState:
        return self._state(self._run(run_id))

    def answer(self, run_id: str, slot: str, data: bytes, by: str) -> Answered:
        run = self._run(run_id)
        before = run.answers.get(slot)
        found: tuple[bytes | None, str | None] | None = None
        if before is not None:
            found = before.data, before.by
        elif slot in run.questions:
            found = None, None
        stands = find_answer(run_id, slot, found, run.mark.state, run.open_slots)
        if stands is not None:
            return stands
        run.answers[slot] = Answered(slot, data, by, True)
        for owned, told in list(self._listening.items()):
            if owned.run_id == run_id:
                told()
        return run.answers[slot]

    def questions(self, run_id: str) -> list[Asked]:
        run = self._run(run_id)
        return [
            Asked(q.slot, q.asked, q.due, q.slot in run.answers) for q in run.questions.values()
        ]

    def answers(self, run_id: str) -> list[Answered]:
        return list(self._run(run_id).answers.values())

    def share(self, asks: Sequence[Ask], back: Sequence[Back], now: float) -> list[Told]:
        owned = {(run.number, run.fence) for run in self._runs.values() if run.owned}
        book = Book(self._entries, self._counts, lambda *owner: owner in owned)
        told = book.turn(asks, back, now)
        self._entries, self._counts = book.entries, book.counts
        return told

    def prune(self, older: float, keep: int) -> int:
        ended = [run for run in self._runs.values() if run.mark.state in ENDED and not run.owned]
        ended.sort(key=lambda run: (run.ended or 0.0, run.number), reverse=True)
        old = [run for run in ended[keep:] if (run.ended or 0.0) <= self._clock() - older]
        for run in old:
            del self._runs[run.run_id]
        return len(old)

    def _run(self, run_id: str) -> _Run:
        try:
            return self._runs[run_id]
        except KeyError:
            raise no_such_run(run_id, self._runs) from None

    def _state(self, run: _Run) -> RunState:
        waits = tuple(run.open_slots())
        return RunState(
            run.run_id,
            run.workflow,
            run.mark.state,
            run.created,
            run.mark.due,
            run.ended,
            len(run.rows),
            run.owned,
            () if run.mark.state in ENDED else waits,
        )
