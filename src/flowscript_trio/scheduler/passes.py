"""Owns the number of the scheduler's pass: which batch of runnable tasks trio is running now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

# One counter serves all runs under one trio.run; the second value counts its users.
_shared: trio.lowlevel.RunVar[tuple[PassCounter, int] | None] = trio.lowlevel.RunVar(
    "flowscript_trio.passes", None
)


class PassCounter(trio.abc.Instrument):
    """``now`` is the number of the pass that runs. Trio waits for I/O exactly once before each pass."""

    def __init__(self) -> None:
        self.now: int = 0

    def before_io_wait(self, timeout: float) -> None:
        self.now += 1


@contextmanager
def counting_passes() -> Iterator[PassCounter]:
    """The pass counter of this ``trio.run``, installed while anyone uses it."""
    shared = _shared.get()
    if shared is None:
        counter, users = PassCounter(), 0
        trio.lowlevel.add_instrument(counter)
    else:
        counter, users = shared
    _shared.set((counter, users + 1))
    try:
        yield counter
    finally:
        current = _shared.get()
        assert current is not None
        if current[1] == 1:
            trio.lowlevel.remove_instrument(counter)
            _shared.set(None)
        else:
            _shared.set((counter, current[1] - 1))
