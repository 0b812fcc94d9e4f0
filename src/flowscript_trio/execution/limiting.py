"""Owns the tokens of a run's limiter, and the deadlock that a run inside a node of another could make of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from contextvars import Context
from weakref import WeakKeyDictionary

import trio

from ..scheduler.limits.gate import room_here
from ..scheduler.limits.queue import Tokens, held_here, tokens, tokens_here, waiting_inside
from ..types.errors import FlowScriptError
from ..types.passing import passing


class LimiterExhausted(FlowScriptError):
    """A run inside a node waits for a token of a limiter whose tokens are all held by such nodes.

    None of them could ever go on. It is an error of the node that asked for the token; a node that is cancelled
    while it waits for one gets none and no such error.
    """


_waiting: WeakKeyDictionary[trio.CapacityLimiter, list[tuple[Tokens, ...]]] = WeakKeyDictionary()
"""Of each limiter what is held around those that wait for another token of it."""


def hold(context: Context, limiter: trio.CapacityLimiter, token: object) -> None:
    """Let what runs in a context know that a node around it holds a token."""
    context.run(lambda: tokens.set((*tokens.get(), [(limiter, token)])))


def hold_together(context: Context, held: Tokens) -> None:
    """Let what runs in a context know that whoever waits for it holds these tokens: more may be added."""
    context.run(tokens.set, (held,))


@passing
def waiting_with(held: Tokens) -> Generator[None, None, None]:
    """In this block the nodes around wait for what runs while ``held`` is, and add their tokens to those.

    Raises LimiterExhausted where that in turn waits for one of theirs.
    """
    own = tokens_here()
    held += own
    try:
        for limiter in {id(each): each for each, _ in own}.values():
            _check(limiter)
        yield
    finally:
        for each in own:
            held.remove(each)


async def take_token(limiter: trio.CapacityLimiter, token: object) -> None:
    """Take a token of the run's limiter, waiting for one; raises LimiterExhausted where that would be for ever."""
    if limiter.available_tokens >= 1:
        await limiter.acquire_on_behalf_of(token)
        return
    held = held_here()
    needs = (room_here().borrowed("limiter=", limiter),) if held else ()
    with waiting_inside(needs, held, token) if held else nullcontext():
        if around := tokens.get():
            await _take_inside(limiter, token, around)
        else:
            await limiter.acquire_on_behalf_of(token)


async def _take_inside(
    limiter: trio.CapacityLimiter, token: object, around: tuple[Tokens, ...]
) -> None:
    waiting = _waiting.setdefault(limiter, [])
    waiting.append(around)
    try:
        _check(limiter)
        await limiter.acquire_on_behalf_of(token)
    finally:
        waiting.remove(around)


def _check(limiter: trio.CapacityLimiter) -> None:
    """Raise LimiterExhausted where all that hold tokens of a limiter wait for another one of it.

    What was held when a task was started may have been given back since: only what is out counts.
    """
    waiting = _waiting.get(limiter)
    if not waiting or limiter.available_tokens >= 1:
        return
    of_waiting = {id(token) for around in waiting for held in around for _, token in held}
    stuck = sum(id(borrower) in of_waiting for borrower in limiter.statistics().borrowers)
    if stuck >= limiter.total_tokens:
        raise LimiterExhausted(
            f"all {limiter.total_tokens:g} tokens of the limiter are held by nodes that wait for a run inside "
            "them, and that run needs another one: give it a limiter of its own, or none (the node around "
            "holds a token for it already)"
        )
