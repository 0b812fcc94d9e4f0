"""Owns one attempt of a node: its scope, its token, its time limit, and the border to the runtime's code.

What needs no ``await`` is decided in plain functions, which give what is to be awaited: every coroutine between
a node and its runtime is paid for at each of its steps.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial

import trio
from trio.lowlevel import checkpoint_if_cancelled, disable_ki_protection

from ..expression import truthy
from ..expression.scope import Overlay, Scope
from ..program.compiled import Step
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.raised import error_of
from ..scheduler.signals import Failed
from ..types.ast import TimeoutNode
from ..types.events import AttemptStarted, TokenAwaited, TokenTaken
from ..types.exceptions import forget_catcher, traceback_of
from ..types.paths import bound_path
from .bounds import LATE, bounded, took_too_long
from .compensating import without_losers
from .context import RunContext
from .contexts import InContext
from .cutting import noting_a_cut
from .failures import note_node
from .frame import Attempt, Frame, Outcome
from .handlers import be_late
from .journalled import acting, performing, timer_of
from .limiting import hold, take_token
from .regions import Region
from .taking import with_limits
from .walk import Walk


def make_attempt(
    walk: Walk, step: Step, frame: Frame, path: str, number: int = 1
) -> Awaitable[Outcome]:
    """What runs one attempt of a node (the ``number``-th, from 1), to be awaited.

    What the node raises is raised, here or when it is awaited: :func:`caught` says what it comes to.
    """
    run = walk.run
    attempt = _begin(walk, step, frame, path, number)
    if attempt is None:
        return _pass_over()
    if run.observers:
        _tell_attempt(walk, attempt)
    recorder = run.recorder
    if (
        step.is_control
        or run.spending is not None
        or (recorder is not None and (step.limits or run.masker is not None))
        or (run.masker is not None and step.timeout is not None)  # what handles it gives errors
    ):
        return _attend(walk, attempt)
    if recorder is not None:
        return performing()(walk, recorder, attempt, _perform)
    return _perform_within_limits(walk, attempt)


def _perform_within_limits(walk: Walk, attempt: Attempt) -> Awaitable[Outcome]:
    """An attempt in a run without a store, while it has the limits that it names."""
    if attempt.step.limits:
        return with_limits(walk, attempt, _perform)
    return _perform(walk, attempt)


async def _pass_over() -> Outcome:
    return Outcome(skipped=True)


async def _attend(walk: Walk, attempt: Attempt) -> Outcome:
    """An attempt in a run that counts, keeps, undoes or hides something of it."""
    step, path, number = attempt.step, attempt.path, attempt.number
    spending, recorder = walk.run.spending, walk.run.recorder
    if spending is not None:
        if recorder is not None and recorder.past.had_begun(path, number):
            spending.recount_node(path)
        else:
            spending.count_node(path)
        spending.keep(attempt.input, path)
    if recorder is not None:
        perform: Callable[[Walk, Attempt], Awaitable[Outcome]] = _perform
        if step.limits:
            from .durable.limited import limited

            perform = limited(_perform)
        outcome = await performing()(walk, recorder, attempt, perform)
    else:
        outcome = await _perform_within_limits(walk, attempt)
    if spending is not None:
        spending.keep(outcome.output, path)
    if outcome.lost is not None and walk.run.compensations:
        outcome = await without_losers(walk, attempt, outcome)
    signal = outcome.signal
    if walk.run.masker is not None and isinstance(signal, Failed):
        outcome.signal = Failed(walk.run.masked(signal.error), signal.origin)
    return outcome


def caught(walk: Walk, step: Step, path: str, number: int = 1) -> Outcome | None:
    """What the exception that its caller handles makes of an attempt; None: it has to pass on.

    An error of the node's becomes a value, with a note of where it came from.
    """
    raised = sys.exception()
    assert raised is not None
    error = error_of(raised)
    if error is None:
        return None
    if traceback_of(error) is traceback_of(raised):
        forget_catcher(error)
    outcome = fail(walk, step, path, error)
    if walk.run.recorder is not None:
        from .durable.leaves import note_failure

        note_failure(walk.run.recorder, step, path, number, outcome)
    return outcome


def fail(walk: Walk, step: Step, path: str, error: BaseException) -> Outcome:
    """A node's work that came to an error: without secrets, and with a note of where it left."""
    error = walk.run.masked(error)
    note_node(error, walk.run.record.number, step.node, path)
    return Outcome(signal=Failed(error))


def _begin(walk: Walk, step: Step, frame: Frame, path: str, number: int) -> Attempt | None:
    """Where a node is to run, with its own input; None where its ``if`` does not hold."""
    scope: Scope = frame.state
    if step.draws or (step.reads_clock and walk.run.recorder is not None):
        scope = Overlay(scope, {"$attempt": number}, walk.run.services_of(path, number))
    input = frame.input
    if step.input is not None:
        input = step.input(scope)
        scope = Overlay(scope, {"input": input})
    if step.condition is not None and not truthy(step.condition(scope)):
        return None
    return Attempt(step, frame, path, number, input, scope)


