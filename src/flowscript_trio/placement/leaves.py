"""Owns attempts of leaf nodes on a worker: they are made of what was sent, and run."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import trio

from ..runtimes.types import BlockingRuntime, ExecutionParams, NodeRuntime
from ..scheduler.raised import error_of, error_of_call
from ..types.ast import BaseNode
from ..types.propagation import send_along
from .errors import pack_error
from .jobs import LeafCall, LeafTerms, Reply, RunFacts
from .packing import unpack
from .remote_run import RemoteRun, RemoteScope


@dataclass(frozen=True, slots=True)
class Terms:
    """What all attempts of a leaf node have in common, as a worker has it."""

    run: RunFacts
    runtime: NodeRuntime
    node: BaseNode

    @classmethod
    def of(cls, sent: LeafTerms) -> Terms:
        """What was sent, made again: the node without its settings."""
        facts = sent.node
        node = BaseNode(
            kind=facts.kind,
            key=facts.key,
            tag=facts.tag,
            type=facts.type,
            id=facts.id,
            location=facts.location,
            offset=0,
        )
        return cls(sent.run, _runtime_in(sent.runtime), node)


@lru_cache(maxsize=1024)
def _runtime_in(data: bytes) -> NodeRuntime:
    """A runtime that came packed; made once, so that what it keeps in its module or itself stays."""
    runtime: NodeRuntime = unpack(data)
    return runtime


@dataclass(frozen=True, slots=True)
class LeafJob:
    """One attempt of a leaf node: its terms, and what it has of its own."""

    terms: Terms
    call: LeafCall

    @property
    def run(self) -> RunFacts:
        return self.terms.run

    @property
    def path(self) -> str:
        return self.call.path

    @property
    def attempt(self) -> int:
        return self.call.attempt

    @property
    def seconds(self) -> float:
        return self.call.seconds

    @property
    def headers(self) -> Mapping[str, str]:
        return self.call.headers


async def do_leaf(worker: str, job: LeafJob, run: RemoteRun, scope: trio.CancelScope) -> Reply:
    """Run one attempt of a leaf node within a cancel scope."""
    output: Any = None
    error: BaseException | None = None
    seen = RemoteScope(job.call, run)
    before = seen.cookies
    with scope:
        try:
            output = await job.terms.runtime.execute(_params_of(job, run, seen))
        except BaseException as exc:
            error = error_of(exc)
            if error is None:
                raise
    status: Literal["done", "failed", "cancelled"] = "done"
    if error is not None or scope.cancelled_caught:
        status = "cancelled" if error is None else "failed"
    return Reply(
        worker=worker,
        status=status,
        output=output,
        error=None if error is None else pack_error(error),
        noted=tuple(run.noted),
        cookies=None if seen.cookies is before else seen.cookies,
    )


def do_plain(worker: str, job: LeafJob, runtime: BlockingRuntime) -> Reply:
    """Call a plain function in this thread. Nothing is cancelled here: who does not want it kills the process."""
    run = RemoteRun(job, None)
    context = copy_context()
    if job.headers:
        context.run(send_along, partial(given, job.headers))
    try:
        params = _params_of(job, run, RemoteScope(job.call, run))
        output = context.run(runtime.function, params)
    except BaseException as exc:
        error = pack_error(error_of_call(exc, "the node raised"))
        return Reply(worker=worker, status="failed", error=error, noted=tuple(run.noted))
    return Reply(worker=worker, status="done", output=output, noted=tuple(run.noted))


def given(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that came with a job, for whoever asks for them."""
    return headers


@dataclass(slots=True)
class _Execution:
    """Which attempt of which execution a job is."""

    path: str
    number: int


def _params_of(job: LeafJob, run: RemoteRun, scope: RemoteScope) -> ExecutionParams[Any]:
    """What a runtime is handed."""
    call = job.call
    # What it is handed is its own already: it was copied on its way.
    return ExecutionParams(
        job.terms.node,
        call.config,
        call.input,
        scope,
        run,
        shared=True,
        attempt=_Execution(call.path, call.attempt),
    )
