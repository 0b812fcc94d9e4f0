"""Owns what a run writes into its journal, and how it waits until that is on disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any

import trio

from ...journal.blobs import LARGE
from ...journal.rows import Journal, Row
from ...journal.values import TooLarge
from ...types.paths import levels_of
from .coding import Coding, is_sealed
from .compacting import Parts
from .entries import Compacted, Entry, Passed
from .entry_rows import large_row_of, row_of
from .large import Packed, pack_large
from .leaving import Leaving
from .past import Past
from .run_clock import RunClock
from .working_time import WorkingTime


class RunJournal:
    """The journal of a run that is under way in this process, which writes until it leaves the run."""

    def __init__(
        self,
        journal: Journal,
        coding: Coding,
        past: Past,
        clock: RunClock,
        parts: Parts,
        worked: WorkingTime,
        leaving: Leaving,
    ) -> None:
        self.count: int = 0
        """How many entries were written so far."""
        self.touched: set[str] = set()
        """The executions of earlier processes of which something was written in this one."""
        self._journal = journal
        self._coding = coding
        self._has = None if past.began is None else past.has
        self._clock = clock
        self._passes = clock.passes
        self._parts = parts
        self._worked = worked
        self._leaving = leaving
        self._rates = dict(past.rates)
        self._looked_at = clock.passes.now

    def write(
        self,
        entry: Entry,
        within: str | None = None,
        sealed: bool = False,
        packed: Packed | None = None,
        room: float = inf,
    ) -> int | None:
        """Add an entry; it waits for nothing. Gives the number of its row, None where the run is left.

        ``within`` is the loop that it is compacted with, where its key does not say that. ``sealed``: it has what
        nobody may see who has the store alone. ``packed`` is its large part. Raises CannotKeep, and
        TooLarge where it takes more than about ``room`` bytes.
        """
        if self._leaving.is_left:
            return None
        if self._passes.now != self._looked_at:  # time is looked at once a pass
            self._looked_at = self._passes.now
            self._worked.note()
        if packed is None:
            number, size = self.append(entry, sealed=sealed, room=room)
        else:
            number, size = self._append_large(entry, packed)
        if self._parts.open:
            self._parts.note(within or entry.key, number, size)
        return number

    async def write_large(
        self, entry: Callable[[], Entry], part: Any, sealed: bool = False
    ) -> None:
        """Add an entry of which that part is large; it is made once that is packed, in a thread.

        It cannot be cancelled. Raises CannotKeep.
        """
        try:
            self.write(entry(), sealed=sealed, room=LARGE)
            return
        except TooLarge:
            pass
        packed = await self.packed(part, sealed)
        self.write(entry(), sealed=sealed, packed=packed)

    def packed(self, part: Any, sealed: bool) -> Awaitable[Packed | None]:
        """A large part of an entry, as :func:`~.large.pack_large` gives it."""
        return pack_large(self._journal, self._coding, part, sealed)

    def append(
        self, entry: Entry, value: bytes = b"", sealed: bool = False, room: float = inf
    ) -> tuple[int, int]:
        """Add an entry that the caller notes for its part; gives the number of its row, and its bytes."""
        row, said = row_of(entry, self._coding, value, sealed, room)
        if said is not entry:
            self._parts.keep(entry.key)
        elif is_sealed(row.data):
            self._parts.note_cookies(entry.key)
        number = self._journal.write(row)
        self._note_written(entry.key)
        return number, len(row.data)

    def _append_large(self, entry: Entry, packed: Packed) -> tuple[int, int]:
        if packed.part is None:
            self._parts.keep(entry.key)
            return self.append(entry.without_cookies())
        if packed.sealed:
            self._parts.note_cookies(entry.key)
        row = large_row_of(entry, self._coding, packed.part.packed, packed.sealed)
        number = self._journal.write_large(row, packed.part.hash)
        self._note_written(entry.key)
        return number, packed.size

    def _note_written(self, key: str) -> None:
        self.count += 1
        if self._has is not None:
            has = self._has
            self.touched.update(each for each in ("", *levels_of(key), key) if has(each))

    def at_end_of_pass(self, write: Callable[[], None]) -> None:
        """Call that once, as this pass ends; it must not raise."""
        self._journal.at_end_of_pass(write)

    def compact(
        self,
        entry: Compacted,
        dropped: Sequence[tuple[int, int]],
        since: int,
        packed: Packed | None = None,
    ) -> tuple[int, int]:
        """Write what stands for these rows from now on; gives the number of its row, and its bytes.

        ``since`` is the lowest number of all rows that it stands for. ``packed`` is what it says, where that is
        large. Raises CannotKeep.
        """
        value = str(since).encode()
        if packed is None:
            written = self.append(entry, value, entry.sealed)
        elif packed.part is None:
            entry.without_cookies()
            raise AssertionError("what has cookies is not compacted without a key")
        else:
            if packed.sealed:
                self._parts.note_cookies(entry.key)
            row = Row(entry.kind, entry.key, b"", value)
            written = (
                self._journal.write_large(row, packed.part.hash, packed.part.packed),
                packed.size,
            )
            self._note_written(entry.key)
        outdated = [(number, number + 1) for number in self._parts.take_outdated(since, dropped)]
        self._journal.drop([*dropped, *outdated])
        return written

    def passed(self, entry: Passed) -> None:
        """An attempt has passed a rate; that counts, though the entry may be compacted."""
        self._rates[entry.name] = max(entry.full_at, self._rates.get(entry.name, 0.0))
        self.write(entry)

    def rates_ahead(self) -> dict[str, float]:
        """The rates that have not forgotten yet what passed them, each with the time when it will have."""
        time = self._clock.time
        return {name: full_at for name, full_at in self._rates.items() if full_at > time}

    async def synced(self) -> None:
        """Return once all that was written is on disk; a checkpoint. Where that fails, the run is left."""
        try:
            await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self._leaving.leave(exc)
            await trio.sleep_forever()

    async def kept(self, entry: Entry | None = None) -> None:
        """Write the entry, if any, and return once all is on disk.

        It cannot be cancelled; where it fails, the run is left.
        """
        try:
            if self._leaving.is_left:
                return
            if entry is not None:
                self.write(entry)
            with trio.CancelScope(shield=True):
                await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self._leaving.leave(exc)
