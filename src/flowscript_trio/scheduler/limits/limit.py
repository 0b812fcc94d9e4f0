"""Owns a limit as an application makes it: how many at once, how often, and when nothing may be tried."""

from __future__ import annotations

from math import inf
from types import TracebackType

import trio

from ...types.exceptions import is_a
from ...types.limits import BreakerRule, Rate, parse_breaker, parse_count, parse_rate
from .gate import Gate, room_here
from .queue import enter, entered, held_here, leave


class Limit:
    """A limit that is shared: by nodes, by runs, and by the application's own code with ``async with limit:``.

    Args:
        max: how many hold it at once, a whole number of at least 1; None: as many as like.
        rate: how often it may be passed: a text such as ``"100/s"``, or a :class:`Rate`; None: as often as one
            likes. At no time have more than ``burst`` + rate × time passed.
        burst: how many may pass at once after a time in which none did; 1 unless given.
        breaker: a text such as ``"5 in 1m, 30s"``: after five failures within a minute whatever needs the limit
            fails at once with :class:`CircuitOpen`, for 30 seconds; then one is tried.
        name: what it is called in messages; a run calls it by the name that it was given under.
        shared: it is kept in the store of the durable runs that take it, under its ``name`` (or the name that it
            was given under), and holds over all runs of the store that are given one of that name, on all
            machines. Only durable runs can take it. Its circuit breaker is that of each process.

    Raises ValueError for values that mean nothing, and where neither ``max``, ``rate`` nor ``breaker`` is given.

    Whoever comes first is served first. ``async with`` waits until the limit is free, which a cancellation ends;
    it raises CircuitOpen where the breaker is open. It counts again in each ``trio.run``.
    """

    def __init__(
        self,
        *,
        max: int | None = None,
        rate: str | Rate | None = None,
        burst: int | None = None,
        breaker: str | BreakerRule | None = None,
        name: str = "",
        shared: bool = False,
    ) -> None:
        if max is None and rate is None and breaker is None:
            raise ValueError("a limit limits something; expected max, rate or breaker")
        if burst is not None and rate is None:
            raise ValueError("burst goes only with rate; expected a rate beside it")
        self.name: str = name
        self.shared: bool = shared
        self.max: float = inf if max is None else parse_count(max, "max")
        self.rate: Rate | None = None if rate is None else parse_rate(rate)
        self.burst: int = 1 if burst is None else parse_count(burst, "burst")
        self.breaker: BreakerRule | None = None if breaker is None else parse_breaker(breaker)
        self._entered: dict[trio.lowlevel.Task, list[tuple[object, object]]] = {}

    @property
    def taken(self) -> int:
        """How many hold it now."""
        return self.gate().taken

    @property
    def waiting(self) -> int:
        """How many wait for it now."""
        return len(self.gate().queue)

    def gate(self) -> Gate:
        """The state of the limit in this call of ``trio.run``."""
        room = room_here()
        gate = room.gates.get(self)
        if gate is None:
            gate = Gate(self.name or "limit", self.max, self.rate, self.burst, self.breaker, room)
            room.gates[self] = gate
        return gate

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> None:
        if self.shared:
            raise RuntimeError(
                f"the limit {self.name!r} is shared in the store of durable runs, and only they can take it; "
                "expected a limit without shared=True"
            )
        await trio.lowlevel.checkpoint_if_cancelled()
        gate, token = self.gate(), object()
        await enter((gate,), held_here(), token)
        reset = entered.set((*entered.get(), gate) if gate.can_block else entered.get())
        self._entered.setdefault(trio.lowlevel.current_task(), []).append((token, reset))
        await trio.lowlevel.cancel_shielded_checkpoint()

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task = trio.lowlevel.current_task()
        token, reset = self._entered[task].pop()
        if not self._entered[task]:
            del self._entered[task]
        entered.reset(reset)  # type: ignore[arg-type]
        failed = None if error is not None and not is_a(error, Exception) else error is not None
        leave((self.gate(),), token, failed)

    def __repr__(self) -> str:
        said = [f"max={self.max:g}"] if self.max != inf else []
        said += [f"rate={str(self.rate)!r}", f"burst={self.burst}"] if self.rate else []
        said += [f"breaker={str(self.breaker)!r}"] if self.breaker else []
        return f"Limit({', '.join(said)})"
