"""Owns ``Store``: where durable runs are kept, what is in it, and what others may leave there for a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from os.path import realpath
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from ..scheduler.limits.limit import Limit
from ..types.errors import InputError
from ..types.printing import one_line
from .backend import Backend, Owned
from .calling import call
from .copying import read_beside
from .finding import (
    LONGEST_ID,
    can_be_id,
    check_age,
    check_count,
    check_id,
    check_states,
    no_such_question,
)
from .memory import MemoryBackend, Watch
from .questions import (
    Given,
    OpenQuestion,
    check_action,
    decode_answer,
    encode_answer,
    find_question,
    question_of,
    shown_input,
)
from .rows import CANCEL, ENDED, Answered, Journal, Row, RunState, State
from .sealing import Key, Seal
from .sharing import Ask, Back, Told
from .sqlite import SqliteBackend
from .values import decode_value, encode_value
from .writer import InlineWriter, ThreadWriter, Writer
from .writing import LiveJournal


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer that counts at a checkpoint: its action and input, who gave it, and whether it was this one.

    ``timed_out``: it is the default, since the time had passed. ``input`` is None where it has secrets of the run.
    Plain data: cancellation means nothing to it.
    """

    action: str
    input: Any
    by: str
    taken: bool
    timed_out: bool = False


Durability = Literal["power", "process"]


