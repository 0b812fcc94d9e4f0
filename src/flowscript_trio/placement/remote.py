"""Owns what all places share that are other processes: jobs go there packed, and what comes back is taken in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from ..execution.context import RunContext
from ..execution.frame import Attempt, Frame, Outcome
from ..execution.limiting import take_token
from ..execution.losing import cut_body, lose_body
from ..execution.relaunching import relaunched
from ..execution.state import State
from ..execution.walk import Walk
from ..program.compiled import CompiledBody
from ..runtimes.control.results import DocumentResult
from ..runtimes.placing import RanAt
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.signals import Signal
from ..types.errors import WorkerDied
from ..types.exceptions import is_a
from ..types.paths import owner_of
from .jobs import BodyJob, BodyReply, Reply
from .packing import pack, unpack_reply
from .receiving import be_cancelled, error_in, output_of, take_in, tell
from .sending import Leaf, Luggage, body_job, check_travels, document_job, flow_of_run
from .staying import what_stayed


class RemotePlace:
    """A place that is another process.

    Whoever makes one says how a job is carried (:meth:`carry`). Cancellation is delivered as that delivers it.
    """

    def __init__(self) -> None:
        self.luggage: Luggage = Luggage()

    def check(self, name: str) -> None:
        """Raise InputError where it cannot be used."""

    def check_secrets(self, name: str, secrets: Mapping[str, str]) -> None:
        """Nothing: what goes to another process of this machine stays on it."""

    def check_runtime(self, name: str, runtime: NodeRuntime) -> None:
        check_travels(name, runtime, self.luggage)

    async def carry(self, context: RunContext, path: str, job: bytes) -> bytes:
        """Bring a job to a worker, and its reply back.

        Where the worker is known and no reply comes, ``context.ran_at`` says so. Raises
        WorkerDied. A cancellation that is delivered comes back as a reply, one that kills the worker passes on.
        """
        raise NotImplementedError

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Run a leaf node's runtime on a worker."""
        leaf = Leaf(runtime, params)
        reply = await self.send_leaf(leaf)
        path = leaf.run.path
        leaf.context.ran_at[path] = RanAt(reply.worker)
        if reply.noted:
            tell(leaf.run, params, reply)
        if reply.cookies is not None:
            _take_cookies(leaf.state, reply)
        await be_cancelled(reply, leaf.deadline)
        return output_of(reply, path)

    async def send_leaf(self, leaf: Leaf) -> Reply:
        """Bring one attempt of a leaf node to a worker, and its reply back; as :meth:`carry`."""
        job = leaf.terms(self.luggage), leaf.call().packed(leaf.label)
        return await self._send(leaf.context, leaf.run.path, pack(job, leaf.label))

    async def run_body(self, walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
        """Run a branch or an iteration on a worker, whole."""
        context = walk.run
        began, deadline = trio.current_time(), trio.current_effective_deadline()
        path = owner_of(frame.prefix)

        async def carry() -> Reply:
            job = body_job(walk, body, frame, self.luggage)
            return await self._send_whole(context, job, f"the scope of {path!r}")

        try:
            reply = await relaunched(walk, body, frame, carry)
        except Exception as exc:
            worker = exc.worker if is_a(exc, WorkerDied) else None
            return lose_body(walk, body, frame, exc, worker)
        except trio.Cancelled as exc:
            cut_body(walk, body, frame, exc, began)
            raise
        if not isinstance(reply, BodyReply):  # it never began there, or what it gave cannot cross
            await be_cancelled(reply, deadline)
            return lose_body(walk, body, frame, error_in(reply, path), reply.worker)
        flow = flow_of_run(context)
        done = await take_in(context, self.luggage, flow, frame, path, reply, deadline)
        stayed = what_stayed(reply, path)
        if stayed is not None:
            return lose_body(walk, body, frame, stayed, reply.worker)
        frame.output = done.output
        return done.signal

    async def run_document(self, walk: Walk, result: DocumentResult, attempt: Attempt) -> Outcome:
        """Run the document of an include or a call on a worker, whole."""
        context = walk.run
        deadline = trio.current_effective_deadline()
        job = document_job(walk, result, attempt, self.luggage)
        reply = await self._send_whole(context, job, f"what {attempt.step.label!r} is given")
        context.ran_at[job.path] = RanAt(reply.worker)
        if not isinstance(reply, BodyReply):
            await be_cancelled(reply, deadline)
            raise error_in(reply, job.path)
        flow = flow_of_run(context)
        done = await take_in(context, self.luggage, flow, attempt.frame, job.path, reply, deadline)
        stayed = what_stayed(reply, job.path)
        if stayed is not None:
            raise stayed
        if not result.isolated and reply.cookies is not None:
            _take_cookies(attempt.frame.state, reply)
        return done

    async def _send_whole(self, context: RunContext, job: BodyJob, what: str) -> Reply:
        """Send what runs whole over there: it holds one token of the run's limiter, and the nodes in it none."""
        if context.limiter is None:
            return await self._send(context, job.path, pack(job, what))
        token = object()
        await take_token(context.limiter, token)
        try:
            return await self._send(context, job.path, pack(job, what))
        finally:
            context.limiter.release_on_behalf_of(token)

    async def _send(self, context: RunContext, path: str, job: bytes) -> Reply:
        carried = await self.carry(context, path, job)
        reply: Reply = unpack_reply(carried, f"what {path!r} gave")
        return reply


def _take_cookies(state: State, reply: Reply) -> None:
    """Take over the cookies that came to a node or a document over there, as the last that were set."""
    known = {id_: cookie for id_, (_, cookie) in state.cookies.entries.items()}
    changes = [
        (key, cookie)
        for key, (_, cookie) in reply.cookies.entries.items()
        if key not in known or not _is_same(known[key], cookie)
    ]
    if changes:
        state.cookies = state.cookies.changed(changes)


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (one is not None and other is not None and vars(one) == vars(other))
