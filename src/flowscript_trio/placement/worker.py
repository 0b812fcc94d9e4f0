"""Owns the worker's side: one trio loop for each run that has nodes on the worker, and the jobs in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from math import inf

import trio

from ..execution.bounds import CLEANUP_SECONDS
from ..execution.resources import Resources
from ..types.errors import CannotTravel
from ..types.exceptions import is_a
from ..types.looking import summary_of
from ..types.propagation import send_along
from .errors import pack_error
from .jobs import BodyJob, BodyReply, Job, LeafCall, Reply
from .leaves import LeafJob, Terms, do_leaf, given
from .packing import comes_back, pack, unpack
from .remote_run import RemoteRun
from .waiting import Done


def run_job(worker: str, key: str, data: bytes) -> bytes:
    """Do a job and give its reply, both packed; the thread that calls waits for the whole of it.

    ``worker`` is what the run knows the worker by, ``key`` what the job is cancelled by.
    """
    try:
        job = read_job(data)
    except Exception as exc:
        return unreadable(worker, exc)
    return pack_reply(loop_of(job.run.id).do(worker, key, job))


def read_job(data: bytes) -> Job:
    """A job that came packed; that of a leaf node as its terms and its call."""
    sent = unpack(data)
    if isinstance(sent, tuple):
        terms, call = sent
        return LeafJob(Terms.of(terms), LeafCall.unpacked(call))
    job: Job = sent
    return job


def unreadable(worker: str, exc: Exception) -> bytes:
    """The reply to what cannot be read here, packed."""
    said = f"{worker} cannot read what was sent to it ({summary_of(exc)})"
    if is_a(exc, ImportError):
        said += "; install there what the run has here"
    return pack(Reply(worker=worker, status="failed", error=pack_error(CannotTravel(said))), "")


def pack_reply(reply: Reply) -> bytes:
    """A reply, packed; where its output cannot cross, that is what it says.

    What nodes in a body have given each other stays where it cannot cross.
    """
    try:
        if isinstance(reply, BodyReply):
            return _pack_body(reply)
        return pack(reply, "the reply")
    except CannotTravel as exc:
        error = exc
    try:
        pack(reply.output, "the output")
    except CannotTravel as exc:
        error = exc
    failed = Reply(
        worker=reply.worker,
        status="failed",
        error=pack_error(error),
        noted=reply.noted,
        cookies=reply.cookies,
    )
    return pack(failed, "")


def _pack_body(reply: BodyReply) -> bytes:
    """The reply of a body, packed; of its values those stay here that would not come back."""
    written = comes_back(reply)
    if written is not None and written.is_ours:
        return written.data
    from .staying import leave_there  # hardly any reply needs it

    return pack(leave_there(reply), "the reply")


class RunLoop:
    """The trio loop of one run on this worker, in a thread of its own, with what its nodes have open here."""

    def __init__(self, run: str, refused: set[str] | None = None) -> None:
        self._run = run
        self._scopes: dict[str, trio.CancelScope] = {}
        self._refused = refused or set()  # jobs that were cancelled before they began
        self._lock = threading.Lock()
        self._is_ready = threading.Event()
        self._token: trio.lowlevel.TrioToken
        self._stop: trio.Event
        self._resources: Resources
        name = f"flowscript run {run}"
        # A daemon: a worker that is asked to end must not wait for a node that does not.
        self._thread = threading.Thread(target=trio.run, args=(self._live,), name=name, daemon=True)
        self._thread.start()
        self._is_ready.wait()

    async def _live(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._stop = trio.Event()
        self._resources = Resources(CLEANUP_SECONDS)
        self._is_ready.set()
        await self._stop.wait()
        await self._resources.close()

    def do(self, worker: str, key: str, job: Job) -> Reply:
        """Do a job in the loop; whatever it comes to is its reply."""
        return trio.from_thread.run(self._do, worker, key, job, trio_token=self._token)

    def cancel(self, key: str) -> bool:
        """Cancel a job; whether it had begun. One that has not does nothing when it begins."""
        with self._lock:
            scope = self._scopes.get(key)
            if scope is None:
                self._refused.add(key)
                return False
        self._token.run_sync_soon(partial(scope.cancel, "the run cancelled it"))
        return True

    def cancel_all(self) -> None:
        """Cancel every job of the run: nobody waits for them any more."""
        with self._lock:
            keys = list(self._scopes)
        for key in keys:
            self.cancel(key)

    def close(self, seconds: float = CLEANUP_SECONDS) -> None:
        """Close what the run has open here, and end the loop; it is given this many seconds."""
        self._token.run_sync_soon(self._stop.set)
        self._thread.join(seconds)

    async def _do(self, worker: str, key: str, job: Job) -> Reply:
        scope = trio.CancelScope()
        if job.seconds != inf:
            scope.deadline = trio.current_time() + job.seconds
        with self._lock:
            if key in self._refused:
                self._refused.discard(key)
                return Reply(worker=worker, status="cancelled")
            self._scopes[key] = scope
        if job.headers:
            send_along(partial(given, job.headers))
        try:
            return await _answer(worker, job, self._resources, scope)
        finally:
            with self._lock:
                del self._scopes[key]


async def _answer(worker: str, job: Job, resources: Resources, scope: trio.CancelScope) -> Reply:
    if isinstance(job, BodyJob):
        from .whole import do_body  # a worker of leaf nodes needs no engine

        return await do_body(worker, job, resources, scope)
    assert isinstance(job, LeafJob)
    return await do_leaf(worker, job, RemoteRun(job, resources), scope)


def run_alone(worker: str, data: bytes, done: Done) -> Callable[[], None]:
    """Begin a job in a thread, in a loop that ends with it; gives what cancels it."""
    from ..runtimes.threads import start_thread  # a worker has no threads for jobs

    job = read_job(data)
    loop = RunLoop(job.run.id)

    def work() -> bytes:
        try:
            return pack_reply(loop.do(worker, "", job))
        finally:
            loop.close()

    start_thread(work, done, "flowscript thread")
    return partial(loop.cancel, "")  # type: ignore[return-value]


_loops: dict[str, RunLoop] = {}
_refused: dict[str, set[str]] = {}
"""Jobs that were cancelled before their run had anything here."""
_starting = threading.Lock()
_closing = threading.Lock()


def loop_of(run: str) -> RunLoop:
    """The loop of a run on this worker, begun if need be."""
    with _starting:
        if run not in _loops:
            _loops[run] = RunLoop(run, _refused.pop(run, None))
        return _loops[run]


def cancel_job(run: str, key: str) -> bool:
    """Cancel a job of a run; whether it had begun. It begins no loop: the run may have ended what it had here."""
    with _starting:
        loop = _loops.get(run)
        if loop is None:
            _refused.setdefault(run, set()).add(key)
            return False
    return loop.cancel(key)


def close_run(run: str, seconds: float = CLEANUP_SECONDS) -> None:
    """End what a run has on this worker: its jobs are cancelled, and what they had open is closed."""
    with _starting:
        loop = _loops.pop(run, None)
        _refused.pop(run, None)
    if loop is not None:
        loop.cancel_all()
        loop.close(seconds)


def close_all() -> None:
    """End what all runs have on this worker; whoever asks for it meanwhile waits for its end."""
    with _closing:
        for run in list(_loops):
            close_run(run)