def _tell_attempt(walk: Walk, attempt: Attempt) -> None:
    run, path = walk.run, attempt.path
    event = AttemptStarted(
        time=trio.current_time(),
        path=path,
        execution=run.numbers.of(path),
        node=attempt.step.node,
        attempt=attempt.number,
        input=run.shown(attempt.input),
    )
    run.notify(event)


def _perform(walk: Walk, attempt: Attempt) -> Awaitable[Outcome]:
    step, limiter = attempt.step, walk.run.limiter
    if limiter is not None and not step.is_control:
        return _with_token(walk, limiter, attempt)
    return _act(walk, attempt) if step.timeout is None else _limit_time(walk, attempt)


async def _with_token(walk: Walk, limiter: trio.CapacityLimiter, attempt: Attempt) -> Outcome:
    token = attempt.token = object()
    run, node = walk.run, attempt.step.node
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
        return await _limit_time(walk, attempt)
    finally:
        limiter.release_on_behalf_of(token)


def _limit_time(walk: Walk, attempt: Attempt) -> Awaitable[Outcome]:
    step = attempt.step
    if step.timeout is None or step.keeps:
        return _act(walk, attempt)
    return _within(walk, step.timeout(attempt.scope), attempt)


async def _within(walk: Walk, seconds: float, attempt: Attempt) -> Outcome:
    def work(region: Region) -> Awaitable[Outcome]:
        attempt.region = region
        return _act(walk, attempt)

    recorder, is_control = walk.run.recorder, attempt.step.is_control
    key = bound_path(attempt.inner, "timeout")
    timer = timer_of(recorder, key, seconds) if is_control else None
    outcome = await bounded(seconds, attempt.region, attempt.path, work, timer=timer)
    if outcome is not LATE:
        return outcome
    if recorder is not None and not is_control:
        from .durable.leaves import note_late

        note_late(recorder, attempt.path, attempt.number, seconds)
    if isinstance(attempt.step.node, TimeoutNode):  # its handler is for its duration
        raise took_too_long(repr(attempt.step.label), seconds)
    return await be_late(walk, attempt, seconds)


def _act(walk: Walk, attempt: Attempt) -> Awaitable[Outcome]:
    step = attempt.step
    config = step.config(attempt.scope)
    run = walk.run
    spending = run.spending
    if spending is not None:
        spending.keep(config, attempt.path)
    has_view = spending is not None or run.recorder is not None or run.is_part_of_durable
    params = ExecutionParams(
        step.node,
        config,
        attempt.input,
        attempt.scope,
        run,
        step.reads_only,
        step.parts,
        attempt if has_view or not step.is_builtin else None,
    )
    work: Awaitable[Outcome]
    if step.is_control:
        work = _control(walk, step.runtime, params, attempt)
    elif run.recorder is not None:
        work = acting()(
            run, run.recorder, attempt, config, partial(_call_leaf, run, attempt, params)
        )
    else:
        work = _call_leaf(run, attempt, params)
    return noting_a_cut(walk.run, attempt, work) if step.undoes_begun else work


async def _control(
    walk: Walk, runtime: NodeRuntime, params: ExecutionParams, attempt: Attempt
) -> Outcome:
    call = _call(runtime, params)
    # What is around a built-in runtime sets nothing beyond its end, and so nothing for the body.
    asked = await (call if attempt.step.is_builtin else InContext(call, copy_context()))
    return await walk.handle(asked.output, attempt)


def _call_leaf(run: RunContext, attempt: Attempt, params: ExecutionParams) -> Awaitable[Outcome]:
    """The work of a node that runs no others: nothing that runs after it sees what it has set in its context."""
    step = attempt.step
    if step.is_builtin:
        return _call_ours(step.runtime, params)
    work = _call(step.runtime, params)
    if (
        attempt.frame.owns_context
        and step.retry is None
        and step.fallback is None
        and attempt.token is None
        and not run.observers
    ):  # nothing runs after it in this context
        return work
    context = copy_context()
    if attempt.token is not None and run.limiter is not None:
        hold(context, run.limiter, attempt.token)
    return InContext(work, context)


async def _call_ours(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """A built-in runtime: Ctrl-C reaches it at its next checkpoint, and in the middle of nothing."""
    return Outcome(await runtime.execute(params))


@disable_ki_protection
async def _call(runtime: NodeRuntime, params: ExecutionParams) -> Outcome:
    """The border to code that is not the engine's: from here on Ctrl-C may arrive between any two bytecodes."""
    return Outcome(await runtime.execute(params))
