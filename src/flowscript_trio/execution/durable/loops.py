"""Owns the compaction of a loop: rounds that have ended become their number and the state after the last."""

from __future__ import annotations

from typing import Any

from ...expression.bulk import is_large
from ...types.paths import iteration_path
from ...types.storing import CannotKeep
from ..frame import Attempt, Frame
from .compacting import Part, is_much, spent_of
from .cookies import changed, changes_of
from .entries import Compacted
from .entry_rows import facts_of
from .readings import Readings
from .recorder import Recorder
from .snapshots import give_back, name_of_output, take


class Rounds:
    """The rounds of one loop as its journal has them; ``first`` is the one to begin with.

    Where an earlier process had compacted some, the layer of the rounds, ``inner``, is what it was after them.
    """

    def __init__(self, recorder: Recorder, attempt: Attempt, inner: Frame) -> None:
        self.first: int = 0
        self.results: dict[str, Any] = {}
        """The last results of the nodes of the rounds that were compacted, by their ids."""
        self._recorder = recorder
        self._key = attempt.inner
        self._draws = attempt.step.draws
        self._inner = inner
        self._now: Readings | None = None
        now = inner.state.services.now
        if isinstance(now, Readings) and attempt.step.reads_clock:
            self._now = now
        self._row: tuple[int, int] | None = None
        self._size = 0  # of what was kept last
        self._compacted = Part()  # no rows: what was spent in the rounds that were compacted
        self._is_off = False
        self._cookies = inner.state.cookies  # those with which the loop began
        self._has_cookies = False  # what is kept of it is sealed
        self._since: int | None = None  # the first of the rows that were compacted
        for number, since, entry in recorder.past.compacted.get(self._key, ()):
            self._row, self._since = (number, 0), since
            self._compacted.take_spent(entry.spent)
            self._take_up(entry)
        self._part = recorder.parts.begin(self._key)
        if self._now is not None:
            self._now.within = self._key

    def over(self, number: int) -> bool:
        """The rounds below that number are over, and another one may follow; whether to compact them first."""
        part = self._part
        part.take_in(self._recorder.parts.of_past(iteration_path(self._key, number - 1)))
        if self._is_off or not is_much(len(part.numbers), part.bytes) or part.bytes < self._size:
            return False
        return not self._recorder.leaving.is_left

    def close(self) -> None:
        """The loop is over: what was not compacted is compacted with what is around it, if at all."""
        if self._now is not None:
            self._now.within = None
        if self._row is not None:
            self._part.add(*self._row)
        self._part.take_in(self._compacted)
        self._recorder.parts.end(self._key)

    async def compact(self, number: int) -> None:
        """Compact the rounds below that number. It waits only where their state is large, and is not cancelled."""
        state, part = self._inner.state, self._part
        self._recorder.job_ends.flush()
        if part.stays:
            self._is_off = True
            return
        if self._row is not None:
            part.add(*self._row)
            self._row = None
        try:
            self._has_cookies = sealed = self._has_cookies or part.has_cookies
            cookies, turn = changes_of(self._cookies, state.cookies)
            output, output_of = self._inner.output, name_of_output(state, self._inner.output)
            kept = {
                "cookies": cookies,
                "output": None if output_of is not None else output,
                "output_of": output_of,
                "state": take(self._recorder, state),
                "readings": 0 if self._now is None else self._now.number,
                "chance": state.services.random.getstate() if self._draws else None,
            }
            spent = spent_of((self._compacted, part))
            entry = Compacted(
                self._key,
                [[0, number]],
                self._recorder.clock.pass_now,
                kept,
                spent,
                self._recorder.journal.rates_ahead(),
                sealed,
                turn,
            )
            if self._since is None:
                self._since = part.numbers.pairs()[0][0]
            journal, packed = self._recorder.journal, None
            if is_large(kept):
                packed = await journal.packed(facts_of(entry), sealed)
                if self._recorder.leaving.is_left:
                    return
            self._row = journal.compact(entry, part.numbers.pairs(), self._since, packed)
        except CannotKeep:  # what is computed again with the round that it is in
            self._is_off = True
            return
        self._size = 2 * self._row[1]
        self._compacted = Part()
        self._compacted.take_spent(spent)
        self._part = self._recorder.parts.begin(self._key)

    def _take_up(self, entry: Compacted) -> None:
        """Go on after the rounds that an earlier process had compacted."""
        state = self._inner.state
        kept = entry.kept
        if entry.sealed:
            self._has_cookies = True
            self._recorder.parts.note_cookies(self._key)
        self.first = entry.jobs[0][1]
        self.results = give_back(self._recorder, state, kept["state"])
        of = kept["output_of"]
        self._inner.output = kept["output"] if of is None else self.results[of].output
        state.cookies = changed(state.cookies, kept["cookies"])
        if self._now is not None:
            self._now.number = kept["readings"]
        if self._draws:
            state.services.random.setstate(kept["chance"])
