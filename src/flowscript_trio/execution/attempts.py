"""Owns one attempt of a node: its place, its token, its time limit, and the border to the runtime's code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

import trio
from trio.lowlevel import checkpoint_if_cancelled, disable_ki_protection

from ..expression import truthy
from ..expression.scope import Overlay, Scope
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.raised import error_of, first_of
from ..scheduler.signals import Failed
from ..types.events import AttemptStarted, TokenAwaited, TokenTaken
from .context import RunContext
from .contexts import InContext
from .failures import note_node
from .frame import Frame, Outcome, Place
from .limiting import hold, take_token
from .program import Step
from .regions import Region


class Attempts(ABC):
    """Does a node's work once. What needs no ``await`` is decided in plain functions, which give what is to be
    awaited: every coroutine between a node and its runtime is paid for at each of its steps.
    """

    __slots__ = ("run",)

    def __init__(self, run: RunContext) -> None:
        self.run: RunContext = run

    @abstractmethod
    def handle(self, asked: Any, place: Place) -> Awaitable[Outcome]:
        """Do what a control node's runtime asks for."""

    async def attempt(self, step: Step, frame: Frame, path: str, number: int = 1) -> Outcome:
        """Run one attempt of a node (the ``number``-th, from 1).

        An error comes back as a value, with a note of where it came from.
        """
        try:
            place = self._place(step, frame, path)
            if place is None:
                return Outcome(skipped=True)
            if self.run.observers:
                self._tell_attempt(place, number)
            outcome = await self._perform(place)
            signal = outcome.signal
            if self.run.masker is not None and isinstance(signal, Failed):
                outcome.signal = Failed(self.run.masked(signal.error), signal.origin)
            return outcome
        except BaseException as exc:
            raised = exc
            error = error_of(exc)
        if error is None:
            raise first_of(raised)
        return self.fail(step, path, error)

    def fail(self, step: Step, path: str, error: BaseException) -> Outcome:
        """A node's work that came to an error: without secrets, and with a note of where it left."""
        error = self.run.masked(error)
        note_node(error, self.run.record.number, step.node, path)
        return Outcome(signal=Failed(error))

    def _place(self, step: Step, frame: Frame, path: str) -> Place | None:
        """Where a node is to run, with its own input; None where its ``if`` does not hold."""
        scope: Scope = frame.state
        input = frame.input
        if step.input is not None:
            input = step.input(scope)
            scope = Overlay(scope, {"input": input})
        if step.condition is not None and not truthy(step.condition(scope)):
            return None
        return Place(step, frame, path, input, scope)

    def _tell_attempt(self, place: Place, number: int) -> None:
        node, shown = place.step.node, self.run.shown(place.input)
        self.run.notify(
            AttemptStarted(
                time=trio.current_time(), path=place.path, node=node, attempt=number, input=shown
            )
        )

    def _perform(self, place: Place) -> Awaitable[Outcome]:
        step, limiter = place.step, self.run.limiter
        if limiter is not None and not step.is_control:
            return self._with_token(limiter, place)
        return self._act(place) if step.timeout is None else self._limit_time(place)

    async def _with_token(self, limiter: trio.CapacityLimiter, place: Place) -> Outcome:
        token = place.token = object()
        run, node = self.run, place.step.node
        waits = bool(run.observers) and limiter.available_tokens < 1
        if waits:
            run.notify(TokenAwaited(time=trio.current_time(), path=place.path, node=node))
        await take_token(limiter, token)
        try:
            if waits:
                run.notify(TokenTaken(time=trio.current_time(), path=place.path, node=node))
            await checkpoint_if_cancelled()  # it may have been while the token was taken
            return await self._limit_time(place)
        finally:
            limiter.release_on_behalf_of(token)

    def _limit_time(self, place: Place) -> Awaitable[Outcome]:
        timeout = place.step.timeout
        if timeout is None:
            return self._act(place)
        return self.within(timeout(place.scope), place, self._act)

    async def within(
        self, seconds: float, place: Place, work: Callable[[Place], Awaitable[Outcome]]
    ) -> Outcome:
        """Do a node's work within that time; raises ``trio.TooSlowError`` when it has passed.

        A node that would wake at the instant of the deadline is too slow, and so is one that ended
        normally although its deadline had passed before.
        """
        with trio.CancelScope(deadline=trio.current_time() + seconds) as scope:
            place.region = Region(place.region, place.path, scope)
            outcome = await work(place)
        late = scope.cancel_called and trio.current_time() > scope.deadline
        if scope.cancelled_caught or (late and outcome.signal is None):
            raise trio.TooSlowError(f"{place.step.label!r} took longer than {seconds:g} s")
        return outcome

    def _act(self, place: Place) -> Awaitable[Outcome]:
        step = place.step
        params = ExecutionParams(
            step.node,
            step.config(place.scope),
            place.input,
            place.scope,
            self.run,
            step.reads_only,
            step.parts,
        )
        if step.is_control:
            return self._control(step.runtime, params, place)
        if step.is_ours:
            return _call_ours(step.runtime, params)
        context = copy_context()
        if place.token is not None and self.run.limiter is not None:
            hold(context, self.run.limiter, place.token)
        return InContext(_call(step.runtime, params), context)

    async def _control(
        self, runtime: NodeRuntime, params: ExecutionParams, place: Place
    ) -> Outcome:
        asked = (await _call(runtime, params)).output
        return await self.handle(asked, place)


async def _call_ours(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """A built-in runtime: Ctrl-C reaches it at its next checkpoint, and in the middle of nothing."""
    return Outcome(await runtime.execute(params))


@disable_ki_protection
async def _call(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """The border to code that is not the engine's: from here on Ctrl-C may arrive between any two bytecodes."""
    return Outcome(await runtime.execute(params))