class Store:
    """Where durable runs are kept.

    Args:
        where: a file, which the first run makes (readable for its owner only); beside it there are those of SQLite
            and one whose bytes are locked (``NAME-owners``). It must be on a disk of this machine. Or the URL of
            a PostgreSQL database (``postgresql://user:password@host/name``), which many machines may share; it
            needs the extra ``postgresql``.
        key: what cookies of runs are sealed with: one that ``Fernet.generate_key()`` of the package cryptography
            gave (extra ``sealed``), or a list of them: the first seals, and all open. Without one they are
            not kept, and a node that set some is done again when its run is resumed.
        durability: what survives: ``power`` (a power cut, too) or ``process`` (``kill -9``; a power cut may lose
            the last moments).

    A process that has a journal open owns that run. A cancellation waits for a call that has begun.
    Raises InputError for anything else; every call raises StoreFailed where the store cannot be used.
    """

    def __init__(
        self,
        where: str | PathLike[str],
        *,
        key: Key | Sequence[Key] | None = None,
        durability: Durability = "power",
    ) -> None:
        self.seal: Seal | None = None if key is None else Seal(key)
        if durability not in _SYNCHRONOUS:
            raise InputError(f"durability is {durability!r}; expected 'power' or 'process'")
        self._use(backend_of(where, durability))

    def _use(self, backend: Backend) -> None:
        self.limits_declared: dict[str, dict[str, Limit]] = {}
        """What workflows declare, by their names, where no other process has the store."""
        self._backend = backend
        self._writer: Writer = InlineWriter(backend) if backend.inline else ThreadWriter(backend)

    @property
    def is_inline(self) -> bool:
        """Whether its calls take no time, so that they are made in trio's thread."""
        return self._backend.inline

    @classmethod
    def memory(
        cls,
        *,
        clock: Callable[[], float] = time.time,
        watch: Watch | None = None,
        key: Key | Sequence[Key] | None = None,
    ) -> MemoryStore:
        """A store in memory, for tests; see :class:`MemoryStore`."""
        return MemoryStore(MemoryBackend(clock, watch), key)

    async def begin(self, run_id: str | None, document: bytes, *, workflow: str = "") -> Journal:
        """Own a run. One that is in the store already is opened, and ``read`` gives what it wrote.

        Raises RunBusy where somebody else owns it, InputError where it was begun with another document.
        A cancellation waits for the store.
        """
        begin = partial(self._backend.begin, _checked(run_id), document, one_line(workflow))
        return await self._journal(begin)

    async def open(self, run_id: str) -> Journal:
        """Own a run that is in the store. Raises InputError where it is not, RunBusy where it is owned.

        A cancellation waits for the store.
        """
        return await self._journal(partial(self._backend.own, check_id(run_id)))

    async def copy(self, run_id: str) -> tuple[bytes, str, list[tuple[int, Row]]]:
        """What a run was begun with, its state, and its rows with their numbers, whoever owns it.

        Raises InputError where it is not there. A cancellation waits for the store.
        """
        read = partial(read_beside, self._backend, check_id(run_id))
        owned, rows = await call(self._backend, read)
        state = await self.show(run_id)
        return owned.document, state.state, rows

    async def _journal(self, own: Callable[[], Owned]) -> Journal:
        owned = await call(self._backend, own)
        self._writer.join()
        return LiveJournal(self._backend, self._writer, owned)

    async def submit(self, run_id: str | None, document: bytes, *, workflow: str = "") -> str:
        """Queue a run for a worker; its id. One that is there with the same document stays as it is.

        Raises InputError for a run that is there with another document. A cancellation waits for the store.
        """
        name = _checked(run_id)
        await call(self._backend, partial(self._backend.submit, name, document, one_line(workflow)))
        return name

    async def make(self) -> None:
        """Make the store where there is none yet, as the first run would; what is in it stays as it is.

        For programs that look at a store, or work on it, before anything was run. A cancellation waits for it.
        """
        await call(self._backend, self._backend.make)

    async def runs(
        self,
        *states: State,
        workflow: str | None = None,
        younger_than: float | None = None,
        limit: int = 100,
    ) -> list[RunState]:
        """The runs of the store, the youngest first.

        Those whose process is gone are ``running``, with ``orphaned`` true.

        Args:
            states: only those in one of these states; all, if none is given.
            workflow: only those of the workflow with that name.
            younger_than: only those that began within this many seconds.
            limit: this many at most.

        Raises InputError for what is not a state, or not such a number. Nobody who writes waits for it.
        A cancellation waits for the store.
        """
        check_states(states)
        name = None if workflow is None else one_line(workflow)
        age = None if younger_than is None else check_age(younger_than, "younger_than")
        most = check_count(limit, "limit")
        return await call(self._backend, partial(self._backend.runs, states, most, name, age))

    async def ready(
        self, *, limit: int = 100, skip: Collection[str] = frozenset()
    ) -> list[RunState]:
        """The runs that a worker may take: those that are queued, due or answered, and whose process is gone.

        The oldest come first, without those in ``skip``. Another worker may take one first, which is a RunBusy. A
        cancellation waits for the store.
        """
        most = check_count(limit, "limit")
        return await call(self._backend, partial(self._backend.ready, most, frozenset(skip)))

    async def show(self, run_id: str) -> RunState:
        """The state of a run. Raises InputError where there is none; a cancellation waits for the store."""
        return await call(self._backend, partial(self._backend.show, check_id(run_id)))

    async def questions(self, run_id: str) -> list[OpenQuestion]:
        """What a run waits to be told, in the order in which it was asked.

        Raises InputError where there is no such run. A cancellation waits for the store.
        """
        found = await call(self._backend, partial(self._backend.questions, check_id(run_id)))
        return [question_of(each) for each in found if not each.answered]

    async def answer(
        self, run_id: str, checkpoint: str, action: str, input: Any = None, *, by: str = ""
    ) -> Reply:
        """Answer a checkpoint that a run waits at, from any process.

        Args:
            run_id: the run.
            checkpoint: the id of the checkpoint, or its key, as :meth:`questions` lists both; the key tells those
                of several rounds or branches from each other.
            action: the id of one of its actions, or ``approve`` or ``reject``.
            input: what goes along with it; anything that a store keeps.
            by: who answers, for people.

        Returns the answer that stands: the first one, whoever gave it; ``taken`` says whether it is this one.
        Raises InputError where the run does not ask that or has ended, or for another action, and CannotKeep for
        the input; then nothing was written. A cancellation waits for the store.
        """
        asked = await call(self._backend, partial(self._backend.questions, check_id(run_id)))
        question = find_question(run_id, checkpoint, asked)
        if question is not None:
            check_action(question, action)
        elif (await self.show(run_id)).state not in ENDED:
            waiting = [question_of(each) for each in asked if not each.answered]
            names = [each.checkpoint for each in waiting]
            raise no_such_question(run_id, checkpoint, [each.key for each in waiting], names)
        slot = checkpoint if question is None else question.key
        data = encode_answer(Given(action, input, False))
        stands = await call(
            self._backend, partial(self._backend.answer, run_id, slot, data, one_line(by))
        )
        return self.reply_of(stands)

    @staticmethod
    def reply_of(answered: Answered) -> Reply:
        """What was answered, of what is in the inbox."""
        given = decode_answer(answered.data, shown_input)
        return Reply(given.action, given.input, answered.by, answered.taken, given.timed_out)

    async def cancel(self, run_id: str, reason: str = "", *, by: str = "") -> str:
        """Ask for a run to be cancelled, by whoever owns it now or later; its clean-up runs there.

        Returns the reason that stands: that of the first who asked. Raises InputError where there is no such run,
        or it has ended. A cancellation of this call waits for the store.
        """
        data = encode_value(reason)
        ask = partial(self._backend.answer, check_id(run_id), CANCEL, data, one_line(by))
        return self.reason_of(await call(self._backend, ask))

    @staticmethod
    def reason_of(answered: Answered) -> str:
        """Why the run is to be cancelled, of what is in the slot :data:`~.rows.CANCEL` of the inbox."""
        reason: str = decode_value(answered.data)
        return reason

    @property
    def shares_limits(self) -> bool:
        """Whether other processes may have the store, too, so that it has to keep limits for all of them."""
        return not self._backend.inline

    async def share(self, asks: Sequence[Ask], back: Sequence[Back], now: float) -> list[Told]:
        """Give limits back that the store keeps, and take others where they may be had; an answer to each wish.

        ``now`` is the time by the wall clock, in seconds. A cancellation waits for the store.
        """
        return await call(self._backend, partial(self._backend.share, asks, back, now))

    async def prune(self, *, older_than: float, keep: int = 0) -> int:
        """Forget runs that ended more than this many seconds ago, but for the ``keep`` that ended last.

        Returns how many were forgotten. Runs that are owned are left. Raises InputError for what is not a number.
        A cancellation waits for the store.
        """
        age, count = check_age(older_than, "older_than"), check_count(keep, "keep")
        forget = partial(self._backend.prune, age, count)
        return await call(self._backend, forget)


