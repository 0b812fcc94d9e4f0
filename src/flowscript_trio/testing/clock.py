"""Owns the time of a case: virtual, still while a thread or a socket is waited for, and known when it ends.

Trio's own ``autojump_threshold`` knows no threads: a clock that jumps while a file is being read lets timeouts
pass which in truth are far away. So the jumps are made here: when every task is blocked, no thread works and no
socket is waited for, the clock jumps to the next deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio
from trio.lowlevel import current_statistics
from trio.testing import MockClock, active_thread_count, wait_all_tasks_blocked

FOREVER = 100 * 365.25 * 86400
"""Virtual seconds after which a run counts as one that never ends."""

LOOK = 0.002
"""Real seconds between two looks at the threads and sockets of real nodes."""

_WAITING = (
    "tasks_waiting",
    "tasks_waiting_read",
    "tasks_waiting_write",
    "tasks_waiting_overlapped",
)
"""What trio's statistics call the tasks that wait for the system; each system has some of them."""


async def pass_time(
    clock: MockClock,
    on_stuck: Callable[[str], None],
    patience: float,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Let virtual time pass until cancelled.

    ``on_stuck`` is called with the reason, once for each time that nothing can go on by itself: when every task
    waits and there is no deadline, or only one that is ages away, or when real work has not moved for
    ``patience`` real seconds.
    """
    await wait_all_tasks_blocked()
    own = waiting_for_system()
    task_status.started()
    since = time.monotonic()
    while True:
        await wait_all_tasks_blocked()
        if active_thread_count() or waiting_for_system() > own:
            if time.monotonic() - since > patience:
                on_stuck(f"real work has not ended within {patience:g} s")
                since = time.monotonic()
            await wait_all_tasks_blocked(LOOK)
            continue
        since = time.monotonic()
        ahead = current_statistics().seconds_to_next_deadline
        if clock.current_time() + ahead > FOREVER:
            on_stuck("nothing is left that could wake it")
            await wait_all_tasks_blocked(
                LOOK
            )  # what is shielded from that may wait on: do not spin
        elif ahead > 0:
            clock.jump(ahead)
        else:
            await trio.lowlevel.checkpoint()


def waiting_for_system() -> int:
    """How many tasks wait for a socket, a pipe or what else the system tells; some are trio's own."""
    statistics = current_statistics().io_statistics
    return sum(getattr(statistics, name, 0) for name in _WAITING)
