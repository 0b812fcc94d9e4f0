"""Owns the nodes that stand in for another: how a handler is run, and the one for a time that has passed."""

from __future__ import annotations

from ..program.compiled import Step
from ..scheduler.signals import Failed
from ..types.describing import describe_safely
from ..types.paths import ON_TIMEOUT, part_path, prefix_in
from .bounds import took_too_long
from .compensating import compensate_inside, failed_undoing
from .frame import Attempt, Frame, Outcome
from .walk import Walk


async def be_late(walk: Walk, attempt: Attempt, seconds: float) -> Outcome:
    """What follows when the time of a node has passed: its handler, else ``trio.TooSlowError``.

    The handler runs once what succeeded in a block is undone.
    """
    error = took_too_long(repr(attempt.step.label), seconds)
    handler = attempt.step.on_timeout
    if handler is None:
        raise error
    undone = await compensate_inside(walk, attempt.inner, error) if attempt.step.undoes else []
    path = part_path(attempt.inner, ON_TIMEOUT)
    outcome = await run_handler(walk, handler, attempt.step, attempt.frame, path, error)
    if undone and not isinstance(outcome.signal, Failed):
        return Outcome(signal=failed_undoing(walk, undone))
    return outcome


async def run_handler(
    walk: Walk, handler: Step, step: Step, frame: Frame, path: str, error: BaseException
) -> Outcome:
    """Run a handler in the scope of the node that names it; its output stands for the node's."""
    view = describe_safely(error, step.label)
    state = frame.state.fork({"$error": view, "error": view})
    inner = Frame(state, prefix_in(path), frame.region, frame.input)
    signal = await walk.execute_node(handler, inner)
    if isinstance(signal, Failed):
        return Outcome(signal=signal)
    names = handler.inner_ids if handler.id is None else (handler.id, *handler.inner_ids)
    frame.state.publish(state, names, variables=True)
    return Outcome(inner.output, signal)
