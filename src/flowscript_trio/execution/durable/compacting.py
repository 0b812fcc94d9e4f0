"""Owns which rows of a journal stand for iterations and rounds that have ended, so that they can be dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...types.intervals import Intervals
from ...types.paths import is_cleanup, is_iteration, levels_of

MOST_ROWS = 1_000
"""Rows of what has ended above which they are compacted."""
MOST_BYTES = 1 << 20
"""Bytes of these rows above which they are compacted, however few they are."""


@dataclass(slots=True)
class Part:
    """The rows of an iteration, or of all rounds of a loop; ``stays``: it is not compacted.

    ``has_cookies``: a node in it has set some; they are sealed. ``spent`` is what was taken of the budget there,
    by the name of a count and whether it was in clean-up.
    """

    numbers: Intervals = field(default_factory=Intervals)
    bytes: int = 0
    stays: bool = False
    has_cookies: bool = False
    spent: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add(self, number: int, size: int) -> None:
        self.numbers.add(number)
        self.bytes += size

    def take_in(self, other: Part) -> None:
        """Take over the rows of another part."""
        self.numbers.update(other.numbers.pairs())
        self.bytes += other.bytes
        self.stays = self.stays or other.stays
        self.has_cookies = self.has_cookies or other.has_cookies
        self.spent.update(other.spent)

    def take_spent(self, spent: Iterable[list[Any]]) -> None:
        """Count what a compacted entry says was spent."""
        for name, in_cleanup, count in spent:
            self.spent[name, in_cleanup] += count


def is_much(rows: int, size: int) -> bool:
    """Whether this many rows of this many bytes are worth being compacted."""
    return rows >= MOST_ROWS or size >= MOST_BYTES


Numbered = tuple[int, str, int]
"""The number of a row, the execution that it is in, and its bytes."""


def parts_of(rows: Iterable[Numbered]) -> dict[str, Part]:
    """The rows of each iteration and round, by its path."""
    found: dict[str, Part] = {}
    for number, key, size in rows:
        if "[" in key:
            for each in (*levels_of(key), key):
                if is_iteration(each):
                    found.setdefault(each, Part()).add(number, size)
    return found


class Parts:
    """The parts of a run that are open, by the paths of their iterations or loops.

    Every row that is written is noted for the innermost one that it is in.
    """

    def __init__(
        self,
        past: Sequence[Numbered] = (),
        outdated: Iterable[tuple[int, int]] = (),
        adopted: dict[str, Part] | None = None,
    ) -> None:
        self.open: dict[str, Part] = {}
        self._only: tuple[str, tuple[str, str], Part] | None = None
        self.counts: bool = False
        """Whether the run has a budget, so that rounds are counted, each before its iteration begins."""
        self._past = past
        self._outdated = list(outdated)
        self._adopted = {} if adopted is None else adopted
        self._dropped: Intervals | None = None  # the numbers of all rows that are gone

    def begin(self, path: str) -> Part:
        """Open a part without any rows, in the place of one that is open."""
        part = Part()
        self._have(path, part)
        return part

    def begin_again(self, path: str) -> Part:
        """Open the part of an iteration; it has what earlier processes wrote below that path."""
        part = self.of_past(path)
        if self.counts:
            round_ = "rounds", is_cleanup(path)
            part.spent[round_] += 1
            around = self._around(_above(path))
            if around is not None:
                around.spent[round_] -= 1
        self._have(path, part)
        return part

    def _have(self, path: str, part: Part) -> None:
        self.open[path] = part
        self._look_for_one()

    def _look_for_one(self) -> None:
        """Every row asks for the part that it is in: where one is open, no walk up its path is needed."""
        self._only = None
        if len(self.open) == 1:
            ((path, part),) = self.open.items()
            self._only = path, (f"{path}/", f"{path}["), part

    def spend(self, path: str, name: str, count: int) -> None:
        """This much of a count of the budget was taken at ``path``."""
        part = self._around(path)
        if part is not None:
            part.spent[name, is_cleanup(path)] += count

    def close(self, path: str) -> None:
        """Forget a part with all its rows."""
        del self.open[path]
        self._look_for_one()

    def end(self, path: str) -> None:
        """What of a part was not dropped is that of the part around it."""
        part = self.open.pop(path, None)
        self._look_for_one()
        if part is not None:
            self.hand_up(path, part)

    def hand_up(self, path: str, part: Part) -> None:
        """Let the part around ``path`` have these rows."""
        around = self._around(_above(path))
        if around is not None:
            around.take_in(part)

    def note(self, key: str, number: int, size: int) -> None:
        """A row was written."""
        if self._only is None:
            part = self._around(key)
        else:
            only, below, part = self._only
            if not key.startswith(below) and key != only:
                return
        if part is not None:
            part.add(number, size)

    def note_above(self, path: str, number: int, size: int) -> None:
        """A row was written that stands for a whole block or loop."""
        self.note(_above(path), number, size)

    def note_outdated(self, number: int, until: int) -> None:
        """The row with that number says something of those before the row ``until``, and of no others.

        It goes with the compaction that drops the last of them.
        """
        self._outdated.append((number, until))

    def take_outdated(self, since: int, dropped: Iterable[tuple[int, int]]) -> list[int]:
        """The numbers of such rows from ``since`` on, which go with the ``dropped`` ones."""
        if self._dropped is None:
            self._dropped = _between(number for number, _, _ in self._past)
        gone = self._dropped
        gone.update(dropped)
        outdated = [
            number
            for number, until in self._outdated
            if number >= since and gone.covers(number + 1, until)
        ]
        gone.update((number, number + 1) for number in outdated)
        self._outdated = [each for each in self._outdated if each[0] not in gone]
        return outdated

    def keep(self, path: str) -> None:
        """What is on record of ``path`` is needed to the end: nothing around it is compacted."""
        for part in self._all_around(path):
            part.stays = True

    def note_cookies(self, path: str) -> None:
        """A node has set cookies: what is kept of anything around it is sealed."""
        for part in self._all_around(path):
            part.has_cookies = True

    def _all_around(self, path: str) -> list[Part]:
        """The open parts that a path is in."""
        return [self.open[each] for each in (*levels_of(path), path) if each in self.open]

    def _around(self, path: str) -> Part | None:
        """The innermost open part that a path is in."""
        while path:
            found = self.open.get(path)
            if found is not None:
                return found
            path = _above(path)
        return None

    def of_past(self, path: str) -> Part:
        """The rows that earlier processes wrote in an iteration or a round."""
        return self._adopted.pop(path, None) or Part()


def _between(numbers: Iterable[int]) -> Intervals:
    """What lies before and between these numbers, which are in order."""
    found, start = Intervals(), 0
    for number in numbers:
        if number > start:
            found.update([(start, number)])
        start = number + 1
    return found


def _above(path: str) -> str:
    return path[: max(path.rfind("/"), path.rfind("["), 0)]


def spent_of(parts: Iterable[Part]) -> list[list[Any]]:
    """What was spent in parts, as a compacted entry has it."""
    total: Counter[tuple[str, bool]] = Counter()
    for part in parts:
        total.update(part.spent)
    return [[*which, count] for which, count in total.items() if count]


def pairs_of(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """The numbers of the rows of parts, as intervals."""
    numbers = Intervals()
    for part in parts:
        numbers.update(part.numbers.pairs())
    return numbers.pairs()
