"""Owns the place ``thread``: nodes that block, in threads besides trio's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import outcome
import trio

from ..execution.context import RunContext
from ..execution.noderun import NodeRun
from ..expression.scope import Services
from ..runtimes.placing import RanAt
from ..runtimes.threads import acapture, run_in_thread, start_thread
from ..runtimes.types import BlockingRuntime, ExecutionParams, NodeRuntime
from ..scheduler.raised import error_of
from ..types.ast import BaseNode
from ..types.errors import BudgetExceeded, InputError
from ..types.http import HttpOptions
from .remote import RemotePlace
from .sending import context_of
from .waiting import Done, wait_for

THREADS = 40
"""How many nodes may be in threads at once, unless the application says otherwise; trio's own number."""


def built_in() -> Thread:
    """What ``place="thread"`` stands for."""
    return Thread()


class Thread(RemotePlace):
    """Threads of this process, with a limiter of their own.

    Args:
        threads: how many nodes of a run may be there at once.

    A plain function (``blocking_runtime``) is called there as it is: one that is cancelled is waited for, or left
    behind where it says that it may be. An async runtime runs in a trio loop of its own in the thread, where it
    may block; a cancellation reaches it at its next checkpoint there, and its end is waited for.
    """

    def __init__(self, threads: int = THREADS) -> None:
        super().__init__()
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise InputError(f"threads is {threads!r}; expected a whole number of at least 1")
        self._threads = threads

    def check_runtime(self, name: str, runtime: NodeRuntime) -> None:
        """Nothing: whatever it is, it stays in this process."""

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Run a leaf node's runtime in a thread; a cancellation reaches it there, and its end is awaited."""
        run = params.run
        assert isinstance(run, NodeRun)
        limiter = await self._limiter_of(context_of(run))
        context_of(run).ran_at[run.path] = RanAt("thread")
        if isinstance(runtime, BlockingRuntime):
            return await runtime.in_thread(params, limiter)
        token = object()
        await limiter.acquire_on_behalf_of(token)
        try:
            home = trio.lowlevel.current_trio_token()
            inside = params.given_to(ThreadRun(run, home))
            ended = await wait_for(partial(_begin, runtime, inside))
            await trio.lowlevel.checkpoint_if_cancelled()
            return ended.unwrap()
        finally:
            limiter.release_on_behalf_of(token)

    async def carry(self, context: RunContext, path: str, job: bytes) -> bytes:
        """Do a job in a thread. A cancellation is delivered there, and its end awaited."""
        from .worker import run_alone

        limiter = await self._limiter_of(context)
        async with limiter:
            return await wait_for(partial(run_alone, "thread", job))  # type: ignore[no-any-return]

    async def _limiter_of(self, context: RunContext) -> trio.CapacityLimiter:
        made: Callable[[], trio.CapacityLimiter] = partial(trio.CapacityLimiter, self._threads)
        limiter: trio.CapacityLimiter = await context.resource(f"flowscript place {id(self)}", made)
        return limiter


def _begin(runtime: NodeRuntime, params: ExecutionParams, done: Done) -> Callable[[], None]:
    """Begin a node in a trio loop of its own, in a thread; gives what cancels it there."""
    scope = trio.CancelScope()
    inside: list[trio.lowlevel.TrioToken] = []
    is_asked = False
    seconds = trio.current_effective_deadline() - trio.current_time()

    async def main() -> outcome.Outcome[Any]:
        inside.append(trio.lowlevel.current_trio_token())
        if is_asked:
            scope.cancel("the run cancelled it")
        if seconds != inf and not scope.cancel_called:
            scope.deadline = trio.current_time() + seconds
        with scope:
            try:
                return outcome.Value(await runtime.execute(params))
            except BaseException as exc:
                error = error_of(exc)
                if error is None:
                    raise
            return outcome.Error(error)  # as a value: trio would look at it
        return outcome.Value(None)

    def ask_to_end() -> None:
        nonlocal is_asked
        is_asked = True
        for token in inside:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(scope.cancel, "the run cancelled it")

    work = partial(copy_context().run, trio.run, main)
    start_thread(work, done, "flowscript thread")
    return ask_to_end


class ThreadRun:
    """A node's view of its run from a thread: what concerns the run happens in trio's own thread."""

    def __init__(self, run: NodeRun, home: trio.lowlevel.TrioToken) -> None:
        self._run = run
        self._home = home

    @property
    def id(self) -> str:
        return self._run.id

    @property
    def idempotency_key(self) -> str | None:
        return self._run.idempotency_key

    @property
    def base(self) -> Path | None:
        return self._run.base

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._run.secrets

    @property
    def http(self) -> HttpOptions:
        return self._run.http

    @property
    def services(self) -> Services:
        return self._run.services

    @property
    def places(self) -> Mapping[str, Any]:
        return {}

    def of_node(self, path: str, attempt: int) -> ThreadRun:
        return self

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        """The run's one resource of that key, opened in trio's own thread."""
        return await self._at_home(partial(self._run.resource, key, factory))

    async def keep_first(self, value: Any) -> Any:
        """What the attempt has kept first, asked for in trio's own thread."""
        return await self._at_home(partial(self._run.keep_first, value))

    async def _at_home(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """What ``work`` gives in trio's own thread."""
        ask = partial(trio.from_thread.run, acapture, work, trio_token=self._home)
        return (await run_in_thread(ask, abandon_on_cancel=True)).unwrap()

    def count_request(self) -> None:
        self._home.run_sync_soon(_count, self._run)

    def keep(self, value: Any) -> None:
        """Nothing: what the node gives is counted when it has ended."""

    def grow(self, made: list[Any], since: int) -> None:
        """Nothing, as :meth:`keep`."""

    def warn(self, node: BaseNode, message: str) -> None:
        self._home.run_sync_soon(self._run.warn, node, message)


def _count(run: NodeRun) -> None:
    with suppress(BudgetExceeded):  # the run is cancelled by it, and the node with the run
        run.count_request()
