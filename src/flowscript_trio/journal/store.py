"""Owns ``Store``: where durable runs are kept, what is in it, and what others may leave there for a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from .backend import Backend, Owned
from .calling import call
from .memory import MemoryBackend, Watch
from .rows import Journal, RunState, State
from .writer import InlineWriter, ThreadWriter, Writer
from .writing import LiveJournal


class Store:
    """Where durable runs are kept."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._writer: Writer = InlineWriter(backend) if backend.inline else ThreadWriter(backend)

    @classmethod
    def memory(
        cls, *, clock: Callable[[], float] = time.time, watch: Watch | None = None
    ) -> MemoryStore:
        """A store in memory, for tests; see :class:`MemoryStore`."""
        return MemoryStore(MemoryBackend(clock, watch))

    async def begin(self, run_id: str | None, document: bytes, *, workflow: str = "") -> Journal:
        """Own a run. One that is in the store already is opened, and ``read`` gives what it wrote."""
        name = uuid4().hex if run_id is None else run_id
        return await self._journal(partial(self._backend.begin, name, document, workflow))

    async def open(self, run_id: str) -> Journal:
        """Own a run that is in the store."""
        return await self._journal(partial(self._backend.own, run_id))

    async def _journal(self, own: Callable[[], Owned]) -> Journal:
        owned = await call(self._backend, own)
        self._writer.join()
        return LiveJournal(self._backend, self._writer, owned)

    async def runs(self, *states: State, limit: int = 100) -> list[RunState]:
        return await call(self._backend, partial(self._backend.runs, states, limit))

    async def show(self, run_id: str) -> RunState:
        return await call(self._backend, partial(self._backend.show, run_id))


class MemoryStore(Store):
    """A store in memory that forgets what was not synced, for tests and proofs.

    ``crash()`` is the death of the process; ``commits`` counts what reached the disk that is not there.
    """

    _backend: MemoryBackend

    def crash(self) -> None:
        """The process dies now: what was not committed is gone, and whoever waits for it is Superseded."""
        self._backend.crash()

    @property
    def commits(self) -> int:
        return self._backend.commits
