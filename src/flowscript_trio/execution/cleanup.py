"""Owns clean-up: ``<finally>``, ``<compensate>`` and ``<on-workflow-error>``, shielded and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from ..scheduler.policy import first_to_surface
from ..scheduler.signals import Failed, Signal
from ..types.results import NodeResult
from .context import CLEANUP_SECONDS
from .frame import Frame
from .marks import note
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

    It is shielded from cancellation and bounded by its own ``timeout``. Where the settings fail, that is an
    error of the clean-up, which is done all the same, within the usual bound.
    """
    seconds, error = CLEANUP_SECONDS, None
    try:
        seconds = CLEANUP_SECONDS if body.settings is None else body.settings(state).timeout
    except Exception as exc:
        error = _record_settings(walk, body, path.rstrip("/"), exc)
    inner_state = state.fork(bound or {})
    with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds) as scope:
        frame = Frame(inner_state, path, Region(None, path.rstrip("/"), scope), input)
        signal = await walk.run_body(body, frame)
        if isinstance(signal, Failed):
            return signal.error if error is None else first_to_surface([error, signal.error])
    if error is not None:
        return error
    if scope.cancelled_caught:
        return trio.TooSlowError(f"clean-up at {path.rstrip('/')!r} took longer than {seconds:g} s")
    state.publish(inner_state, body.inner_ids, variables=True)
    return None


def _record_settings(
    walk: Walk, body: CompiledBody, path: str, raised: BaseException
) -> BaseException:
    """Put on the record that the settings of a clean-up failed; the error without secrets."""
    run = walk.run
    error, label, now = run.masked(raised), path.rpartition("/")[2], trio.current_time()
    note(
        error, run.record.number, f"flowscript: the settings of <{label}> at {body.location} failed"
    )
    result = NodeResult(None, label, path, "failed", None, now, 0.0, body.location, error)
    run.record.add(id(body), label, result, inner=False)
    return error


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
    if error is not None and _surfaces(error, signal, raised):
        return Failed(error)
    if raised is not None:
        raise raised
    return signal


def _surfaces(error: BaseException, signal: Signal | None, raised: BaseException | None) -> bool:
    """Whether the error of a clean-up goes before what ended the body."""
    if isinstance(signal, Failed):
        return first_to_surface([signal.error, error]) is error
    return raised is None or isinstance(raised, trio.Cancelled)


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
