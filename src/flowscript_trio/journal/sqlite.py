"""Owns the store in a file of SQLite: runs, rows, large parts and the inbox; one transaction a commit."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from zlib import compress

from ..types.storing import RunBusy, StoreFailed
from .backend import Batch, Owned
from .blobs import unpack
from .failing import failure
from .finding import find_answer, no_such_run, other_document
from .owners import Owners, owners_of
from .rows import ENDED, Answered, Asked, Large, Row, RunState, State
from .schema import connect, make_file, side_of
from .sharing import Ask, Back, Told
from .sqlsharing import share
from .sqltables import begun, ending, keep, keep_large, number_of, open_slots, transaction
from .tabled import Tabled, untabled

BUSY_SECONDS = 0.25
"""How long a commit waits for the lock of another process before it asks whether it is still waited for."""

READY_AT_ONCE = 500
"""Runs that are read at once to find some that nobody owns."""

LOOK_EVERY = 1.0
"""Seconds between two looks at an inbox, which other processes fill."""

_STATE = "number, id, workflow, state, created, due, ended, rows - dropped"


class SqliteBackend:
    """A store in a file. Every call but commits has a connection of its own, which is closed with it."""

    inline = False
    look_every = LOOK_EVERY

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        self._synchronous = synchronous
        self._writing: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    # -- owning

    def make(self) -> None:
        with self._connected(make=True):
            pass

    def begin(self, run_id: str, document: bytes, workflow: str) -> Owned:
        with (
            self._connected(make=True) as connection,
            self._taking(run_id) as take,
            transaction(connection),  # a worker must not find the run without its owner
        ):
            self._make(connection, run_id, document, workflow, "running")
            take(number_of(connection, run_id))
            return self._owned(connection, run_id)

    def submit(self, run_id: str, document: bytes, workflow: str) -> None:
        with self._connected(make=True) as connection, transaction(connection):
            self._make(connection, run_id, document, workflow, "queued")

    def _make(
        self,
        connection: sqlite3.Connection,
        run_id: str,
        document: bytes,
        workflow: str,
        state: State,
    ) -> None:
        digest = sha256(document).digest()
        found = connection.execute("select document from runs where id = ?", (run_id,)).fetchone()
        if found is not None:
            if found[0] != digest:
                raise other_document(run_id)
            return
        number = connection.execute(
            "insert into runs (id, workflow, document, state, created) values (?, ?, ?, ?, ?)",
            (run_id, workflow, digest, state, time.time()),
        ).lastrowid
        assert number is not None
        keep_large(connection, number, Large(digest, compress(document, 1)))

    def own(self, run_id: str) -> Owned:
        with self._connected() as connection, self._taking(run_id) as take:
            take(number_of(connection, run_id))
            with transaction(connection):
                return self._owned(connection, run_id)

    @contextmanager
    def _taking(self, run_id: str) -> Iterator[Callable[[int], None]]:
        """What takes a number for this process in the block; where that fails, it is given back."""
        owners = self._owners()
        taken: list[int] = []

        def take(number: int) -> None:
            owner = owners.take(number)
            if owner is not None:
                raise RunBusy(run_id, owner)
            taken.append(number)

        try:
            yield take
        except BaseException:
            for number in taken:
                owners.free(number)
            raise

    def _owned(self, connection: sqlite3.Connection, run_id: str) -> Owned:
        """A run that this process has taken, which begins a new fence."""
        number = number_of(connection, run_id)
        connection.execute("update runs set fence = fence + 1 where number = ?", (number,))
        fence, digest, rows, dropped = connection.execute(
            "select fence, document, rows, dropped from runs where number = ?", (number,)
        ).fetchone()
        try:
            document = self._large(connection, digest)
        except StoreFailed as exc:
            raise self.damaged(run_id, str(exc)) from None
        return Owned(run_id, number, fence, document, rows, dropped)

    def seen(self, run_id: str) -> Owned:
        with self._connected() as connection:
            found = connection.execute(
                "select number, fence, document, rows, dropped from runs where id = ?", (run_id,)
            ).fetchone()
            number, fence, digest, rows, dropped = found or (
                number_of(connection, run_id),
                0,
                b"",
                0,
                0,
            )
            try:
                document = self._large(connection, digest)
            except StoreFailed as exc:
                raise self.damaged(run_id, str(exc)) from None
        return Owned(run_id, number, fence, document, rows, dropped)

    def heed(self, owned: Owned, lost: Callable[[StoreFailed], None]) -> None:
        pass  # nobody takes a locked byte away

    def listen(self, owned: Owned, told: Callable[[], None]) -> None:
        pass  # no process is told what another one writes

    def release(self, owned: Owned) -> None:
        self._owners().free(owned.number)

    def _owners(self) -> Owners:
        return owners_of(side_of(self._path))

    # -- writing

    def commit(self, batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        with self._lock, self._failures():
            if self._writing is None:
                self._writing = connect(self._path, self._synchronous, BUSY_SECONDS)
            connection = self._writing
            while not begun(connection):
                if not waiting():
                    raise StoreFailed(
                        f"{self._path} could not be written, since another process holds it locked; "
                        "resume the run once that has ended"
                    )
            with ending(connection):
                for batch in batches:
                    keep(connection, batch)

    def rest(self) -> None:
        with self._lock:
            writing, self._writing = self._writing, None
            if writing is not None:
                writing.close()

    # -- reading

    def rows(self, owned: Owned, start: int, most: int) -> list[tuple[int, Row]]:
        with self._connected() as connection:
            found = connection.execute(
                "select number, kind, key, data, value, large, sum from rows "
                "where run = ? and number >= ? order by number limit ?",
                (owned.number, start, most),
            ).fetchall()
            large = partial(self._large, connection)
            try:
                return [(number, untabled(number, Tabled(*rest), large)) for number, *rest in found]
            except StoreFailed as exc:
                raise self.damaged(owned.run_id, str(exc)) from None

    def damaged(self, run_id: str, how: str) -> StoreFailed:
        return StoreFailed(
            f"{self._path} is damaged: of the run {run_id!r} {how}; expected a copy of the file from before"
        )

    def _large(self, connection: sqlite3.Connection, digest: bytes) -> bytes:
        found = connection.execute("select packed from large where hash = ?", (digest,)).fetchone()
        try:
            if found is not None:
                return unpack(digest, found[0])
            reason = "it is missing"
        except ValueError as exc:
            reason = str(exc)
        raise StoreFailed(f"a large value is not what was written ({reason})")

    def runs(
        self, states: Sequence[State], limit: int, workflow: str | None, seconds: float | None
    ) -> list[RunState]:
        chosen = f"state in ({', '.join('?' * len(states))})" if states else "true"
        since = 0.0 if seconds is None else time.time() - seconds
        with self._connected() as connection:
            found = connection.execute(
                f"select {_STATE} from runs where {chosen} and (? is null or workflow = ?) "
                "and created >= ? order by number desc limit ?",
                (*states, workflow, workflow, since, limit),
            ).fetchall()
            return [self._state(connection, *row) for row in found]

    def ready(self, limit: int, skip: frozenset[str]) -> list[RunState]:
        free: list[RunState] = []
        last = 0
        with self._connected() as connection:
            while len(free) < limit:
                # The plus keeps SQLite from going through all runs that have ended, by their numbers. It reads in
                # pieces that are whole: while others' bytes are looked at, no transaction is under way.
                rows = connection.execute(
                    f"select {_STATE} from runs where +number > ? and state in ('queued', 'running', 'suspended') "
                    "and (state <> 'suspended' or due <= ? or seen < (select count(answer) from inbox "
                    "where run = runs.number)) order by number limit ?",
                    (last, time.time(), READY_AT_ONCE),
                ).fetchall()
                found = (row for row in rows if row[1] not in skip and self._is_free(row[0]))
                free += [self._state(connection, *row) for row in islice(found, limit - len(free))]
                if len(rows) < READY_AT_ONCE:
                    break
                last = rows[-1][0]
        return free

    def _is_free(self, number: int) -> bool:
        return self._owners().owner(number) is None

    def show(self, run_id: str) -> RunState:
        with self._connected() as connection:
            number = number_of(connection, run_id)
            found = connection.execute(
                f"select {_STATE} from runs where number = ?", (number,)
            ).fetchone()
            if found is None:  # it was pruned in between
                raise no_such_run(run_id, ())
            return self._state(connection, *found)

    def _state(
        self,
        connection: sqlite3.Connection,
        number: int,
        run_id: str,
        workflow: str,
        state: State,
        created: float,
        due: float | None,
        ended: float | None,
        rows: int,
    ) -> RunState:
        owned = self._owners().owner(number) is not None
        waits = () if state in ENDED else tuple(open_slots(connection, number))
        return RunState(run_id, workflow, state, created, due, ended, rows, owned, waits)

    # -- the inbox

    def answer(self, run_id: str, slot: str, data: bytes, by: str) -> Answered:
        with self._connected() as connection, transaction(connection):
            number = number_of(connection, run_id)
            found = connection.execute(
                "select answer, by from inbox where run = ? and slot = ?", (number, slot)
            ).fetchone()
            (state,) = connection.execute(
                "select state from runs where number = ?", (number,)
            ).fetchone()
            slots = partial(open_slots, connection, number)
            stands = find_answer(run_id, slot, found, state, slots)
            if stands is not None:
                return stands
            connection.execute(
                "insert into inbox (run, slot, answer, by, answered) values (?, ?, ?, ?, ?) "
                "on conflict (run, slot) do update set "
                "answer = excluded.answer, by = excluded.by, answered = excluded.answered",
                (number, slot, data, by, time.time()),
            )
            return Answered(slot, data, by, True)

    def questions(self, run_id: str) -> list[Asked]:
        with self._connected() as connection:
            found = connection.execute(
                "select slot, asked, due, answer is not null from inbox "
                "where run = ? and asked is not null order by number",
                (number_of(connection, run_id),),
            ).fetchall()
        return [Asked(slot, asked, due, bool(answered)) for slot, asked, due, answered in found]

    def answers(self, run_id: str) -> list[Answered]:
        with self._connected() as connection:
            found = connection.execute(
                "select slot, answer, by from inbox where run = ? and answer is not null "
                "order by answered, number",
                (number_of(connection, run_id),),
            ).fetchall()
        return [Answered(slot, data, by, True) for slot, data, by in found]

    # -- limits

    def share(self, asks: Sequence[Ask], back: Sequence[Back], now: float) -> list[Told]:
        # What is held goes with the process; of rates a power cut must not lose what has passed.
        has_rates = any(need.rate is not None for ask in asks for need in ask.needs)
        with self._connected() as connection:
            if not has_rates:
                connection.execute("pragma synchronous = normal")
            return share(connection, lambda number: not self._is_free(number), asks, back, now)

    # -- forgetting

    def prune(self, older: float, keep: int) -> int:
        with self._connected() as connection:
            states = tuple(sorted(ENDED))
            found = connection.execute(
                "select number, ended from runs where state in (?, ?, ?) "
                "order by ended desc, number desc limit -1 offset ?",
                (*states, keep),
            ).fetchall()
            old = [
                number
                for number, ended in found
                if ended is not None and ended <= time.time() - older
            ]
            count = sum(self._forget(connection, number) for number in old)
            with transaction(connection):
                connection.execute("delete from large where hash not in (select hash from uses)")
            connection.executescript("pragma incremental_vacuum")  # execute() would free one page
        return count

    def _forget(self, connection: sqlite3.Connection, number: int) -> bool:
        """Forget one run, unless somebody owns it."""
        owners = self._owners()
        if owners.take(number) is not None:
            return False
        try:
            with transaction(connection):
                for table in ("rows", "uses", "inbox", "wishes"):
                    connection.execute(f"delete from {table} where run = ?", (number,))
                connection.execute("delete from runs where number = ?", (number,))
        finally:
            owners.free(number)
        return True

    # -- connecting

    @contextmanager
    def _connected(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        with self._failures():
            if make:
                make_file(self._path)
            connection = connect(self._path, self._synchronous)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            raise failure(exc, self._path) from exc
