"""Owns the state of one limit: what holds it, what waits for it, and whether another may pass."""

from __future__ import annotations

from math import inf
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

import trio

from ...types.limits import BreakerRule, Rate
from .breaker import Breaker
from .meter import Meter


class Edged(Protocol):
    """A run that has begun: which limits it may wait for while it holds which."""

    @property
    def edges(self) -> frozenset[tuple[Held, Held]]: ...


class Room:
    """What all limits of one call of ``trio.run`` have in common. ``gates`` are their states.

    ``passed_by`` are the wishes of those who hold something and wait only because others came first. ``runs`` are
    those that have begun and not ended.
    """

    __slots__ = ("__weakref__", "_borrowed", "gates", "number", "passed_by", "runs")

    def __init__(self) -> None:
        self.gates: WeakKeyDictionary[object, Gate] = WeakKeyDictionary()
        self._borrowed: WeakValueDictionary[int, Borrowed] = WeakValueDictionary()
        self.number: int = 0
        self.passed_by: dict[Wish, None] = {}
        self.runs: WeakSet[Edged] = WeakSet()

    def borrowed(self, name: str, limiter: trio.CapacityLimiter) -> Borrowed:
        """The one object that stands for a limiter of the application, while a run knows it."""
        found = self._borrowed.get(id(limiter))  # its limiter lives as long as it does
        if found is None:
            found = self._borrowed[id(limiter)] = Borrowed(name, limiter)
        return found


_rooms: WeakKeyDictionary[trio.lowlevel.TrioToken, Room] = WeakKeyDictionary()


def room_here() -> Room:
    """What the limits of this call of ``trio.run`` have in common; outside of one nothing runs, and nothing is."""
    try:
        token = trio.lowlevel.current_trio_token()
    except RuntimeError:
        return Room()
    room = _rooms.get(token)
    if room is None:
        room = _rooms[token] = Room()
    return room


class Held:
    """Something that can be held: a limit, or a limiter of the application.

    ``inside`` are the wishes of those who wait while they hold it.
    """

    __slots__ = ("__weakref__", "inside", "name")

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.inside: dict[Wish, None] = {}

    @property
    def can_block(self) -> bool:
        """Whether who holds it may keep others from going on."""
        raise NotImplementedError


class Gate(Held):
    """A limit in one call of ``trio.run``. ``queue`` are the wishes that wait for it, the first come first."""

    __slots__ = ("breaker", "max", "meter", "queue", "room", "taken")

    def __init__(
        self,
        name: str,
        max: float,
        rate: Rate | None,
        burst: int,
        breaker: BreakerRule | None,
        room: Room,
    ) -> None:
        super().__init__(name)
        self.max: float = max
        self.taken: int = 0
        self.meter: Meter | None = None if rate is None else Meter(rate, burst)
        self.breaker: Breaker | None = None if breaker is None else Breaker(breaker)
        self.queue: dict[Wish, None] = {}
        self.room: Room = room

    @property
    def can_block(self) -> bool:
        return self.max < inf

    @property
    def first(self) -> Wish | None:
        """The wish that has waited longest."""
        return next(iter(self.queue), None)


class Borrowed(Held):
    """A limiter that belongs to the application: its tokens are taken, and how is its own affair."""

    __slots__ = ("limiter",)

    def __init__(self, name: str, limiter: trio.CapacityLimiter) -> None:
        super().__init__(name)
        self.limiter: trio.CapacityLimiter = limiter

    @property
    def can_block(self) -> bool:
        return self.limiter.total_tokens < inf


class Shared(Held):
    """A limit that the store of a durable run keeps, under ``key``, for all its runs, wherever they run.

    Its circuit breaker is that of this process: ``breaker`` is a limit that is nothing else.
    """

    __slots__ = ("breaker", "burst", "key", "max", "rate")

    def __init__(
        self,
        name: str,
        key: str,
        max: float,
        rate: Rate | None,
        burst: int,
        breaker: Gate | None,
    ) -> None:
        super().__init__(name)
        self.key: str = key
        self.max: float = max
        self.rate: Rate | None = rate
        self.burst: int = burst
        self.breaker: Gate | None = breaker

    @property
    def can_block(self) -> bool:
        return self.max < inf


class Wish:
    """What someone waits for: all of ``needs`` or nothing, while it holds ``held``.

    ``gates`` are those of its needs that are limits of ours. ``scope`` is around its wait: its deadline is the
    time at which a rate lets it pass.
    """

    __slots__ = ("error", "event", "gates", "granted", "held", "needs", "number", "scope", "token")

    def __init__(
        self, needs: tuple[Held, ...], held: tuple[Held, ...], token: object, number: int
    ) -> None:
        self.needs: tuple[Held, ...] = needs
        self.gates: tuple[Gate, ...] = tuple(one for one in needs if isinstance(one, Gate))
        self.held: tuple[Held, ...] = held
        self.token: object = token
        self.number: int = number
        self.granted: bool = False
        self.error: Exception | None = None
        self.event: trio.Event = trio.Event()
        self.scope: trio.CancelScope = trio.CancelScope()
