"""Owns one attempt of a node: its scope, its token, its time limit, and the border to the runtime's code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from contextvars import copy_context
from typing import Any, cast

import trio
from trio.lowlevel import checkpoint_if_cancelled, disable_ki_protection

from ..expression import truthy
from ..expression.scope import Overlay, Scope
from ..program.compiled import Step
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.raised import error_of, first_of, is_cancelled
from ..scheduler.signals import Failed
from ..types.ast import TimeoutNode
from ..types.events import AttemptStarted, TokenAwaited, TokenTaken
from .bounds import LATE, bounded, took_too_long
from .compensating import without_losers
from .context import RunContext
from .contexts import InContext
from .failures import note_node
from .frame import Attempt, Frame, Outcome
from .limiting import hold, take_token
from .recovery import handle_late
from .regions import Region
from .walk import Walk


class Attempts(ABC):
    """Does a node's work once. What needs no ``await`` is decided in plain functions, which give what is to be
    awaited: every coroutine between a node and its runtime is paid for at each of its steps.
    """

    __slots__ = ("run",)

    def __init__(self, run: RunContext) -> None:
        self.run: RunContext = run

    @abstractmethod
    def handle(self, asked: Any, attempt: Attempt) -> Awaitable[Outcome]:
        """Do what a control node's runtime asks for."""

    async def make_attempt(self, step: Step, frame: Frame, path: str, number: int = 1) -> Outcome:
        """Run one attempt of a node (the ``number``-th, from 1).

        An error comes back as a value, with a note of where it came from.
        """
        try:
            attempt = self._begin(step, frame, path, number)
            if attempt is None:
                return Outcome(skipped=True)
            if self.run.observers:
                self._tell_attempt(attempt)
            outcome = await self._perform(attempt)
            if outcome.lost is not None and self.run.compensations:
                outcome = await without_losers(cast(Walk, self), attempt, outcome)
            signal = outcome.signal
            if self.run.masker is not None and isinstance(signal, Failed):
                outcome.signal = Failed(self.run.masked(signal.error), signal.origin)
            return outcome
        except trio.Cancelled as exc:
            if is_cancelled():
                raise
            error = error_of(exc)
            raised: BaseException = exc
        except BaseException as exc:
            error = error_of(exc)
            raised = exc
        try:
            if error is None:
                raise first_of(raised)
            return self.fail(step, path, error)
        finally:
            del raised, error  # their tracebacks have this frame

    def fail(self, step: Step, path: str, error: BaseException) -> Outcome:
        """A node's work that came to an error: without secrets, and with a note of where it left."""
        error = self.run.masked(error)
        note_node(error, self.run.record.number, step.node, path)
        return Outcome(signal=Failed(error))

    def _begin(self, step: Step, frame: Frame, path: str, number: int) -> Attempt | None:
        """Where a node is to run, with its own input; None where its ``if`` does not hold."""
        scope: Scope = frame.state
        if step.draws:
            scope = Overlay(scope, {"$attempt": number}, self.run.services_of(path, number))
        input = frame.input
        if step.input is not None:
            input = step.input(scope)
            scope = Overlay(scope, {"input": input})
        if step.condition is not None and not truthy(step.condition(scope)):
            return None
        return Attempt(step, frame, path, number, input, scope)

    def _tell_attempt(self, attempt: Attempt) -> None:
        run, path = self.run, attempt.path
        event = AttemptStarted(
            time=trio.current_time(),
            path=path,
            execution=run.numbers.of(path),
            node=attempt.step.node,
            attempt=attempt.number,
            input=run.shown(attempt.input),
        )
        run.notify(event)

    def _perform(self, attempt: Attempt) -> Awaitable[Outcome]:
        step, limiter = attempt.step, self.run.limiter
        if limiter is not None and not step.is_control:
            return self._with_token(limiter, attempt)
        return self._act(attempt) if step.timeout is None else self._limit_time(attempt)

    async def _with_token(self, limiter: trio.CapacityLimiter, attempt: Attempt) -> Outcome:
        token = attempt.token = object()
        run, node = self.run, attempt.step.node
        waits = bool(run.observers) and limiter.available_tokens < 1
        number = run.numbers.of(attempt.path)
        if waits:
            now = trio.current_time()
            run.notify(TokenAwaited(time=now, path=attempt.path, execution=number, node=node))
        await take_token(limiter, token)
        try:
            if waits:
                now = trio.current_time()
                run.notify(TokenTaken(time=now, path=attempt.path, execution=number, node=node))
            await checkpoint_if_cancelled()  # it may have been while the token was taken
            return await self._limit_time(attempt)
        finally:
            limiter.release_on_behalf_of(token)

    def _limit_time(self, attempt: Attempt) -> Awaitable[Outcome]:
        step = attempt.step
        if step.timeout is None or step.keeps:
            return self._act(attempt)
        return self._within(step.timeout(attempt.scope), attempt)

    async def _within(self, seconds: float, attempt: Attempt) -> Outcome:
        def work(region: Region) -> Awaitable[Outcome]:
            attempt.region = region
            return self._act(attempt)

        outcome = await bounded(seconds, attempt.region, attempt.path, work)
        if outcome is not LATE:
            return outcome
        if isinstance(attempt.step.node, TimeoutNode):  # its handler is for its duration
            raise took_too_long(repr(attempt.step.label), seconds)
        return await self.be_late(attempt, seconds)

    async def be_late(self, attempt: Attempt, seconds: float) -> Outcome:
        """What follows when the time of a node has passed: its handler, else ``trio.TooSlowError``."""
        error = took_too_long(repr(attempt.step.label), seconds)
        if attempt.step.on_timeout is None:
            raise error
        return await handle_late(cast(Walk, self), attempt.step.on_timeout, attempt, error)

    def _act(self, attempt: Attempt) -> Awaitable[Outcome]:
        step = attempt.step
        params = ExecutionParams(
            step.node,
            step.config(attempt.scope),
            attempt.input,
            attempt.scope,
            self.run,
            step.reads_only,
            step.parts,
            None if step.is_builtin else attempt,
        )
        if step.is_control:
            return self._control(step.runtime, params, attempt)
        if step.is_builtin:
            return _call_ours(step.runtime, params)
        if (
            attempt.frame.has_own_task
            and step.retry is None
            and step.fallback is None
            and attempt.token is None
            and not self.run.observers
        ):
            return _call(step.runtime, params)  # nobody comes after it in the context of this task
        context = copy_context()
        if attempt.token is not None and self.run.limiter is not None:
            hold(context, self.run.limiter, attempt.token)
        return InContext(_call(step.runtime, params), context)

    async def _control(
        self, runtime: NodeRuntime, params: ExecutionParams, attempt: Attempt
    ) -> Outcome:
        asked = (await _call(runtime, params)).output
        return await self.handle(asked, attempt)


async def _call_ours(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """A built-in runtime: Ctrl-C reaches it at its next checkpoint, and in the middle of nothing."""
    return Outcome(await runtime.execute(params))


@disable_ki_protection
async def _call(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """The border to code that is not the engine's: from here on Ctrl-C may arrive between any two bytecodes."""
    return Outcome(await runtime.execute(params))
