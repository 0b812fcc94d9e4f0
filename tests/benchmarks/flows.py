"""Owns what the benchmarks' workflows are made of: a node that does nothing, and one that hangs."""

from __future__ import annotations

import time
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

import flowscript_trio as fs

from .measuring import Cost, timed

registry = fs.Registry(base=fs.registry)


@registry.runtime("source:noop", reads_only=True)
async def noop(params: fs.ExecutionParams) -> None:
    """Nothing: the engine itself passes the checkpoint."""


@registry.runtime("source:hang", reads_only=True)
async def hang(params: fs.ExecutionParams) -> None:
    await trio.sleep_forever()


@registry.runtime("source:fail", reads_only=True)
async def fail(params: fs.ExecutionParams) -> None:
    await break_down()


failed_at = [0.0]
"""When something broke down last, in seconds of the thread's processor time."""


async def break_down() -> None:
    """Fail once all others hang."""
    await wait_all_tasks_blocked()
    failed_at[0] = time.thread_time()
    raise ValueError("broken")


def load(body: str) -> fs.Flow:
    """The flow of a body."""
    return fs.loads(f'<workflow name="benchmark">{body}</workflow>', registry=registry)


def run(flow: fs.Flow, **options: Any) -> Cost:
    """The seconds of a run; the record keeps what it keeps by default."""
    return timed(lambda: fs.run(flow, **options))
