"""Owns how the attempts of nodes have ended: what is written of them, and how that is taken up again."""

from __future__ import annotations

from math import inf
from typing import Any

import trio

from ...types.cookies import Cookies, count_on_from
from ..state import State
from .coding import Coding
from .compacting import Parts
from .cookies import changed, changes_of
from .entries import AttemptFailed, CookiesSet, Ended, KeptFirst
from .past import Past
from .run_clock import RunClock
from .run_journal import RunJournal


class Outcomes:
    """The outputs, errors and cookies of attempts, those of earlier processes with them."""

    def __init__(
        self, past: Past, coding: Coding, clock: RunClock, journal: RunJournal, parts: Parts
    ) -> None:
        self._past = past
        self._coding = coding
        self._clock = clock
        self._journal = journal
        self._parts = parts
        self._set_cookies: set[tuple[str, int]] = set()
        if past.latest_turn >= 0:
            count_on_from(past.latest_turn)

    async def keep_first(self, path: str, attempt: int, value: Any) -> Any:
        """What a runtime has kept first in an attempt, in an earlier process or now; on disk when this returns."""
        known = self._past.kept.get((path, attempt))
        if known is not None:
            await trio.lowlevel.checkpoint()
            return known.value
        self._journal.write(KeptFirst(path, attempt, value))
        await self._journal.synced()
        return value

    def ended(
        self, path: str, attempt: int, output: Any, sealed: bool = False, room: float = inf
    ) -> None:
        """An attempt has succeeded; ``sealed``: it has set cookies, which its output may show.

        Raises CannotKeep, and TooLarge where its output takes more than about ``room`` bytes.
        """
        entry = Ended(path, attempt, self._clock.pass_now, output)
        self._journal.write(entry, sealed=sealed, room=room)

    async def ended_large(self, path: str, attempt: int, output: Any, sealed: bool) -> None:
        """As :meth:`ended`, with a large output; it has ended when this returns. It cannot be cancelled."""
        packed = await self._journal.packed(output, sealed)
        entry = Ended(path, attempt, self._clock.pass_now, output)
        self._journal.write(entry, sealed=sealed, packed=packed)

    def set_cookies(self, path: str, attempt: int, before: Cookies, after: Cookies) -> None:
        """An attempt is over that has changed the cookies of its scope: they are kept sealed.

        Without a key they are not, and what is kept of anything around it is not compacted.
        """
        self._set_cookies.add((path, attempt))
        if self._coding.seal is None:
            self._parts.keep(path)
        else:
            changes, turn = changes_of(before, after)
            self._journal.write(CookiesSet(path, attempt, turn, changes))

    def failed(self, path: str, attempt: int, error: BaseException, view: dict[str, Any]) -> None:
        """An attempt has failed; ``view`` is what expressions see of its error."""
        if (path, attempt) not in self._past.outcomes:
            facts = self._coding.encode_error(error, view)
            entry = AttemptFailed(path, attempt, self._clock.pass_now, facts)
            self._journal.write(entry, sealed=(path, attempt) in self._set_cookies)

    def take_up(self, path: str, attempt: int, state: State) -> None:
        """An attempt of an earlier process stands: a scope gets the cookies that it had set."""
        known = self._past.cookies.get((path, attempt))
        if known is not None:
            self._parts.note_cookies(path)
            state.cookies = changed(state.cookies, known.changes)

    def error_of(self, entry: AttemptFailed) -> BaseException:
        """The error of an attempt that failed in an earlier process."""
        return self._coding.decode_error(entry.error)
