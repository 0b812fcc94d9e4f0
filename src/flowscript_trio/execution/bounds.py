"""Owns the one time limit: of a node, a block, a run, a checkpoint, a clean-up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeVar

import trio

from ..scheduler.signals import Failed
from .frame import Outcome
from .regions import Region

if TYPE_CHECKING:
    from .durable.timers import Timer

T = TypeVar("T")

CLEANUP_SECONDS = 10.0
"""What clean-up has, where nothing says how long it may take."""


class _Late(Enum):
    LATE = "late"


LATE: Literal[_Late.LATE] = _Late.LATE
"""What work comes to that has not ended before its deadline."""
Late = Literal[_Late.LATE]


async def bounded(
    seconds: float,
    around: Region | None,
    path: str,
    work: Callable[[Region], Awaitable[T]],
    *,
    shield: bool = False,
    timer: Timer | None = None,
) -> T | Late:
    """Do work within this many seconds; LATE where it has not ended before the deadline.

    One rule for all: what ends at the deadline or after it is too late, whether a cancellation reached it, or it
    was shielded from that, or held the thread. But an error of its own stays that error, and a cancellation from
    around passes on: even where a deadline around has passed as well, which takes precedence over this one.

    With a ``timer`` it is what that says is left of them: the limit was begun by an earlier process, perhaps.
    """
    if timer is not None:
        seconds = timer.seconds
    deadline = trio.current_time() + seconds
    with trio.CancelScope(deadline=deadline, shield=shield) as scope:
        if timer is not None and seconds <= 0:
            await trio.lowlevel.cancel_shielded_checkpoint()  # it looks at deadlines between passes
        region = Region(around, path, scope)
        done = await (work(region) if timer is None else timer.during(work(region)))
    now = trio.current_time()
    if not scope.cancelled_caught:
        signal = done.signal if isinstance(done, Outcome) else done
        in_time = now < deadline or isinstance(signal, Failed)
        if in_time or (timer is not None and timer.is_restored(path)):
            if timer is not None:
                # An error of its own may stand although the time has passed, and has cancelled what is inside.
                timer.end(late=isinstance(signal, Failed) and now >= deadline)
            return done
    if timer is not None:
        timer.end(late=True)
    if not shield and trio.current_effective_deadline() <= now:
        await trio.lowlevel.checkpoint()  # trio notices a deadline between two passes only
    return LATE


async def in_time(seconds: float, work: Callable[[], Awaitable[object]]) -> bool:
    """Do work that nothing around can cancel, within this many seconds; gives whether it ended in time."""

    async def in_region(_: Region) -> None:
        await work()

    return await bounded(seconds, None, "", in_region, shield=True) is not LATE


def took_too_long(what: str, seconds: float) -> trio.TooSlowError:
    """The error of what has not ended in time."""
    return trio.TooSlowError(f"{what} took longer than {seconds:g} s")
