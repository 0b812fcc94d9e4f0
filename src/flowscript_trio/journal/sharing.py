"""Owns who may take limits that a store keeps for all its runs, in whichever process: all or none, in order. Pure.

What is taken is held by a run under its fence, so the lease of the run is the lease of what it holds: once its
process is gone, or another one owns it, what it held is free. The order and its rules are those of
:mod:`~..scheduler.limits.queue`, over what the store has on record instead of objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from ..scheduler.dag import find_cycle
from ..scheduler.limits.meter import Meter
from ..types.limits import Rate

CLOCK_ERROR = 2e-6
"""Seconds by which two readings of a wall clock may be off."""


@dataclass(frozen=True, slots=True)
class Need:
    """One limit that is wished for: its name in the store, and what it allows."""

    key: str
    max: float
    rate: Rate | None
    burst: int


Edge = tuple[str, str]
"""A limit that is held, and one that may be waited for meanwhile, by their names in the store."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a node wishes to take: all of ``needs`` or nothing, while ``held`` is held around it.

    ``number`` and ``fence`` are those of its run in the store, ``token`` is its own in the run. ``is_mixed``: its
    run has limits, too, that the store does not know of, so that what it waits for is not known here.

    One with ``edges`` tells what the run may hold and wait for from now on, and is refused where that could lock
    up with what others have told.
    """

    number: int
    fence: int
    token: str
    needs: tuple[Need, ...]
    held: tuple[str, ...]
    is_mixed: bool
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Back:
    """What is given back, or wished for no longer."""

    number: int
    fence: int
    token: str


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a wish: granted, or else after how many seconds a rate may let it pass.

    ``seconds`` is infinite where somebody else has to go on first. ``cycle`` are the limits on one, where the
    edges of a run are refused.
    """

    is_granted: bool
    seconds: float
    cycle: tuple[str, ...] = ()


@dataclass(slots=True)
class Entry:
    """What is on record of one wish: while it waits, and while what it wished for is held."""

    place: int
    run: int
    fence: int
    token: str
    keys: tuple[str, ...]
    held: tuple[str, ...]
    is_mixed: bool
    edges: tuple[Edge, ...]
    is_granted: bool

    def columns(self) -> tuple[int, int, int, str, str, bool]:
        """Its row in a table."""
        facts = json.dumps([self.keys, self.held, self.is_mixed, *self.edges])
        return self.place, self.run, self.fence, self.token, facts, self.is_granted


def entry_of(place: int, run: int, fence: int, token: str, facts: str, granted: int) -> Entry:
    """The entry of a row."""
    keys, held, is_mixed, *edges = json.loads(facts)
    told = tuple((first, second) for first, second in edges)
    return Entry(place, run, fence, token, tuple(keys), tuple(held), is_mixed, told, bool(granted))


Count = tuple[float, int]
"""Of a rate: when its count began, and how many have passed since."""


