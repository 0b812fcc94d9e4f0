"""Owns clean-up: ``<finally>``, ``<compensate>`` and ``<on-workflow-error>``, shielded and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from ..scheduler.signals import Failed, Signal
from .frame import Frame
from .program import CompiledBody
from .regions import Region
from .state import State
from .walk import Walk


async def run_cleanup(
    walk: Walk,
    body: CompiledBody,
    state: State,
    path: str,
    input: Any,
    bound: Mapping[str, Any] | None = None,
) -> BaseException | None:
    """Run a clean-up body to its end, whatever is being cancelled around it; its error, or None.

    It is shielded from cancellation and bounded by its own ``timeout``.
    """
    seconds = 10.0 if body.settings is None else body.settings(state).timeout
    inner_state = state.fork(bound or {})
    with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds) as scope:
        frame = Frame(inner_state, path, Region(None, path.rstrip("/"), scope), input)
        signal = await walk.run_body(body, frame)
        if isinstance(signal, Failed):
            return signal.error
    if scope.cancelled_caught:
        return trio.TooSlowError(f"clean-up at {path.rstrip('/')!r} took longer than {seconds:g} s")
    state.publish(inner_state, body.inner_ids, variables=True)
    return None


async def with_finally(walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
    """Run a body's nodes and then, however they ended, its ``<finally>``.

    An error of the ``<finally>`` surfaces only if nothing else does, but in the place of ``Cancelled``.
    """
    assert body.cleanup is not None
    raised: BaseException | None = None
    signal: Signal | None = None
    try:
        signal = await walk.run_nodes(body, frame)
    except BaseException as exc:
        raised = exc
    path = f"{frame.path}finally/"
    error = await run_cleanup(walk, body.cleanup, frame.state, path, frame.input)
    surfaces = raised is None or isinstance(raised, trio.Cancelled)
    if error is not None and surfaces and not isinstance(signal, Failed):
        return Failed(error)
    if raised is not None:
        raise raised
    return signal


async def compensate(walk: Walk, view: Mapping[str, Any]) -> list[BaseException]:
    """Run the compensations of a run's nodes that succeeded, in reverse order of completion; their errors."""
    errors = []
    for done in reversed(walk.run.compensations):
        path = f"{done.path}/compensate/"
        error = await run_cleanup(done.walk, done.body, done.state, path, done.input, view)
        if error is not None:
            errors.append(error)
    return errors


async def finish_document(
    walk: Walk, frame: Frame, failed: BaseException | None, view: Mapping[str, Any]
) -> list[BaseException]:
    """Run a document's ``<on-workflow-error>`` if it failed, and then its ``<finally>``; their errors."""
    program = walk.program
    bodies: list[tuple[str, CompiledBody | None]] = [("finally/", program.main.cleanup)]
    if failed is not None:
        bodies.insert(0, ("on-workflow-error/", program.on_error))
    errors = []
    for name, body in bodies:
        if body is not None:
            path = frame.path + name
            error = await run_cleanup(walk, body, frame.state, path, frame.input, view)
            if error is not None:
                errors.append(error)
    return errors
