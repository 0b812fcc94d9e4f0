"""Owns the limits of one run: what each name stands for, and that no wait for them could have no end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import trio

from ..program.compiled import Program
from ..program.holding import describe_cycle
from ..program.limit_use import Chain, LimitUse, Site
from ..scheduler.dag import find_cycle
from ..scheduler.limits.gate import Borrowed, Gate, Held, Shared, room_here
from ..scheduler.limits.limit import Limit
from ..scheduler.limits.meter import Meter
from ..scheduler.limits.queue import around, limiters_around, tokens
from ..types.deferred import dataclass
from ..types.errors import InputError, nearest

if TYPE_CHECKING:
    from .durable.sharing import SharedLimits

Given = Mapping[str, Limit | trio.CapacityLimiter]
"""What an application gives: limits by their names."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken together: limiters of the application, one by one; then what the store keeps, all or none;
    then ours, all or none.

    ``held`` are those of it that could keep others from going on.
    """

    borrowed: tuple[Borrowed, ...]
    shared: tuple[Shared, ...]
    gates: tuple[Gate, ...]
    names: tuple[str, ...]
    held: tuple[Held, ...]


def are_held_around() -> bool:
    """Whether the code that runs is inside nodes that hold limits, or tokens of a run's limiter."""
    return bool(around.get() or tokens.get())


class RunLimits:
    """The limits of one run by name: the application's, else those that its documents declare.

    ``shared`` takes those that the store of the run keeps; None where no other process could have them.
    ``edges`` are pairs (held, needed): what runs beside this one is checked against them.
    """

    def __init__(
        self,
        program: Program,
        declared: dict[str, Limit],
        given: Given,
        total: object,
        shared: SharedLimits | None = None,
    ) -> None:
        use = program.limits or LimitUse()
        self._location = program.document.body.location
        self.shared: SharedLimits | None = shared
        self._held: dict[str, Held] = {}
        self._taken: dict[tuple[str, ...], Taken] = {}
        own: dict[trio.CapacityLimiter, Borrowed] = {}
        for name, chain in use.needs.items():
            self._held[name] = _resolve(name, chain, use, declared, given, own, shared)
        if shared is not None:
            others = [one for one in self._held.values() if not isinstance(one, Shared)]
            shared.is_mixed = total is not None or any(one.can_block for one in others)
        for names, chain in use.together.items():
            self._taken[names] = self._take_together(names, chain)
        self._check_rates(use)
        ways = self._ways(use, total)
        self.edges: frozenset[tuple[Held, Held]] = frozenset(ways)
        self._edge_chains = ways
        self._check(ways)
        room_here().runs.add(self)  # what begins from now on must not lock up with it

    async def announce(self) -> None:
        """Tell the store of the run what it may wait for while it holds what, where others could hold that.

        Raises InputError where that could lock up with runs of other processes; StoreFailed. A cancellation waits
        for the store.
        """
        if self.shared is None or not any(
            isinstance(one, Shared) for edge in self.edges for one in edge
        ):
            return
        cycle = await self.shared.announce(self._edge_chains)
        if cycle:
            self.end()
            pairs = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
            chains = [
                () if held is None or needed is None else self._edge_chains.get((held, needed), ())
                for (_, held), (_, needed) in pairs
            ]
            raise _endless([name for name, _ in cycle], chains)

    def end(self) -> None:
        """The run is over."""
        room_here().runs.discard(self)

    def taken_by(self, names: tuple[str, ...]) -> Taken:
        return self._taken[names]

    def rates_of(self, names: tuple[str, ...]) -> Iterator[tuple[str, Meter]]:
        """Those of the limits that are rates, each with its count."""
        for name in names:
            held = self._held[name]
            if isinstance(held, Gate) and held.meter is not None:
                yield name, held.meter

    def resume_rate(self, name: str, full_at: float) -> None:
        """Let a rate go on that an earlier process counted; it has forgotten all of that at ``full_at``."""
        for _, meter in self.rates_of((name,) if name in self._held else ()):
            meter.resume(full_at, trio.current_time())

    def _take_together(self, names: tuple[str, ...], chain: Chain) -> Taken:
        found = [self._held[name] for name in names]
        for one in found:
            if found.count(one) > 1:
                same = [name for name in names if self._held[name] is one]
                said = " and ".join(map(repr, same))
                raise InputError(f"{chain[-1]} takes {said}, which are one and the same limit")
        borrowed = tuple(one for one in found if isinstance(one, Borrowed))
        shared = tuple(one for one in found if isinstance(one, Shared))
        breakers = (one.breaker for one in shared if one.breaker is not None)
        gates = (*(one for one in found if isinstance(one, Gate)), *breakers)
        held = tuple(one for one in (*borrowed, *shared, *gates) if one.can_block)
        return Taken(borrowed, shared, gates, names, held)

    def _check_rates(self, use: LimitUse) -> None:
        for name, chain in use.blocks.items():
            held = self._held[name]
            rate = held.meter if isinstance(held, Gate) else getattr(held, "rate", None)
            if rate is not None:
                raise InputError(
                    f"the limit {name!r} is a rate, which {chain[-1]} cannot hold: it is a block; "
                    "give a limit with max alone, or put the rate on the nodes in it"
                )

    def _ways(self, use: LimitUse, total: object) -> dict[tuple[Held, Held], Chain]:
        """How one comes to wait for the second while the first is held, with the chain of places."""
        ways = {(self._held[a], self._held[b]): chain for (a, b), chain in use.held.items()}
        for names, chain in use.together.items():
            taken = self._taken[names]
            for first, second in pairwise(taken.borrowed):
                ways.setdefault((first, second), chain)
            for first in taken.borrowed[-1:]:
                ways.update(((first, one), chain) for one in (*taken.shared, *taken.gates))
            for one in taken.shared:
                ways.update(((one, gate), chain) for gate in taken.gates)
        limiter: Borrowed | None = None
        if isinstance(total, trio.CapacityLimiter):
            limiter = room_here().borrowed("limiter=", total)
            for name, chain in use.tokens.items():
                ways.setdefault((self._held[name], limiter), chain)
        ways |= self._ways_from_around(use, limiter)
        return {
            pair: chain for pair, chain in ways.items() if pair[0].can_block and pair[1].can_block
        }

    def _ways_from_around(
        self, use: LimitUse, limiter: Borrowed | None
    ) -> dict[tuple[Held, Held], Chain]:
        """What this run may wait for while a node around it holds a limit, or a token of another run's limiter."""
        ways: dict[tuple[Held, Held], Chain] = {}
        outer: tuple[Held, ...] = around.get()
        others = limiters_around()
        here = Site("this run", "workflow", self._location)
        for held in (*outer, *others):
            for name, chain in use.needs.items():
                ways[held, self._held[name]] = (here, *chain)
        if limiter is not None:
            # A token of the limiter that a node around has one of is seen to when it has to be waited for.
            for held in (*outer, *(one for one in others if one is not limiter)):
                ways.setdefault((held, limiter), (here, *(use.leaf or ())))
        return ways

    def _check(self, ways: dict[tuple[Held, Held], Chain]) -> None:
        others = {edge for run in room_here().runs for edge in run.edges if run is not self}
        cycle = find_cycle([*ways, *(edge for edge in others if edge not in ways)])
        if cycle is None:
            return
        pairs = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        raise _endless([one.name for one in cycle], [ways.get(pair, ()) for pair in pairs])


