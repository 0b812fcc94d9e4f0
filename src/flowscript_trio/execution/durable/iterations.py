"""Owns the compaction of a ``<foreach>``: iterations that have ended well become an interval of their indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...expression.bulk import is_large, weight_of
from ...types.intervals import Intervals
from ...types.storing import CannotKeep
from .compacting import Part, is_much, pairs_of, spent_of
from .entries import Compacted
from .recorder import Recorder

HEAVY = 256 * 1024
"""Characters of outputs that are written as one entry, in some milliseconds: there are no more in one."""


@dataclass(slots=True)
class _Ends:
    """The row of what ended in one pass: it is dropped with the last of the iterations that it tells of.

    ``left`` is how many of them are not ready to be compacted yet; of a row that stays it is 0, or less.
    """

    number: int
    size: int
    left: int


class Iterations:
    """The iterations of one block as its journal has them.

    The one of the highest index is kept as it is: its nodes are what is seen of the block afterwards. The same
    holds for those that failed, broke out, owe a compensation, or have set cookies without a key; and for those
    with a large output, which takes as much room in any entry, and as much time to be written again.

    Args:
        recorder: the journal of the run.
        key: the key of the block.
        name: the path of an iteration, by its index.
        keep_outputs: whether ``$branches`` has their outputs.
    """

    def __init__(
        self, recorder: Recorder, key: str, name: Callable[[int], str], keep_outputs: bool
    ) -> None:
        self._recorder = recorder
        self._parts = recorder.parts
        self._key = key
        self._name = name
        self._keep_outputs = keep_outputs
        self._begun: dict[int, Part] = {}
        self._well: dict[
            int, Any
        ] = {}  # the outputs of those that ended well, until that is written
        self._ahead: dict[int, Part] = {}  # of those that have not begun
        self._ready: dict[int, tuple[Any, Part]] = {}
        self._rows = self._bytes = self._weight = 0  # of those that are ready, and of their outputs
        self._highest: tuple[int, Any, Part] | None = None
        self._row: Part | None = None  # the compacted entry that the next one replaces
        self._is_off = False
        known = recorder.past.compacted.get(key, ())
        self._indices = Intervals()
        self.outputs: dict[int, Any] = {}
        """What those gave that an earlier process had compacted, where it is kept."""
        self._since: int | None = None  # the first of the rows that were compacted
        for number, since, entry in known:
            self._since = since if self._since is None else min(self._since, since)
            self._indices.update(entry.jobs)
            self.outputs |= entry.kept or {}
            if entry.sealed:
                self._parts.note_cookies(key)
            if not keep_outputs:
                self._row = self._row or Part()
                self._row.add(number, 0)
                self._row.take_spent(entry.spent)
            else:
                row = Part()
                row.take_spent(entry.spent)
                self._parts.hand_up(name(0), row)
        self.compacted_before: Intervals = Intervals(self._indices.pairs())
        self._ends: dict[int, _Ends] = {}
        for number, size, told in recorder.past.job_rows.get(key, ()):
            left = [index for index in told if index not in self.compacted_before]
            self._ends.update(dict.fromkeys(left, _Ends(number, size, len(left))))

    def begin(self, index: int) -> None:
        """An iteration begins, or begins again."""
        if not self._is_off:
            part = self._begun[index] = self._parts.begin_again(self._name(index))
            if index in self._ahead:
                part.take_in(self._ahead.pop(index))

    def note_given(self, index: int, number: int, size: int) -> None:
        """A row was written that goes with an iteration which has not begun."""
        if self._is_off:
            self._parts.note_above(self._name(index), number, size)
        else:
            self._ahead.setdefault(index, Part()).add(number, size)

    def end_well(self, index: int, output: Any, restored: bool) -> None:
        """An iteration came to its end; unless it was ``restored``, its end is written next."""
        if index in self._begun:
            self._well[index] = output if self._keep_outputs else None
            if restored:
                self._written(index)

    def note_ends(self, indices: list[int], number: int, size: int) -> None:
        """The ends of these iterations were written as that row."""
        if self._is_off:
            self._parts.note_above(self._name(0), number, size)
            return
        self._ends.update(dict.fromkeys(indices, _Ends(number, size, len(indices))))
        for index in indices:
            if index in self._begun:  # else what is not kept has ended the compaction of the block
                self._written(index)

    def _written(self, index: int) -> None:
        """All of an iteration is written: it is compacted, or never."""
        part = self._begun.pop(index)
        if index not in self._well or part.stays or is_large(self._well[index]):
            self._well.pop(index, None)
            self._parts.end(self._name(index))
            if index in self._ends:
                self._stays(self._ends.pop(index))
            return
        self._parts.close(self._name(index))
        found: tuple[int, Any, Part] | None = (index, self._well.pop(index), part)
        if self._highest is None or index > self._highest[0]:
            found, self._highest = self._highest, found
        if found is not None:
            self._make_ready(*found)

    def _make_ready(self, index: int, output: Any, part: Part) -> None:
        ends = self._ends.pop(index, None)
        if ends is not None:
            ends.left -= 1
            if not ends.left:
                part.add(ends.number, ends.size)
        self._ready[index] = output, part
        self._rows += len(part.numbers)
        self._bytes += part.bytes
        if self._keep_outputs:
            self._weight += weight_of(output)
        if self._weight >= HEAVY or is_much(max(self._rows, len(self._ready)), self._bytes):
            self._compact()

    def _stays(self, ends: _Ends) -> None:
        """One of the iterations that a row tells of is not compacted: the row goes with what is around them."""
        if ends.left > 0:
            ends.left = 0
            self._parts.note_above(self._name(0), ends.number, ends.size)

    def close(self) -> None:
        """The block is over: what was not compacted is compacted with what is around it, if at all."""
        for index in self._begun:
            self._parts.end(self._name(index))
        left = [part for _, part in self._ready.values()]
        if self._highest is not None:
            left.append(self._highest[2])
        if self._row is not None:
            left.append(self._row)
        left += self._ahead.values()
        for part in left:
            self._parts.hand_up(self._name(0), part)
        for ends in self._ends.values():
            self._stays(ends)
        self._ends, self._ahead = {}, {}
        self._begun, self._ready, self._highest, self._row = {}, {}, None, None
        self._is_off = True

    def _compact(self) -> None:
        if (
            self._recorder.leaving.is_left or not self._rows
        ):  # the row of their ends tells of others, too
            return
        dropped = [part for _, part in self._ready.values()]
        indices = Intervals((index, index + 1) for index in self._ready)
        self._indices.update(indices.pairs())
        outputs, sealed = None, False
        if self._keep_outputs:
            outputs = {index: output for index, (output, _) in self._ready.items()}
            sealed = any(part.has_cookies for part in dropped)  # an answer has them in its headers
        else:
            indices = self._indices
            if self._row is not None:
                dropped.append(self._row)
        spent = spent_of(dropped)
        try:
            entry = Compacted(
                self._key,
                [list(pair) for pair in indices.pairs()],
                self._recorder.clock.pass_now,
                outputs,
                spent,
                self._recorder.journal.rates_ahead(),
                sealed,
            )
            numbers = pairs_of(dropped)
            first = numbers[0][0]
            self._since = first if self._since is None else min(first, self._since)
            number, size = self._recorder.journal.compact(
                entry, numbers, first if self._keep_outputs else self._since
            )
        except CannotKeep:  # an output that is computed again with its iteration
            self.close()
            return
        self._ready, self._rows, self._bytes, self._weight = {}, 0, 0, 0
        row = Part()
        row.add(number, size)
        row.take_spent(spent)
        if self._keep_outputs:
            self._parts.hand_up(self._name(0), row)
        else:
            self._row = row
