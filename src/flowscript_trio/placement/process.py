"""Owns the place ``process``: worker processes of this machine, by trio-parallel."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import trio

from ..execution.context import RunContext
from ..runtimes.placing import RanAt
from ..types.errors import InputError, WorkerDied
from .calls import begin_worker, do_call, do_job
from .jobs import Reply
from .packing import pack, unpack_reply
from .remote import RemotePlace
from .sending import Leaf, Luggage
from .slots import Slots, open_slots

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from trio_parallel import WorkerContext

GRACE = 8.0
"""Seconds that workers have to close what they have open when the run ends; then they are killed."""

MOST_WORKERS = 1 << 16
"""More than any machine has processes for; what is asked for above that is as good as no limit."""


def built_in() -> Process:
    """What ``place="process"`` stands for."""
    return Process()


class Process(RemotePlace):
    """Worker processes of this machine, started when nodes need them and ended with the run.

    Args:
        workers: how many nodes may be at work there at once; None: one a processor.

    A node that is cancelled takes its worker with it: the process is killed, and no clean-up runs there. One whose
    process dies fails with :class:`WorkerDied`.
    """

    def __init__(self, workers: int | None = None) -> None:
        super().__init__()
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
            raise InputError(f"workers is {workers!r}; expected a whole number of at least 1")
        if workers is not None and workers < 1:
            raise InputError(f"workers is {workers}; expected at least 1")
        self._workers = min(workers or os.cpu_count() or 1, MOST_WORKERS)

    def check(self, name: str) -> None:
        missing = [each for each in ("trio_parallel", "cloudpickle") if find_spec(each) is None]
        if missing:
            raise InputError(
                f"the place {name!r} needs the extra 'process': pip install 'flowscript-trio[process]'"
            )

    async def carry(self, context: RunContext, path: str, job: bytes) -> bytes:
        """Bring a job to a worker process and its reply back. Cancellation kills the process."""
        workers = await self._workers_of(context)
        reply: bytes = await workers.call(context, path, do_job, job)
        return reply

    async def send_leaf(self, leaf: Leaf) -> Reply:
        """Bring an attempt to a worker process and its reply back. Cancellation kills the process."""
        workers = await self._workers_of(leaf.context)
        return await workers.do_leaf(leaf, self.luggage)

    async def _workers_of(self, context: RunContext) -> _Workers:
        workers: _Workers = await context.resource(f"flowscript place {id(self)}", self._open)
        return workers

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Workers]:
        from trio_parallel import BrokenWorkerError, open_worker_context

        try:
            with open_slots(self._workers) as slots:
                begin = partial(begin_worker, slots.path)
                async with open_worker_context(
                    idle_timeout=math.inf, init=begin, grace_period=GRACE
                ) as workers:
                    yield _Workers(workers, trio.CapacityLimiter(self._workers), slots)
        except BrokenWorkerError:
            return  # a worker had to be killed; what its nodes came to is known already


class _Workers:
    """The workers of one run."""

    def __init__(self, workers: WorkerContext, limiter: trio.CapacityLimiter, slots: Slots) -> None:
        self._workers = workers
        self._limiter = limiter
        self._slots = slots
        self._known: dict[int, tuple[int, bytes]] = {}  # the terms of nodes, numbered

    async def do_leaf(self, leaf: Leaf, luggage: Luggage) -> Reply:
        """Do an attempt of a leaf node; its terms go along where the worker may not have them."""
        call = leaf.call().packed(leaf.label)
        known, fresh = self._known.get(id(leaf.node)), None
        if known is None:
            fresh = pack(leaf.terms(luggage), leaf.label)
            known = self._known[id(leaf.node)] = (len(self._known), fresh)
        number, terms = known
        context, path = leaf.context, leaf.run.path
        answer = await self.call(context, path, do_call, number, call, fresh)
        if answer is None:  # another worker was told, or the one that was has ended
            answer = await self.call(context, path, do_call, number, call, terms)
        if isinstance(answer, bytes):
            reply: Reply = unpack_reply(answer, f"what {path!r} gave")
            return reply
        worker, output = answer
        return Reply(worker=worker, status="done", output=output)

    async def call(
        self, context: RunContext, path: str, function: Callable[..., Any], *given: object
    ) -> Any:
        """Call a function in a worker. Raises WorkerDied; a cancellation kills the worker."""
        from trio_parallel import BrokenWorkerError

        # Now: what is cancelled once it has a worker kills that.
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            self._limiter.acquire_nowait()  # most calls need not wait, and save a turn of the loop
        except trio.WouldBlock:
            await self._limiter.acquire()
        slot = self._slots.take()
        try:
            return await self._workers.run_sync(
                function,
                slot,
                *given,
                kill_on_cancel=True,
                limiter=nullcontext(),  # a token is held already
            )
        except BrokenWorkerError as exc:
            raise _died(context, path, exc.args[-1]) from None
        except trio.Cancelled:
            process = self._slots.process_at(slot)
            if process is not None:  # else none was there yet
                context.ran_at[path] = RanAt(f"process {process}")
            raise
        finally:
            self._slots.give_back(slot)
            self._limiter.release()


def _died(context: RunContext, path: str, process: BaseProcess) -> WorkerDied:
    worker, code = f"process {process.pid}", process.exitcode
    how = f"with exit status {code}"
    if code is not None and code < 0:
        how = f"by signal {-code}"
    context.ran_at[path] = RanAt(worker)
    return WorkerDied(f"the worker of {path!r}, {worker}, ended {how}", worker)
