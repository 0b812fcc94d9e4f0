"""Owns what a durable run works on beside trio's thread: what it is given, a long journal, what is large in it.

What is small is done at once, and all of it is where the store takes no time: that may live in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

from ...runtimes.collector import FullCollections

T = TypeVar("T")


async def beside(
    what: Callable[[], T], is_large: bool, is_inline: bool, is_much: bool = False
) -> T:
    """What a call gives that is made in a thread where it takes long; a cancellation waits for it then.

    ``is_much``: it makes very many objects, and full collections of garbage wait until it has.
    """
    if is_inline or not is_large:
        return what()
    with FullCollections() as collections:
        if is_much:
            collections.hold_off()
        return await trio.to_thread.run_sync(what)
