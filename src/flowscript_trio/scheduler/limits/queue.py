"""Owns the taking of limits: all or none, first come first served, and never a wait for one another without end.

A wish waits for every earlier one that needs a limit of its own, even where that is free: so a large wish does
not starve. That alone could lock up: whoever holds A waits behind someone who waits for A. So a wish goes past the
earlier ones where one of them may be waiting, however indirectly, for something that its own side holds. What
is held is only ever waited for along edges "held → needed inside", which have no cycle: that is checked before.
"""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from math import inf

import trio

from ...types.limits import CircuitOpen
from ...types.passing import passing
from .gate import Borrowed, Gate, Held, Shared, Wish, room_here

around: ContextVar[tuple[Held, ...]] = ContextVar("flowscript_trio.held_limits", default=())
"""The limits that nodes around the code that runs hold, the outermost first."""

Tokens = list[tuple[trio.CapacityLimiter, object]]
"""Tokens that somebody holds, each with its limiter."""

tokens: ContextVar[tuple[Tokens, ...]] = ContextVar("flowscript_trio.held_tokens", default=())
"""The tokens of ``limiter=`` that those hold who wait for the code that runs, the outermost first.

More may be added to a list, and a token may have been given back since.
"""

entered: ContextVar[tuple[Held, ...]] = ContextVar("flowscript_trio.entered_limits", default=())
"""Those that the application's own code has entered; a task beside it may have inherited that."""


def tokens_here() -> Tokens:
    """The tokens that nodes around the code that runs hold, or have held."""
    return [each for held in tokens.get() for each in held]


def limiters_around() -> tuple[Borrowed, ...]:
    """The limiters of runs of which nodes around the code that runs hold a token."""
    return tuple(
        room_here().borrowed("limiter=", limiter)
        for limiter, token in tokens_here()
        if token in limiter.statistics().borrowers
    )


def held_here() -> tuple[Held, ...]:
    """What is held around the code that runs."""
    own, taken = entered.get(), tokens.get()
    if not own and not taken:
        return around.get()
    return (*around.get(), *limiters_around(), *own)


def take_nowait(gates: tuple[Gate, ...], token: object) -> bool:
    """Take all of the limits where nobody waits and all are free; whether it did.

    Raises CircuitOpen where a circuit breaker is open.
    """
    free = True
    for gate in gates:
        if gate.queue or gate.taken >= gate.max:
            free = False
        if gate.breaker is not None and (left := gate.breaker.seconds_left(trio.current_time())):
            raise CircuitOpen(gate.name, left)
        if gate.meter is not None and gate.meter.ready_at() > trio.current_time():
            free = False
    if free:
        _take(gates, token)
    return free


def check_circuits(gates: tuple[Gate, ...]) -> None:
    """Raise CircuitOpen where a circuit breaker of one of the limits is open."""
    for gate in gates:
        if gate.breaker is not None and (left := gate.breaker.seconds_left(trio.current_time())):
            raise CircuitOpen(gate.name, left)


async def enter(gates: tuple[Gate, ...], held: tuple[Held, ...], token: object) -> None:
    """Take all of the limits, for ``token``, waiting for them; cancelled, it has taken none of them.

    Raises CircuitOpen where a circuit breaker is open, or opens while it waits.
    """
    if take_nowait(gates, token):
        return
    room = gates[0].room
    room.number += 1
    wish = Wish(gates, held, token, room.number)
    for gate in gates:
        gate.queue[wish] = None
    _begin_to_wait(wish, room.passed_by)
    _serve(wish)
    try:
        while not wish.granted:
            with wish.scope:
                await wish.event.wait()
            if wish.error is not None:
                raise wish.error
            if not wish.granted and wish.scope.cancelled_caught:
                wish.scope = trio.CancelScope()
                _serve(wish)
    except BaseException:
        if wish.granted:
            leave(gates, token, None)
        else:
            _stop_waiting(wish)
            _go_on(gates)
        raise


async def borrow(borrowed: Borrowed, held: tuple[Held, ...], token: object) -> None:
    """Take a token of an application's limiter, waiting for one; cancelled, it has taken none."""
    try:
        borrowed.limiter.acquire_on_behalf_of_nowait(token)
    except trio.WouldBlock:
        with waiting_inside((borrowed,), held, token):
            await borrowed.limiter.acquire_on_behalf_of(token)


@passing
def waiting_inside(
    needs: tuple[Held, ...], held: tuple[Held, ...], token: object
) -> Generator[None, None, None]:
    """Let it be known that the block waits for something else than our limits while ``held`` is held."""
    wish = Wish(needs, held, token, 0)
    for one in held:
        one.inside[wish] = None
    for gate in held:
        if isinstance(gate, Gate):
            _retry_passed_by(gate.room.passed_by)
            break
    try:
        yield
    finally:
        for one in held:
            one.inside.pop(wish, None)


