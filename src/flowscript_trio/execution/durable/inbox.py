"""Owns what a durable run asks in its store, and what others leave for it there: answers, a wish to cancel it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

import trio
from trio.lowlevel import enable_ki_protection

from ...journal.questions import Given, decode_answer, encode_answer
from ...journal.rows import CANCEL, Answered, Journal, Question
from ...journal.store import Store
from ...types.passing import passing
from ...types.storing import StoreFailed
from .coding import Coding


class Inbox:
    """What is known about the inbox of a run, from the beginning and by looking at it while the run lasts.

    ``changes`` counts what was asked and what has come.
    """

    def __init__(self, journal: Journal, coding: Coding, answers: Iterable[Answered]) -> None:
        self._journal = journal
        self._coding = coding
        self._known: dict[str, Answered] = {each.slot: each for each in answers}
        self._expected: dict[str, trio.CancelScope] = {}
        self.changes: int = 0

    @property
    def count(self) -> int:
        """How many slots are known to be filled."""
        return len(self._known)

    @property
    def wish(self) -> str | None:
        """Why the run is to be cancelled; None where nobody has asked for that."""
        asked = self._known.get(CANCEL)
        if asked is None:
            return None
        by = f" by {asked.by}" if asked.by else ""
        return Store.reason_of(asked) or f"cancelled in its store{by}"

    def answer_in(self, slot: str) -> Given | None:
        """The answer that is in a slot, as far as that is known."""
        found = self._known.get(slot)
        return None if found is None else decode_answer(found.data, self._coding.decode)

    def ask(self, question: Question) -> None:
        """Ask in the store, or withdraw what was asked, with the entries of this pass."""
        self._journal.ask(question)
        self.changes += 1

    async def settle(self, slot: str, given: Given, by: str) -> Given:
        """Answer a question of the run's own, and give what stands. Raises StoreFailed, CannotKeep."""
        data = encode_answer(given, self._coding.encode)
        self.take(await self._journal.settle(slot, data, by))
        stands = self.answer_in(slot)
        assert stands is not None
        return stands

    def take(self, answered: Answered) -> None:
        """Take in what is in a slot: whoever waits for it goes on."""
        if answered.slot in self._known:
            return
        self._known[answered.slot] = answered
        self.changes += 1
        if answered.slot in self._expected:
            self._expected[answered.slot].cancel("it was answered")

    @passing
    def expecting(self, slot: str, scope: trio.CancelScope) -> Generator[None, None, None]:
        """Cancel ``scope`` when the slot is filled, while the block runs."""
        self._expected[slot] = scope
        if slot in self._known:
            scope.cancel("it was answered")
        try:
            yield
        finally:
            del self._expected[slot]

    @enable_ki_protection
    async def listen(self, cancel: Callable[[str], None]) -> None:
        """Take in what comes, and call ``cancel`` with the reason when the run is to be cancelled."""
        while True:
            await self._journal.news()
            try:
                found = await self._journal.answers()
            except StoreFailed:
                continue  # it may be back the next time; whether the run is lost is not for this to say
            had_wish = self.wish is not None
            for each in found:
                self.take(each)
            if self.wish is not None and not had_wish:
                cancel(self.wish)
