"""Owns how an attempt of a node takes the limits that it names, and gives them back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ..scheduler.limits.queue import (
    around,
    borrow,
    check_circuits,
    enter,
    held_here,
    leave,
    take_nowait,
    waiting_inside,
)
from ..scheduler.signals import Failed
from ..types.events import TokenAwaited, TokenTaken
from .frame import Attempt, Outcome
from .named_limits import Taken
from .walk import Walk


@dataclass(frozen=True, slots=True)
class Got:
    """What was taken beside limits of ours: this many limiters of the application, and a token of the store."""

    borrowed: int = 0
    shared: str | None = None


NOTHING = Got()

Wait = Callable[[Walk, Attempt, Taken, object], Awaitable[Got]]
"""Takes limits that are not free at once; gives what was taken: all of them."""


async def wait_for(walk: Walk, attempt: Attempt, taken: Taken, token: object) -> Got:
    """Take what is not free at once; gives what was taken: all of it."""
    run, held = walk.run, held_here()
    told = False

    def tell(kind: type[TokenAwaited] | type[TokenTaken]) -> None:
        run.notify(
            kind(
                time=trio.current_time(),
                path=attempt.path,
                execution=run.numbers.of(attempt.path),
                node=attempt.step.node,
                limits=taken.names,
            )
        )

    def waits() -> None:
        """The store has to be waited for, and is asked again: a circuit may have opened since."""
        nonlocal told
        check_circuits(taken.gates)
        if run.observers and not told:
            told = True
            tell(TokenAwaited)

    got = NOTHING
    try:
        for number, one in enumerate(taken.borrowed, 1):
            if run.observers and not told and one.limiter.available_tokens < 1:
                told = True
                tell(TokenAwaited)
            await borrow(one, held, token)
            got = Got(number)
            if one.can_block:
                held = (*held, one)
        if taken.shared:
            assert run.limits is not None
            assert run.limits.shared is not None
            check_circuits(taken.gates)
            with waiting_inside(taken.shared, held, token):
                got = Got(got.borrowed, await run.limits.shared.take(taken.shared, held, waits))
            held = (*held, *(one for one in taken.shared if one.can_block))
        is_first = not taken.borrowed and not taken.shared
        if taken.gates and (is_first or not take_nowait(taken.gates, token)):
            if run.observers and not told:
                told = True
                tell(TokenAwaited)
            await enter(taken.gates, held, token)
    except BaseException:
        await _give_back(walk, taken, got, token)
        raise
    try:
        if told:
            tell(TokenTaken)
        await checkpoint_if_cancelled()  # it may have been while they were taken
    except BaseException:
        leave(taken.gates, token, None)
        await _give_back(walk, taken, got, token)
        raise
    return got


async def _give_back(walk: Walk, taken: Taken, got: Got, token: object) -> None:
    """Give back what was taken beside limits of ours. Cannot be cancelled."""
    for one in taken.borrowed[: got.borrowed]:
        one.limiter.release_on_behalf_of(token)
    if got.shared is not None:
        assert walk.run.limits is not None
        assert walk.run.limits.shared is not None
        await walk.run.limits.shared.give_back(got.shared)


def with_limits(
    walk: Walk,
    attempt: Attempt,
    work: Callable[[Walk, Attempt], Awaitable[Outcome]],
    wait: Wait = wait_for,
) -> Awaitable[Outcome]:
    """One attempt of a node while it has the limits that it names; they are given back once it has unwound.

    A cancellation ends the wait for them, and then nothing is taken. Raises CircuitOpen.
    """
    limits = walk.run.limits
    assert limits is not None
    return _hold(walk, attempt, limits.taken_by(attempt.step.limits), work, wait)


async def _hold(
    walk: Walk,
    attempt: Attempt,
    taken: Taken,
    work: Callable[[Walk, Attempt], Awaitable[Outcome]],
    wait: Wait,
) -> Outcome:
    token = object()
    failed: bool | None = None
    got = NOTHING
    if taken.borrowed or taken.shared or not take_nowait(taken.gates, token):
        got = await wait(walk, attempt, taken, token)
    try:
        if taken.held and not attempt.step.is_plain_leaf:
            outer = around.get()
            reset = around.set((*outer, *taken.held) if outer else taken.held)
            try:
                outcome = await work(walk, attempt)
            finally:
                around.reset(reset)
        else:
            outcome = await work(walk, attempt)
        failed = outcome.signal.__class__ is Failed
        return outcome
    except Exception:
        failed = True
        raise
    finally:
        leave(taken.gates, token, failed)
        if got is not NOTHING:
            await _give_back(walk, taken, got, token)
