"""Owns what worker processes are called for: jobs, and attempts of leaf nodes, whose common part comes once.

A plain function is called as it is, in the thread that waits for jobs; an async one in the loop of its run. A
worker ends with the process of the run.
"""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from typing import Any

from ..runtimes.types import BlockingRuntime
from .jobs import LeafCall, PackedCall
from .leaves import LeafJob, Terms, do_plain
from .packing import PLAIN, unpack
from .slots import join_slots
from .worker import close_all, loop_of, pack_reply, run_job, unreadable

Answer = tuple[str, Any] | bytes | None
"""The worker and the output, where that is all there is to say; else a packed reply. None: it lacks the terms."""

_slots: memoryview
"""Those of the run; a worker process has one run in its life."""
_known: dict[int, Terms] = {}
"""The terms of nodes by their numbers in the run."""


def begin_worker(slots: str) -> None:
    """What a worker does first: it closes what the run has open there when it is asked to end."""
    global _slots
    _slots = join_slots(slots)
    Finalize(None, close_all, exitpriority=10)
    threading.Thread(target=_end_with_the_run, name="flowscript watch", daemon=True).start()


def _end_with_the_run() -> None:
    """Wait until the process of the run is gone, however it ended; nobody wants what is done here any more."""
    run = parent_process()
    assert run is not None, "a worker has been started by it"
    run.join()
    close_all()
    os._exit(1)  # a plain function does not end by itself


def do_job(slot: int, job: bytes) -> bytes:
    """Do any job; its reply, packed."""
    _slots[slot] = os.getpid()
    return run_job(f"process {os.getpid()}", "", job)


def do_call(slot: int, number: int, call: PackedCall, sent: bytes | None) -> Answer:
    """Do one attempt of a leaf node, whose terms have come before or are sent along."""
    process = _slots[slot] = os.getpid()
    worker = f"process {process}"
    try:
        if sent is not None:
            _known[number] = Terms.of(unpack(sent))
        terms = _known.get(number)
        if terms is None:
            return None
        job = LeafJob(terms, LeafCall.unpacked(call))
    except Exception as exc:
        return unreadable(worker, exc)
    runtime = terms.runtime
    if isinstance(runtime, BlockingRuntime):
        reply = do_plain(worker, job, runtime)
    else:
        reply = loop_of(job.run.id).do(worker, "", job)
    is_all = not reply.noted and reply.cookies is None
    if reply.status == "done" and is_all and type(reply.output) in PLAIN:
        return worker, reply.output
    return pack_reply(reply)