def _checked(run_id: str | None) -> str:
    """The id of a run, made where there is none."""
    if run_id is None:
        return uuid4().hex
    if not can_be_id(run_id):
        raise InputError(
            f"run_id is {run_id!r:.300}; expected text of 1 to {LONGEST_ID} characters that can be printed"
        )
    return run_id


def backend_of(where: str | PathLike[str], durability: str) -> Backend:
    """What keeps the runs of a place."""
    if not isinstance(where, (str, PathLike)) or not str(where):
        raise InputError(
            f"the store is {where!r}; expected the path of a file, or a URL of PostgreSQL"
        )
    scheme = _SCHEME.match(where) if isinstance(where, str) else None
    if scheme is not None and scheme[1] in ("postgresql", "postgres"):
        return _postgres(str(where), durability == "power")
    if scheme is not None:
        raise InputError(
            f"the store is a URL of {scheme[1]!r}; expected the path of a file, or a URL of PostgreSQL"
        )
    return SqliteBackend(_file(where), _SYNCHRONOUS[durability])


def _file(where: str | PathLike[str]) -> Path:
    """The file itself, by whatever links it is reached: who owns its runs is on record beside it."""
    try:
        return Path(realpath(where))
    except ValueError:  # NUL, or what no name of a file can have
        raise InputError(f"the store is {str(where)!r:.300}; expected the path of a file") from None


def _postgres(url: str, synchronous: bool) -> Backend:
    try:
        from .postgres import PostgresBackend
    except ImportError as exc:
        raise InputError(
            "a store in PostgreSQL needs the package psycopg; install flowscript-trio[postgresql]"
        ) from exc
    try:
        return PostgresBackend(url, synchronous)
    except ValueError as exc:
        raise InputError(
            f"the store is not a valid URL of PostgreSQL ({exc}); expected postgresql://user:password@host/name"
        ) from None


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SYNCHRONOUS = {"power": "full", "process": "normal"}


class MemoryStore(Store):
    """A store in memory that forgets what was not synced, for tests and proofs.

    ``crash()`` is the death of the process; ``commits`` counts what reached the disk that is not there.
    """

    _backend: MemoryBackend

    def __init__(self, backend: MemoryBackend, key: Key | Sequence[Key] | None = None) -> None:
        self.seal: Seal | None = None if key is None else Seal(key)
        self._use(backend)

    def crash(self) -> None:
        """The process dies now: what was not committed is gone, and whoever waits for it is Superseded."""
        self._backend.crash()
        # The old one has rows that went with the process.
        self._writer = InlineWriter(self._backend)

    def rows_of(self, run_id: str) -> list[Row]:
        """The rows of a run that are on the disk that is not there; none where there is no such run."""
        return self._backend.rows_of(run_id)

    def numbered_rows_of(self, run_id: str) -> list[tuple[int, Row]]:
        """The rows of a run with their numbers, which stay when others are dropped."""
        return self._backend.numbered_rows_of(run_id)

    def kept_of(self, run_id: str) -> list[bytes]:
        """All bytes that are there of a run: of its document, and of its rows."""
        return self._backend.kept_of(run_id)

    @property
    def commits(self) -> int:
        return self._backend.commits
