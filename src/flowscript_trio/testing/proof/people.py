"""Owns the people of a durable run in a proof: they answer from outside, through its store, in their time."""

from __future__ import annotations

from contextlib import suppress

import trio

from ...journal.store import MemoryStore
from ...types.decisions import APPROVE
from ...types.errors import InputError


class People:
    """Approve every question of the run, this many ``seconds`` after it was asked."""

    def __init__(self, store: MemoryStore, run_id: str, seconds: float) -> None:
        self.seconds: float = seconds
        self._store = store
        self._run_id = run_id
        self._commit = trio.Event()

    def note_commit(self) -> None:
        """Something was committed, which may have been a question."""
        self._commit.set()

    async def attend(self) -> None:
        """Answer what is asked, until cancelled."""
        asked: set[str] = set()
        async with trio.open_nursery() as nursery:
            while True:
                for key in await self._open():
                    if key not in asked:
                        asked.add(key)
                        nursery.start_soon(self._answer_later, key)
                await self._commit.wait()
                self._commit = trio.Event()

    async def answer(self) -> bool:
        """Answer what is asked now; whether there was anything."""
        keys = await self._open()
        for key in keys:
            await self._store.answer(self._run_id, key, APPROVE, by="somebody")
        return bool(keys)

    async def _open(self) -> list[str]:
        try:
            return [each.key for each in await self._store.questions(self._run_id)]
        except InputError:  # the run has not begun
            return []

    async def _answer_later(self, key: str) -> None:
        await trio.sleep(self.seconds)
        with suppress(InputError):  # it is not asked any more
            await self._store.answer(self._run_id, key, APPROVE, by="somebody")
