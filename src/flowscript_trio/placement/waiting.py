"""Owns the wait for what goes on outside of trio: a cancellation is delivered to it, and its end is waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import outcome
import trio

T = TypeVar("T")

Done = Callable[["outcome.Outcome[Any]"], None]
"""Is called from any thread, once, when the work has ended."""


class Outlived:
    """Stands for the reply of a node that did not answer its cancellation in time."""

    def __init__(self, worker: str) -> None:
        self.worker: str = worker


async def wait_for(begin: Callable[[Done], Callable[[], None]]) -> Any:
    """Begin some work, and wait for its end however it comes.

    Args:
        begin: begins the work, and gives a function that asks it to end early; both are called in trio's thread.

    Returns:
        what the work came to; raises its error. A cancellation asks the work to end and does not end the wait:
        what the work then comes to is returned, and the caller looks for the cancellation.
    """
    await trio.lowlevel.checkpoint_if_cancelled()
    task = trio.lowlevel.current_task()
    token = trio.lowlevel.current_trio_token()

    def done(result: outcome.Outcome[Any]) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(trio.lowlevel.reschedule, task, result)

    ask_to_end = begin(done)

    def abort(_: Any) -> trio.lowlevel.Abort:
        ask_to_end()
        return trio.lowlevel.Abort.FAILED

    return await trio.lowlevel.wait_task_rescheduled(abort)