def leave(gates: tuple[Gate, ...], token: object, failed: bool | None) -> None:
    """Give the limits back, and say what came of it: whether it failed, None where it was cancelled."""
    for gate in gates:
        gate.taken -= 1
        if gate.breaker is not None:
            now = trio.current_time()
            if gate.breaker.leave(token, failed, now):
                _refuse_all(gate, now)
    for gate in gates:
        if gate.queue:
            _go_on(gates)
            break


def _take(gates: tuple[Gate, ...], token: object) -> None:
    for gate in gates:
        gate.taken += 1
        if gate.meter is not None:
            gate.meter.count(trio.current_time())
        if gate.breaker is not None:
            gate.breaker.enter(token)


def _refuse_all(gate: Gate, now: float) -> None:
    """The circuit has opened: whoever waits for it fails at once."""
    assert gate.breaker is not None
    left = gate.breaker.seconds_left(now)
    for wish in list(gate.queue):
        _refuse(wish, CircuitOpen(gate.name, left))


def _refuse(wish: Wish, error: Exception) -> None:
    _stop_waiting(wish)
    wish.error = error
    wish.event.set()


def _begin_to_wait(wish: Wish, passed_by: dict[Wish, None]) -> None:
    for one in wish.held:
        one.inside[wish] = None
    if wish.held:
        _retry_passed_by(passed_by)  # they may go past those who wait for what this one holds


def _retry_passed_by(passed_by: dict[Wish, None]) -> None:
    for other in list(passed_by):
        if other in passed_by:
            _serve(other)


def _stop_waiting(wish: Wish) -> None:
    for gate in wish.gates:
        gate.queue.pop(wish, None)
        gate.room.passed_by.pop(wish, None)
    for one in wish.held:
        one.inside.pop(wish, None)


def _serve(wish: Wish) -> None:
    """Serve a wish if it may be, and then whoever may go on after it."""
    if _try(wish):
        _go_on(wish.gates)


def _go_on(gates: tuple[Gate, ...]) -> None:
    """Serve whoever may go on after a change of these limits."""
    pending = list(gates)
    while pending:
        gate = pending.pop()
        while (first := gate.first) is not None and _try(first):
            pending += [other for other in first.gates if other is not gate]
        if gate.queue and gate.taken < gate.max:
            for wish in [wish for wish in gate.queue if wish.held and wish is not first]:
                if wish in gate.queue and _try(wish):
                    pending += wish.gates


def _try(wish: Wish) -> bool:
    """Give a wish what it waits for, if it may have it now; whether it was served, be it by a refusal."""
    now = trio.current_time()
    for gate in wish.gates:
        if gate.breaker is not None and (left := gate.breaker.seconds_left(now)):
            _refuse(wish, CircuitOpen(gate.name, left))
            return True
    at = -inf
    for gate in wish.gates:
        if gate.taken >= gate.max:
            at = inf
            break
        if gate.meter is not None:
            at = max(at, gate.meter.ready_at())
    passed_by = wish.gates[0].room.passed_by
    passed_by.pop(wish, None)
    if at < inf and not _is_its_turn(wish):
        if wish.held:
            passed_by[wish] = None
        at = inf
    if at > now:
        wish.scope.deadline = at
        return False
    _stop_waiting(wish)
    _take(wish.gates, wish.token)
    wish.granted = True
    wish.event.set()
    return True


def _is_its_turn(wish: Wish) -> bool:
    """Whether nobody who came before it needs one of its limits, or it has to go past them."""
    if all(gate.first is wish for gate in wish.gates):
        return True
    return bool(wish.held) and _is_awaited(wish)


def _is_awaited(wish: Wish) -> bool:
    """Whether one of those who came before may be waiting for what this one's side holds.

    What they wait for is what they need, and what is needed by those who hold that and wait themselves.
    """
    reached: set[Held] = set()
    gates = list(wish.gates)
    seen: set[Wish] = set()
    while gates:  # those who came before, and those before them
        for other in gates.pop().queue:
            if other.number >= wish.number:
                break
            if other not in seen:
                seen.add(other)
                reached.update(other.needs)
                gates += other.gates
    pending = list(reached)
    while pending:
        for inner in pending.pop().inside:
            for one in inner.needs:
                if one not in reached:
                    reached.add(one)
                    pending.append(one)
    if not reached.isdisjoint(wish.held):
        return True
    # What other processes hold, and wait for, is not seen here.
    return any(isinstance(one, Shared) for one in reached) and any(
        isinstance(one, Shared) for one in wish.held
    )
