"""Owns the store in PostgreSQL, for runs on several machines: leases by the server's clock, fenced commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from typing import Any
from zlib import compress

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..types.exceptions import is_a
from ..types.looking import text_of
from ..types.storing import RunBusy, StoreFailed, Superseded
from . import leases
from .backend import Batch, Owned
from .finding import find_answer, no_such_run, other_document
from .leases import Leases, Lost
from .pgschema import bring_up
from .pgsharing import share
from .pgtables import (
    STATE,
    Connection,
    keep,
    keep_large,
    large_of,
    number_of,
    open_slots,
    state_of,
    text_of_slot,
)
from .rows import ENDED, Answered, Asked, Large, Row, RunState, State
from .sharing import Ask, Back, Told
from .tabled import Tabled, untabled

LOCK_TIMEOUT = "2s"
"""How long a run that others write to at the moment is waited for."""

LOOK_EVERY = 2.0
"""Seconds between two looks at an inbox."""

PATIENCE = 60.0
"""Seconds in which a commit is sent again that the server gives up each time, since it takes too long."""

PAUSE = 0.2
"""Seconds between two attempts to reach the server again."""

AGREEMENT = 1.0
"""Seconds by which the clocks of machines may differ, and count as one."""


class PostgresBackend:
    """A store in a database. Every call but commits and renewals has a connection of its own."""

    inline = False
    look_every = LOOK_EVERY

    def __init__(self, url: str, synchronous: bool) -> None:
        self._url = url
        self._where = shown(url)
        self._synchronous = synchronous
        self._writing: Connection | None = None
        self._lock = threading.Lock()
        self._brought_up = False
        self._leases = Leases(self._renew)

    # -- owning

    def make(self) -> None:
        with self._connected():
            pass

    def begin(self, run_id: str, document: bytes, workflow: str) -> Owned:
        asked = leases.now()
        # In one transaction: a worker must not find the run without its owner.
        with self._connected() as connection, connection.transaction():
            self._make(connection, run_id, document, workflow, "running")
            owned = self._owned(connection, run_id)
        self._leases.add(owned, asked)
        return owned

    def submit(self, run_id: str, document: bytes, workflow: str) -> None:
        with self._connected() as connection, connection.transaction():
            self._make(connection, run_id, document, workflow, "queued")

    def _make(
        self, connection: Connection, run_id: str, document: bytes, workflow: str, state: State
    ) -> None:
        digest = sha256(document).digest()
        made = connection.execute(
            "insert into flowscript_runs (id, workflow, document, state) values (%s, %s, %s, %s) "
            "on conflict (id) do nothing returning number",
            (run_id, workflow, digest, state),
        ).fetchone()
        if made is not None:
            keep_large(connection, made[0], Large(digest, compress(document, 1)))
            return
        found = connection.execute(
            "select document from flowscript_runs where id = %s", (run_id,)
        ).fetchone()
        if found is None or found[0] != digest:
            raise other_document(run_id)

    def own(self, run_id: str) -> Owned:
        asked = leases.now()
        with self._connected() as connection, connection.transaction():
            owned = self._owned(connection, run_id)
        self._leases.add(owned, asked)
        return owned

    def _owned(self, connection: Connection, run_id: str) -> Owned:
        """A run that this process takes, which begins a new fence."""
        number = number_of(connection, run_id)
        before = time.time()
        found = self._taken(connection, run_id, number)
        if found is None:
            raise RunBusy(run_id, "another process, which renews its lease")
        fence, digest, rows, dropped, there = found
        ahead = _ahead(there, before, time.time())
        document = large_of(connection, digest)
        return Owned(run_id, number, fence, document, rows, dropped, ahead)

    def _taken(self, connection: Connection, run_id: str, number: int) -> Any:
        """The fence, document, rows and dropped rows of a run that is taken now, and the server's time.

        None where it has a lease.
        """
        connection.execute("select set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        try:
            return connection.execute(
                "update flowscript_runs set fence = fence + 1, "
                "lease = clock_timestamp() + make_interval(secs => %s) "
                "where number = %s and (lease is null or lease < clock_timestamp()) "
                "returning fence, document, rows, dropped, "
                "extract(epoch from clock_timestamp())::float8",
                (leases.LEASE, number),
            ).fetchone()
        except psycopg.errors.LockNotAvailable as exc:
            raise RunBusy(run_id, "another process, which is writing to it") from exc

    def seen(self, run_id: str) -> Owned:
        with self._connected() as connection:
            found = connection.execute(
                "select fence, document, rows, dropped from flowscript_runs where number = %s",
                (number_of(connection, run_id),),
            ).fetchone()
            if found is None:  # it was pruned in between
                raise no_such_run(run_id, ())
            fence, digest, rows, dropped = found
            number, document = number_of(connection, run_id), large_of(connection, digest)
        return Owned(run_id, number, fence, document, rows, dropped)

    def heed(self, owned: Owned, lost: Lost) -> None:
        self._leases.heed(owned, lost)

    def listen(self, owned: Owned, told: Callable[[], None]) -> None:
        pass  # it is looked at, as that of a file

    def release(self, owned: Owned) -> None:
        self._leases.drop(owned)
        with (
            suppress(StoreFailed),
            self._connected() as connection,
        ):  # else the lease ends by itself
            connection.execute(
                "update flowscript_runs set lease = null where number = %s and fence = %s",
                (owned.number, owned.fence),
            )

    def _renew(self, runs: list[Owned]) -> list[Owned]:
        """Renew leases, and give the runs that have none any more.

        One that has ended stays so, whoever has the run: what was held under it is not any more.
        """
        with self._connected() as connection:
            refused = []
            for owned in runs:
                changed = connection.execute(
                    "update flowscript_runs set lease = clock_timestamp() + make_interval(secs => %s) "
                    "where number = %s and fence = %s and lease > clock_timestamp()",
                    (leases.LEASE, owned.number, owned.fence),
                ).rowcount
                if changed != 1:
                    refused.append(owned)
            return refused

    # -- writing

    def commit(self, batches: Sequence[Batch], waiting: Callable[[], bool]) -> None:
        """As :meth:`~.backend.Backend.commit`. Where the answer to a commit was lost, it is sent again."""
        refused: float | None = None  # since when the server has refused it
        with self._lock:
            while True:
                for batch in batches:
                    if not self._leases.seconds_of(batch.owned):
                        raise Superseded(batch.owned.run_id)
                try:
                    if self._writing is None:
                        self._writing = self._connect()
                    with self._writing.transaction():
                        for batch in batches:
                            keep(self._writing, batch)
                    return
                except (psycopg.OperationalError, StoreFailed) as exc:
                    if isinstance(exc, Superseded):
                        raise
                    self._hang_up()
                    if not waiting() or (isinstance(exc, psycopg.Error) and _is_lasting(exc)):
                        raise self._failure(exc) from exc
                    if not _was_given_up(exc):
                        refused = None
                    elif refused is None:
                        refused = time.monotonic()
                    elif time.monotonic() - refused > PATIENCE:
                        raise self._failure(exc) from exc
                    time.sleep(PAUSE)
                except psycopg.Error as exc:
                    self._hang_up()
                    raise self._failure(exc) from exc

    def rest(self) -> None:
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.close()

    # -- reading

    def rows(self, owned: Owned, start: int, most: int) -> list[tuple[int, Row]]:
        with self._connected() as connection:
            found = connection.execute(
                "select number, kind, key, data, value, large, sum from flowscript_rows "
                "where run = %s and number >= %s order by number limit %s",
                (owned.number, start, most),
            ).fetchall()
            large = partial(large_of, connection)
            return [(number, untabled(number, Tabled(*rest), large)) for number, *rest in found]

    def damaged(self, run_id: str, how: str) -> StoreFailed:
        return StoreFailed(f"the store {self._where} is damaged: of the run {run_id!r} {how}")

    def runs(
        self, states: Sequence[State], limit: int, workflow: str | None, seconds: float | None
    ) -> list[RunState]:
        with self._connected() as connection:
            found = connection.execute(
                f"select {STATE} from flowscript_runs where (%s or state = any(%s)) "
                "and (%s::text is null or workflow = %s) and (%s::float8 is null "
                "or created >= clock_timestamp() - make_interval(secs => %s)) "
                "order by number desc limit %s",
                (not states, list(states), workflow, workflow, seconds, seconds, limit),
            ).fetchall()
            return [state_of(connection, *row) for row in found]

    def ready(self, limit: int, skip: frozenset[str]) -> list[RunState]:
        with self._connected() as connection:
            found = connection.execute(
                f"select {STATE} from flowscript_runs where (lease is null or lease < clock_timestamp()) "
                "and (state in ('queued', 'running') or (state = 'suspended' and "
                "(due <= extract(epoch from clock_timestamp()) or seen < (select count(answer) "
                "from flowscript_inbox where run = flowscript_runs.number)))) and id <> all(%s) "
                "order by number limit %s",
                (list(skip), limit),
            ).fetchall()
            return [state_of(connection, *row) for row in found]

    def show(self, run_id: str) -> RunState:
        with self._connected() as connection:
            found = connection.execute(
                f"select {STATE} from flowscript_runs where number = %s",
                (number_of(connection, run_id),),
            ).fetchone()
            if found is None:  # it was pruned in between
                raise no_such_run(run_id, ())
            return state_of(connection, *found)

    # -- the inbox

    def answer(self, run_id: str, slot: str, data: bytes, by: str) -> Answered:
        key = slot.encode("utf-8", "surrogatepass")
        with self._connected() as connection, connection.transaction():
            number = number_of(connection, run_id)
            # The lock on the run puts answers in an order.
            (state,) = connection.execute(
                "select state from flowscript_runs where number = %s for update", (number,)
            ).fetchone() or ("",)
            found = connection.execute(
                "select answer, by from flowscript_inbox where run = %s and slot = %s",
                (number, key),
            ).fetchone()
            slots = partial(open_slots, connection, number)
            stands = find_answer(run_id, slot, found, state, slots)
            if stands is not None:
                return stands
            connection.execute(
                "insert into flowscript_inbox (run, slot, answer, by, answered) "
                "values (%s, %s, %s, %s, clock_timestamp()) on conflict (run, slot) do update set "
                "answer = excluded.answer, by = excluded.by, answered = excluded.answered",
                (number, key, data, by),
            )
            return Answered(slot, data, by, True)

    def questions(self, run_id: str) -> list[Asked]:
        with self._connected() as connection:
            found = connection.execute(
                "select slot, asked, due, answer is not null from flowscript_inbox "
                "where run = %s and asked is not null order by number",
                (number_of(connection, run_id),),
            ).fetchall()
        return [Asked(text_of_slot(slot), asked, due, done) for slot, asked, due, done in found]

    def answers(self, run_id: str) -> list[Answered]:
        with self._connected() as connection:
            found = connection.execute(
                "select slot, answer, by from flowscript_inbox where run = %s and answer is not null "
                "order by answered, number",
                (number_of(connection, run_id),),
            ).fetchall()
        return [Answered(text_of_slot(slot), data, by, True) for slot, data, by in found]

    # -- limits

    def share(self, asks: Sequence[Ask], back: Sequence[Back], now: float) -> list[Told]:
        with self._connected() as connection, connection.transaction():
            return share(connection, asks, back)

    # -- forgetting

    def prune(self, older: float, keep: int) -> int:
        with self._connected() as connection, connection.transaction():
            connection.execute("lock table flowscript_uses in share row exclusive mode")
            forgotten = connection.execute(
                "delete from flowscript_runs where number in (select number from flowscript_runs "
                "where state = any(%s) order by ended desc, number desc offset %s) "
                "and ended <= clock_timestamp() - make_interval(secs => %s) "
                "and (lease is null or lease < clock_timestamp())",
                (sorted(ENDED), keep, older),
            ).rowcount
            connection.execute(
                "delete from flowscript_large where not exists "
                "(select 1 from flowscript_uses where flowscript_uses.hash = flowscript_large.hash)"
            )
        return forgotten

    # -- connecting

    def _connect(self) -> Connection:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=5,
            tcp_user_timeout=5_000,
            fallback_application_name="flowscript",
        )
        try:
            # What is set for the server, the database or the role is meant for others.
            connection.execute("set statement_timeout = '10s'")
            connection.execute("set lock_timeout = 0")
            connection.execute("set client_min_messages = warning")
            # A process that is stopped in a transaction must not keep the run from others.
            connection.execute("set idle_in_transaction_session_timeout = '10s'")
            if not self._synchronous:
                connection.execute("set synchronous_commit = off")
            if not self._brought_up:
                bring_up(connection)
                self._brought_up = True
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._connect() as connection:
                yield connection
        except psycopg.Error as exc:
            raise self._failure(exc) from exc

    def _failure(self, exc: Exception) -> StoreFailed:
        if is_a(exc, StoreFailed):
            return exc
        said = text_of(exc).strip().partition("\n")[0]
        return StoreFailed(
            f"the store {self._where} cannot be used: {said}; resume the run once it can"
        )


def _ahead(there: float, before: float, after: float) -> float:
    """The seconds by which the server's clock is ahead of this machine's, which was looked at before and after.

    Clocks that may agree to a second do: everybody asks for himself, and all should reckon alike.
    """
    ahead = there - (before + after) / 2
    return ahead if abs(ahead) > AGREEMENT + (after - before) / 2 else 0.0


def shown(url: str) -> str:
    """A URL without user, password and options. Raises ValueError for what is not a URL of PostgreSQL."""
    try:
        known = conninfo_to_dict(url)
    except psycopg.Error as exc:
        raise ValueError(str(exc).strip().partition(":")[0]) from None
    host, port = known.get("host", "localhost"), known.get("port", 5432)
    return f"postgresql://{host}:{port}/{known.get('dbname', '')}"


PASSING = ("08", "57P", "57014", "40", "55P03", "53300", "25P03")
"""SQLSTATEs of what passes: connections, a server that stops or starts, time-outs, locks."""


def _was_given_up(exc: Exception) -> bool:
    """Whether the server was there, and gave up: since it took too long, for a lock, or as somebody wished."""
    state = exc.sqlstate if is_a(exc, psycopg.Error) else None
    return state is not None and not state.startswith(("08", "57P"))


def _is_lasting(exc: psycopg.Error) -> bool:
    """Whether it would be the same the next time: the server answered, and not that it stops or starts."""
    state = exc.sqlstate
    return state is not None and not state.startswith(PASSING)
