"""Owns the limits that a store keeps for all its runs, as the runs of this process take them and give them back.

What waits here is asked for in one transaction, and again after a while: another process may have given back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from math import inf
from uuid import uuid4
from weakref import WeakKeyDictionary

import trio

from ...journal.sharing import Ask, Back, Need, Told
from ...journal.store import Store
from ...scheduler.limits.gate import Gate, Held, Shared, room_here
from ...scheduler.limits.limit import Limit
from ...types.storing import StoreFailed
from .recorder import Recorder

FIRST_LOOK, LAST_LOOK = 0.05, 0.5
"""Seconds after which a store is asked again what others have given back: at first, and in the end."""
PATIENCE = 30.0
"""Seconds for which a store may be out of reach before a run that waits for its limits is left."""
TRIES, PAUSE = 3, 1.0
"""How often it is tried to give something back, and seconds between; else it goes along with what is next."""
ANNOUNCED = "edges"
"""The token under which a run tells its edges; those under which it takes limits are numbers."""


class _Waiting:
    """One wish that waits: its scope ends when the store is to be asked again."""

    __slots__ = ("ask", "scope", "told")

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.told = Told(False, inf)
        self.scope = trio.CancelScope()


class Desk:
    """What all runs of one store in this ``trio.run`` ask it for. ``time`` is that of the wall clock now."""

    def __init__(self, store: Store, time: float) -> None:
        self.id: str = uuid4().hex
        self.tokens: Iterator[int] = count(1)
        self.limits: dict[str, Held] = {}
        self._store = store
        self._since = time - trio.current_time()
        self._waiting: dict[str, _Waiting] = {}
        self._back: list[Back] = []
        self._lock = trio.Lock()
        self._turns = 0

    async def take(
        self, ask: Ask, wait: Callable[[], None], lost: Callable[[StoreFailed], None]
    ) -> None:
        """Take all that is asked for, waiting for it; cancelled, none of it is taken.

        ``wait`` is called whenever it has to wait, ``lost`` where the store cannot be used for too long.
        """
        mine = self._waiting[ask.token] = _Waiting(ask)
        pause, reached = FIRST_LOOK, trio.current_time()
        try:
            while True:
                # Whoever has a turn meanwhile may move it, or end it.
                mine.scope = trio.CancelScope(deadline=trio.current_time() + pause)
                try:
                    await self._turn()
                except StoreFailed as exc:
                    if trio.current_time() - reached > PATIENCE:
                        lost(exc)
                        await trio.sleep_forever()
                else:
                    reached = trio.current_time()
                if mine.told.is_granted:
                    return
                wait()
                with mine.scope:
                    await trio.sleep_forever()
                if mine.told.is_granted:
                    return
                pause = min(2 * pause, LAST_LOOK)
        except BaseException:
            del self._waiting[ask.token]
            await self.give_back(Back(ask.number, ask.fence, ask.token))
            raise
        finally:
            self._waiting.pop(ask.token, None)

    async def announce(self, ask: Ask) -> tuple[str, ...]:
        """Tell the store the edges of a run; the limits on a cycle where they are refused. Raises StoreFailed."""
        [told] = await self._store.share([ask], [], self._since + trio.current_time())
        return told.cycle

    async def give_back(self, back: Back) -> None:
        """Give back what was taken or wished for. Cannot be cancelled."""
        self._back.append(back)
        with trio.CancelScope(shield=True):
            for _ in range(TRIES):
                with suppress(StoreFailed):
                    await self._turn()
                if back not in self._back:
                    return
                await trio.sleep(PAUSE)

    async def _turn(self) -> None:
        """One transaction for all that is to be asked and given back; whoever asks meanwhile shares the next."""
        seen = self._turns
        async with self._lock:
            if self._turns == seen:
                self._turns += 1
                await self._ask()

    async def _ask(self) -> None:
        waiting = [each for each in self._waiting.values() if not each.told.is_granted]
        back, self._back = self._back, []
        try:
            now = self._since + trio.current_time()
            told = await self._store.share([each.ask for each in waiting], back, now)
        except BaseException:
            self._back = [*back, *self._back]
            raise
        for each, answer in zip(waiting, told, strict=True):
            each.told = answer
            at = -inf if answer.is_granted else trio.current_time() + answer.seconds
            each.scope.deadline = min(each.scope.deadline, at)


_desks: trio.lowlevel.RunVar[WeakKeyDictionary[Store, Desk]] = trio.lowlevel.RunVar(
    "flowscript_trio.desks"
)


def _desk_of(store: Store, time: float) -> Desk:
    try:
        desks = _desks.get()
    except LookupError:
        desks = WeakKeyDictionary()
        _desks.set(desks)
    desk = desks.get(store)
    if desk is None:
        desk = desks[store] = Desk(store, time)
    return desk


class SharedLimits:
    """The limits of one durable run that its store keeps, for all its runs.

    ``is_mixed``: the run may wait for limits, too, that the store does not know of.
    """

    def __init__(
        self, store: Store, owner: tuple[int, int], workflow: str, recorder: Recorder
    ) -> None:
        self.is_mixed: bool = False
        self._desk = _desk_of(store, recorder.clock.time)
        self._owner = owner
        self._workflow = workflow
        self._recorder = recorder

    def limit(self, name: str, limit: Limit, is_declared: bool) -> Held:
        """What a limit is here: one that documents declare is that of all runs of workflows of this name; one that
        the application gives is that of all runs that are given one of that name.
        """
        key = f"{self._workflow}/{name}" if is_declared else f"/{limit.name or name}"
        known = self._desk.limits.get(key)
        if known is None or not _is_like(known, limit):
            known = self._desk.limits[key] = _held_of(name, key, limit)
        return known

    async def announce(self, edges: Iterable[tuple[Held, Held]]) -> list[tuple[str, Held | None]]:
        """Tell the store which limits the run may wait for while it holds which, for as long as it is owned.

        ``edges`` are pairs (held, needed). Where there is a cycle with what other runs of the store have told,
        nothing is told, and the limits on it are given with their names. A cancellation waits for the store.
        """
        known = {self._key_of(one): one for edge in edges for one in edge}
        told = tuple((self._key_of(held), self._key_of(needed)) for held, needed in edges)
        cycle = await self._desk.announce(Ask(*self._owner, ANNOUNCED, (), (), False, told))
        return [
            (known[key].name if key in known else key.rpartition("/")[2], known.get(key))
            for key in cycle
        ]

    def _key_of(self, one: Held) -> str:
        """What the store knows it by: one that it does not keep is that of this ``trio.run`` alone."""
        return one.key if isinstance(one, Shared) else f"{self._desk.id} {id(one)}"

    async def take(
        self, limits: tuple[Shared, ...], held: tuple[Held, ...], wait: Callable[[], None]
    ) -> str:
        """Take all of the limits or none, waiting for them; gives the token to give them back with.

        ``wait`` is called where that is not at once. Cancelled, it has taken none of them.
        """
        number, fence = self._owner
        token = str(next(self._desk.tokens))
        outer = tuple(one.key for one in held if isinstance(one, Shared))
        ask = Ask(
            number,
            fence,
            token,
            tuple(Need(one.key, one.max, one.rate, one.burst) for one in limits),
            outer,
            self.is_mixed or len(outer) < len(held),
        )
        await self._desk.take(ask, wait, self._recorder.leaving.leave)
        return token

    async def give_back(self, token: str) -> None:
        """Give back what was taken under a token. Cannot be cancelled."""
        await self._desk.give_back(Back(*self._owner, token))


def _held_of(name: str, key: str, limit: Limit) -> Held:
    breaker = None
    if limit.breaker is not None:
        breaker = Gate(name, inf, None, 1, limit.breaker, room_here())
        if limit.max == inf and limit.rate is None:
            return breaker  # the store has nothing to count
    return Shared(name, key, limit.max, limit.rate, limit.burst, breaker)


def _is_like(held: Held, limit: Limit) -> bool:
    """Whether it allows what the limit allows: another version of a document may say something else."""
    if isinstance(held, Shared):
        return (held.max, held.rate, held.burst) == (limit.max, limit.rate, limit.burst) and (
            held.breaker is None
        ) == (limit.breaker is None)
    return limit.max == inf and limit.rate is None
