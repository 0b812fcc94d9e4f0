"""Owns what runs in a cluster's own processes: jobs on workers, and watches on both sides of a connection."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from dask._task_spec import Task
from distributed import Scheduler, SchedulerPlugin, Worker, WorkerPlugin, get_worker
from distributed.protocol.pickle import dumps
from distributed.scheduler import TaskState

from .worker import cancel_job, close_run, run_job

PREFIX = "flowscript-"
"""What the keys of our tasks begin with, before the id of the run."""


CLOSING = 3.0
"""Seconds that the workers have to close what a run has open there."""


def do_there(run: str, key: str, job: bytes) -> bytes:
    """Do a job on the worker that this is called on."""
    return run_job(f"worker {get_worker().address}", key, job)


def cancel_there(run: str, key: str) -> bool:
    """Cancel a job; whether it had begun on this worker."""
    return cancel_job(run, key)


async def close_there(run: str, seconds: float) -> None:
    """End what a run has on this worker, without holding up the worker's own loop."""
    await asyncio.to_thread(close_run, run, seconds)


def where_is(key: str, dask_scheduler: Scheduler | None = None) -> str | None:
    """The address of the worker that a task was given to; None where it waits for one."""
    assert dask_scheduler is not None, "Dask gives it"
    task = dask_scheduler.tasks.get(key)
    worker = None if task is None else task.processing_on
    return None if worker is None else worker.address


def new_key(run: str) -> str:
    """A key for a task of a run, which no other task has.

    Not a number: other places of the run may be on the same scheduler, and what a process that died had begun may
    be there still. Two tasks with one key would be one task.
    """
    return f"{PREFIX}{run}-{uuid4().hex}"


def run_of(key: Any) -> str | None:
    """The id of the run that a task is of; None for one of somebody else."""
    if not isinstance(key, str) or not key.startswith(PREFIX):
        return None
    return key.removeprefix(PREFIX).rpartition("-")[0]


class WorkerLost(Exception):
    """The worker of a task is gone, and with it the task or what it gave; the text is the worker's address."""


def tell_lost(worker: str) -> None:
    """What runs in the place of a task that would run for a second time."""
    raise WorkerLost(worker)


class Strict(SchedulerPlugin):
    """Lets a task of ours run once, whatever the scheduler allows others, and ends what a client has left.

    One whose worker dies has failed. One that would run again since its worker has been retired, or has died
    before the reply was fetched, tells that it is lost instead.
    """

    name = "flowscript-strict"
    idempotent = True

    def __init__(self) -> None:
        self._scheduler: Scheduler | None = None
        self._given: dict[str, str] = {}  # the workers that tasks were given to
        self._runs: dict[str, set[str]] = {}  # the runs that clients have had tasks of
        self._closing: set[asyncio.Task[Any]] = set()

    async def start(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def transition(
        self, key: Any, start: str, finish: str, *args: Any, stimulus_id: str, **kwargs: Any
    ) -> None:
        run = run_of(key)
        if self._scheduler is None or run is None:
            return
        task = self._scheduler.tasks.get(key)
        if task is None or finish == "forgotten":
            self._given.pop(key, None)
        elif finish == "processing" and task.processing_on is not None:
            self._given[key] = task.processing_on.address
            for client in task.who_wants or ():
                self._runs.setdefault(client.client_key, set()).add(run)
            task.suspicious = self._scheduler.allowed_failures
        elif start in ("processing", "memory") and finish in ("released", "waiting"):
            self._forbid(task, self._given.get(key, "a worker"))

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """Close what the runs of a client have open on workers: one that was killed could not."""
        for run in self._runs.pop(client, ()):
            asked = {"function": close_there, "args": (run, CLOSING), "kwargs": {}}
            packed = {name: dumps(each) for name, each in asked.items()}  # type: ignore[no-untyped-call]
            message = {"op": "run", **packed}
            closing = asyncio.ensure_future(scheduler.broadcast(msg=message, on_error="ignore"))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _forbid(self, task: TaskState, worker: str) -> None:
        if task.run_spec is not None:
            task.run_spec = Task(task.key, tell_lost, worker)


class Sentinel(WorkerPlugin):
    """Cancels what runs on a worker for a run that does not want it any more: it gave it up, or it is gone."""

    name = "flowscript-sentinel"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Nothing: it looks at tasks only."""

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        run = run_of(key)
        if run is not None and start == "executing" and finish not in ("memory", "error"):
            cancel_job(run, key)
