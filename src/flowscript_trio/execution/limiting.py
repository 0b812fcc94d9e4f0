"""Owns the tokens of a run's limiter, and the deadlock that a run inside a node of another could make of them."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import Context
from weakref import WeakKeyDictionary

import trio

from ..scheduler.limits.gate import room_here
from ..scheduler.limits.queue import held_here, tokens, waiting_inside
from ..types.errors import FlowScriptError


class LimiterExhausted(FlowScriptError):
    """A run inside a node waits for a token of a limiter whose tokens are all held by such nodes.

    None of them could ever go on. It is an error of the node that asked for the token; a node that is cancelled
    while it waits for one gets none and no such error.
    """


_stuck: WeakKeyDictionary[trio.CapacityLimiter, list[object]] = WeakKeyDictionary()
"""Of each limiter the tokens whose holders wait for another one of it; as often as they do."""


def hold(context: Context, limiter: trio.CapacityLimiter, token: object) -> None:
    """Let what runs in a context know that a node around it holds a token."""
    context.run(lambda: tokens.set((*tokens.get(), (limiter, token))))


async def take_token(limiter: trio.CapacityLimiter, token: object) -> None:
    """Take a token of the run's limiter, waiting for one; raises LimiterExhausted where that would be for ever."""
    if limiter.available_tokens >= 1:
        await limiter.acquire_on_behalf_of(token)
        return
    around = [held for held_of, held in tokens.get() if held_of is limiter]
    held = held_here()
    needs = (room_here().borrowed("limiter=", limiter),) if held else ()
    with waiting_inside(needs, held, token) if held else nullcontext():
        if around:
            await _take_inside(limiter, token, around)
        else:
            await limiter.acquire_on_behalf_of(token)


async def _take_inside(limiter: trio.CapacityLimiter, token: object, around: list[object]) -> None:
    stuck = _stuck.setdefault(limiter, [])
    stuck += around
    try:
        if len({id(held) for held in stuck}) >= limiter.total_tokens:
            raise LimiterExhausted(
                f"all {limiter.total_tokens:g} tokens of the limiter are held by nodes that wait for a run inside "
                "them, and that run needs another one: give it a limiter of its own, or none (the node around "
                "holds a token for it already)"
            )
        await limiter.acquire_on_behalf_of(token)
    finally:
        for held in around:
            stuck.remove(held)