def _endless(names: Sequence[str], chains: Sequence[Chain]) -> InputError:
    return InputError(
        f"nodes could wait for each other without end: {describe_cycle(names, chains)}"
    )


def _resolve(
    name: str,
    chain: Chain,
    use: LimitUse,
    declared: dict[str, Limit],
    given: Given,
    own: dict[trio.CapacityLimiter, Borrowed],
    shared: SharedLimits | None,
) -> Held:
    limit = given.get(name)
    if isinstance(limit, trio.CapacityLimiter):
        # One object for all runs here: what is held is recognised by it.
        borrowed = own.get(limit)
        if borrowed is None:
            borrowed = own[limit] = room_here().borrowed(name, limit)
        return borrowed
    if limit is None and name in use.declared:
        limit = declared.get(name)
        if limit is None:
            one = use.declared[name]
            limit = Limit(
                max=one.max,
                rate=one.rate,
                burst=None if one.rate is None else one.burst,
                breaker=one.breaker,
                name=name,
            )
            declared[name] = limit
    if limit is None:
        known = [*given, *use.declared]
        near = nearest(name, known)
        hint = "" if near is None else f"; did you mean {near!r}?"
        raise InputError(
            f"{chain[-1]} takes the limit {name!r}, which is neither declared nor given; expected "
            f'<limit name="{name}" …> in the document, or limits={{"{name}": …}} for the run{hint}'
        )
    if shared is not None and (limit.shared or name not in given):
        return shared.limit(name, limit, is_declared=name not in given)
    gate = limit.gate()
    if not limit.name:
        gate.name = name
    return gate


def check_given(limits: object) -> Given:
    """The limits that an application gives, checked; raises InputError."""
    if limits is None:
        return {}
    if not isinstance(limits, Mapping):
        raise InputError(f"limits is of type {type(limits).__name__}; expected limits by name")
    for name, limit in limits.items():
        if not isinstance(limit, Limit | trio.CapacityLimiter):
            raise InputError(
                f"the limit {name!r} is of type {type(limit).__name__}; expected a Limit or a "
                "trio.CapacityLimiter"
            )
    return limits


def check_not_shared(given: Given) -> None:
    """Raise InputError for a limit that a store keeps: the run has none."""
    for name, limit in given.items():
        if isinstance(limit, Limit) and limit.shared:
            raise InputError(
                f"the limit {name!r} is shared in a store, and the run has none; expected a run with store=…, "
                "or a limit without shared=True"
            )
