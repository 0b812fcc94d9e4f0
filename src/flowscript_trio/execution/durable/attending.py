"""Owns what goes on beside the walk of a durable run: its inbox is read; it is left where it is lost or idle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from trio.lowlevel import current_task, enable_ki_protection

from ...scheduler.raised import first_of
from ..failures import raise_untouched
from .recorder import Recorder
from .suspending import suspend_when_idle

Cancel = Callable[[str], None]
"""Cancels the run, for a reason."""


async def attended(recorder: Recorder, walk: Callable[[], Awaitable[None]], cancel: Cancel) -> None:
    """Walk a durable run, and hear meanwhile what others want of it.

    What the walk raises is raised, as it is. Cancellation from outside passes through once the walk has ended.
    """
    raised: BaseException | None = None
    walker = current_task()
    # Shielded: clean-up may ask as well, whatever is cancelled around.
    listening = trio.CancelScope(shield=True)
    try:
        async with trio.open_nursery() as nursery:
            outer = len(walker.child_nurseries)
            nursery.start_soon(_listen, recorder, cancel, listening)
            if recorder.suspend_after is not None:
                nursery.start_soon(
                    suspend_when_idle, recorder, walker, outer, recorder.suspend_after
                )
            try:
                await walk()
            except trio.Cancelled:
                raise
            except BaseException as exc:
                raised = exc  # a nursery would put it into a group
            finally:
                listening.cancel("the run has ended")
                nursery.cancel_scope.cancel("the run has ended")
        if raised is not None:
            raise_untouched(raised)
    except BaseExceptionGroup as exc:
        raise first_of(exc) from None
    finally:
        del raised  # its traceback has this frame


@enable_ki_protection
async def _listen(recorder: Recorder, cancel: Cancel, listening: trio.CancelScope) -> None:
    with listening:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(recorder.inbox.listen, cancel)
            nursery.start_soon(recorder.leave_if_lost)
