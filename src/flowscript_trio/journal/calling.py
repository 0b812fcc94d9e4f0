"""Owns how a store is called from trio: in a thread, but for a store that takes no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

from .backend import Backend

T = TypeVar("T")


async def call(backend: Backend, what: Callable[[], T]) -> T:
    """What a blocking call of a store gives. A checkpoint; a cancellation waits for a call that has begun."""
    if backend.inline:
        await trio.lowlevel.checkpoint()
        return what()
    return await trio.to_thread.run_sync(what)
