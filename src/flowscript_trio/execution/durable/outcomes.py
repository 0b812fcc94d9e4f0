"""Owns how the attempts of nodes have ended: what is written of them, and how that is taken up again."""

from __future__ import annotations

from typing import Any

import trio

from ...types.cookies import Cookies, count_on_from
from ..state import State
from .coding import Coding
from .compacting import Parts
from .cookies import cookies_set, with_cookies
from .entries import AttemptFailed, Ended, KeptFirst
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

    def ended(self, path: str, attempt: int, output: Any, again: bool) -> None:
        """An attempt has succeeded; ``again`` as in :class:`~.entries.Ended`."""
        self._journal.write(Ended(path, attempt, self._clock.pass_now, output, again))

    def set_cookies(
        self, path: str, attempt: int, before: Cookies, after: Cookies, output: Any = None
    ) -> bool:
        """An attempt is over that has changed the cookies of its scope: they are kept sealed, as its output is.

        Whether they were, which they are not without a key: then it is done again, and is never compacted.
        """
        self._set_cookies.add((path, attempt))
        self.note_cookies(path)
        seal = self._coding.seal
        if seal is None:
            return False
        data = self._coding.encode(output)
        self._journal.write(cookies_set(seal, path, attempt, before, after, data))
        return True

    def note_cookies(self, path: str) -> None:
        """Cookies were set at ``path``: what is kept of anything around it is sealed, or else not compacted."""
        if self._coding.seal is None:
            self._parts.keep(path)
        else:
            self._parts.note_cookies(path)

    def failed(self, path: str, attempt: int, error: BaseException, view: dict[str, Any]) -> None:
        """An attempt has failed; ``view`` is what expressions see of its error."""
        if (path, attempt) not in self._past.outcomes:
            set_some, seal = (path, attempt) in self._set_cookies, self._coding.seal
            is_sealed = set_some and seal is not None
            data = self._coding.encode_error(error, view, has_cookies=is_sealed or not set_some)
            if is_sealed and seal is not None:
                data = seal.close(data)
            self._journal.write(AttemptFailed(path, attempt, self._clock.pass_now, data, is_sealed))

    def take_up(self, known: Ended | AttemptFailed, state: State) -> Any:
        """The output of an attempt of an earlier process; a scope gets the cookies that it had set."""
        sealed = self._past.cookies.get((known.key, known.attempt))
        seal = self._coding.seal
        if sealed is None or seal is None:
            return getattr(known, "output", None)
        self._parts.note_cookies(known.key)
        state.cookies, output = with_cookies(seal, sealed, state.cookies)
        return self._coding.decode(output)

    def error_of(self, entry: AttemptFailed) -> BaseException:
        """The error of an attempt that failed in an earlier process."""
        data = entry.error
        if entry.sealed and self._coding.seal is not None:
            data = self._coding.seal.open(data)
        return self._coding.decode_error(data)
