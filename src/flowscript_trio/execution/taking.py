"""Owns how an attempt of a node takes the limits that it names, and gives them back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ..scheduler.limits.queue import around, borrow, enter, held_here, leave, take_nowait
from ..scheduler.signals import Failed
from ..types.events import TokenAwaited, TokenTaken
from .frame import Attempt, Outcome
from .named_limits import Taken
from .walk import Walk

Wait = Callable[[Walk, Attempt, Taken, object], Awaitable[int]]
"""Takes limits that are not free at once; gives how many limiters of the application were taken: all of them."""


async def wait_for(walk: Walk, attempt: Attempt, taken: Taken, token: object) -> int:
    """Take what is not free at once; gives how many limiters of the application were taken: all of them."""
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

    borrowed = 0
    try:
        for one in taken.borrowed:
            if run.observers and not told and one.limiter.available_tokens < 1:
                told = True
                tell(TokenAwaited)
            await borrow(one, held, token)
            borrowed += 1
            if one.can_block:
                held = (*held, one)
        if taken.gates and not (taken.borrowed and take_nowait(taken.gates, token)):
            if run.observers and not told:
                told = True
                tell(TokenAwaited)
            await enter(taken.gates, held, token)
    except BaseException:
        for one in taken.borrowed[:borrowed]:
            one.limiter.release_on_behalf_of(token)
        raise
    try:
        if told:
            tell(TokenTaken)
        await checkpoint_if_cancelled()  # it may have been while they were taken
    except BaseException:
        leave(taken.gates, token, None)
        for one in taken.borrowed:
            one.limiter.release_on_behalf_of(token)
        raise
    return borrowed


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
    borrowed = 0
    if taken.borrowed or not take_nowait(taken.gates, token):
        borrowed = await wait(walk, attempt, taken, token)
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
        if borrowed:
            for one in taken.borrowed[:borrowed]:
                one.limiter.release_on_behalf_of(token)