class Book:
    """All that is held and wished for, and what rates have counted.

    ``is_alive`` says whether a run, by its number, is still owned under a fence.

    ``added``, ``changed``, ``removed`` and ``counted`` are what a table has to be told.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        counts: Mapping[str, Count],
        is_alive: Callable[[int, int], bool],
    ) -> None:
        self._is_alive = cache(is_alive)
        self._entries = {(each.run, each.token): each for each in entries}
        self.counts: dict[str, Count] = dict(counts)
        self._last = max((each.place for each in self._entries.values()), default=0)
        self.added: list[Entry] = []
        self.changed: list[Entry] = []
        self.removed: list[Entry] = []
        self.counted: dict[str, Count] = {}

    def turn(self, asks: Sequence[Ask], back: Iterable[Back], now: float) -> list[Told]:
        """Take back, and give what is asked for where it may be had, the first come first; an answer to each ask.

        ``now`` is the time by the clock of the store, in seconds.
        """
        for entry in self.entries:
            if not self._is_alive(entry.run, entry.fence):
                self._remove(entry)
        for each in back:
            found = self._entries.get((each.number, each.token))
            if found is not None and found.fence == each.fence:
                self._remove(found)
        alive = [(self._entry(ask), ask) for ask in asks if self._is_alive(ask.number, ask.fence)]
        told = {
            (ask.number, ask.token): self._try(entry, ask, now)
            for entry, ask in sorted(alive, key=lambda pair: pair[0].place)
        }
        return [told.get((ask.number, ask.token), Told(False, inf)) for ask in asks]

    @property
    def entries(self) -> list[Entry]:
        """What is on record now."""
        return list(self._entries.values())

    def _entry(self, ask: Ask) -> Entry:
        entry = self._entries.get((ask.number, ask.token))
        if entry is None:
            self._last += 1
            keys = tuple(need.key for need in ask.needs)
            entry = Entry(
                self._last,
                ask.number,
                ask.fence,
                ask.token,
                keys,
                ask.held,
                ask.is_mixed,
                ask.edges,
                False,
            )
            self._entries[ask.number, ask.token] = entry
            self.added.append(entry)
        return entry

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.run, entry.token]
        if entry in self.added:
            self.added.remove(entry)
        else:
            self.removed.append(entry)

    def _try(self, entry: Entry, ask: Ask, now: float) -> Told:
        if entry.is_granted:  # the answer was lost
            return Told(True, 0.0)
        cycle = self._cycle_by(entry)
        if cycle is not None:
            self._remove(entry)
            return Told(False, inf, tuple(cycle))
        meters = {
            need.key: self._meter(need.key, need.rate, need.burst, now)
            for need in ask.needs
            if need.rate is not None
        }
        if any(self._taken(need.key) >= need.max for need in ask.needs):
            return Told(False, inf)
        if not self._is_its_turn(entry):
            return Told(False, inf)
        at = max((meter.ready_at() for meter in meters.values()), default=-inf)
        if at > now:
            return Told(False, at - now + CLOCK_ERROR)
        for key, meter in meters.items():
            meter.count(now)
            self.counts[key] = self.counted[key] = meter.counted
        entry.is_granted = True
        if entry not in self.added:
            self.changed.append(entry)
        return Told(True, 0.0)

    def _cycle_by(self, entry: Entry) -> list[str] | None:
        """Limits that could be waited for in a circle once this is granted."""
        if not entry.edges:
            return None
        told = [edge for each in self._entries.values() if each.is_granted for edge in each.edges]
        return find_cycle([*entry.edges, *told], through=(held for held, _ in entry.edges))

    def _meter(self, key: str, rate: Rate, burst: int, now: float) -> Meter:
        meter = Meter(rate, burst)
        if key in self.counts:
            meter.counted = self.counts[key]
            # Where it goes on later than any count can, the clock was set: the bucket is empty now.
            meter.bound(now)
        return meter

    def _taken(self, key: str) -> int:
        return sum(each.is_granted and key in each.keys for each in self._entries.values())

    def _is_its_turn(self, entry: Entry) -> bool:
        """Whether nobody who came before it needs one of its limits, or it has to go past them."""
        waiting = [each for each in self._entries.values() if not each.is_granted]
        earlier = [
            each
            for each in waiting
            if each.place < entry.place and not set(each.keys).isdisjoint(entry.keys)
        ]
        if not earlier:
            return True
        if not entry.held:
            return False
        if any(each.is_mixed for each in self._entries.values()):
            return True  # they may be waiting for what it holds, and that is not seen here
        return _is_awaited(entry, waiting)


def _is_awaited(entry: Entry, waiting: list[Entry]) -> bool:
    """Whether one of those who came before may be waiting for what this one's side holds."""
    reached: set[str] = set()
    keys, seen = list(entry.keys), set[int]()
    while keys:  # those who came before, and those before them
        key = keys.pop()
        for other in waiting:
            if key in other.keys and other.place < entry.place and other.place not in seen:
                seen.add(other.place)
                reached.update(other.keys)
                keys += other.keys
    pending = list(reached)
    while pending:
        key = pending.pop()
        for inner in waiting:
            if key in inner.held:
                fresh = set(inner.keys) - reached
                reached |= fresh
                pending += fresh
    return not reached.isdisjoint(entry.held)
