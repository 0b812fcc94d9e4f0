"""Owns what worker processes are called for: jobs, and attempts of leaf nodes, whose common part comes once.

A plain function is called as it is, in the thread that waits for jobs; an async one in the loop of its run.
"""

from __future__ import annotations

import os
from contextvars import copy_context
from functools import partial
from multiprocessing.util import Finalize
from types import NoneType
from typing import Any

from ..runtimes.types import BlockingRuntime, NodeRuntime
from ..scheduler.raised import error_of_call
from ..types.propagation import send_along
from .errors import pack_error
from .jobs import LeafCall, LeafJob, LeafTerms, Reply
from .packing import pack, unpack
from .remote_run import RemoteRun
from .worker import (
    close_all,
    given,
    loop_of,
    pack_reply,
    params_of,
    run_job,
    runtime_in,
    scope_of,
    unreadable,
)

Answer = tuple[str, Any] | bytes | None
"""The worker and the output, where that is all there is to say; else a packed reply. None: it lacks the terms."""

_PLAIN = frozenset({NoneType, bool, int, float, str, bytes})
"""What crosses as it is; of anything else it is first seen whether it can."""

PackedCall = tuple[Any, ...] | bytes
"""An attempt on its way: as it is, where all that it has crosses so; else packed."""

_known: dict[int, tuple[LeafTerms, NodeRuntime]] = {}
"""By their numbers in the run; a worker process has one run in its life."""


def begin_worker() -> None:
    """What a worker does first: it closes what the run has open there when it is asked to end."""
    Finalize(None, close_all, exitpriority=10)


def do_job(job: bytes) -> bytes:
    """Do any job; its reply, packed."""
    return run_job(f"process {os.getpid()}", "", job)


def packed_call(call: LeafCall, what: str) -> PackedCall:
    """An attempt, ready to cross; raises CannotTravel, which names the part of ``what`` that cannot."""
    for part in call:
        if type(part) not in _PLAIN and not (type(part) is dict and _has_plain_values(part)):
            return pack(call, what)
    return tuple(call)


def _has_plain_values(mapping: dict[Any, Any]) -> bool:
    return _PLAIN.issuperset(map(type, mapping)) and _PLAIN.issuperset(map(type, mapping.values()))


def do_call(number: int, call: PackedCall, terms: bytes | None) -> Answer:
    """Do one attempt of a leaf node, whose terms have come before or are given."""
    worker = f"process {os.getpid()}"
    try:
        if terms is not None:
            told: LeafTerms = unpack(terms)
            _known[number] = told, runtime_in(told.runtime)
        known = _known.get(number)
        if known is None:
            return None
        parts = call if isinstance(call, tuple) else unpack(call)
        job = LeafJob.of(known[0], LeafCall(*parts))
    except Exception as exc:
        return unreadable(worker, exc)
    runtime = known[1]
    if isinstance(runtime, BlockingRuntime):
        reply = do_plain(worker, job, runtime)
    else:
        reply = loop_of(job.run.id).do(worker, "", job)
    is_all = not reply.noted and reply.cookies is None
    if reply.status == "done" and is_all and type(reply.output) in _PLAIN:
        return worker, reply.output
    return pack_reply(reply)


def do_plain(worker: str, job: LeafJob, runtime: BlockingRuntime) -> Reply:
    """Call a plain function in this thread. Nothing is cancelled here: who does not want it kills the process."""
    run = RemoteRun(job, None)
    context = copy_context()
    if job.headers:
        context.run(send_along, partial(given, job.headers))
    try:
        output = context.run(runtime.function, params_of(job, run, scope_of(job, run)))
    except BaseException as exc:
        error = pack_error(error_of_call(exc, "the node raised"))
        return Reply(worker=worker, status="failed", error=error, noted=tuple(run.noted))
    return Reply(worker=worker, status="done", output=output, noted=tuple(run.noted))
