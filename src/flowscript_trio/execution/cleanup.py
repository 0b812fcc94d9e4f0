"""Owns clean-up bodies, shielded and bounded: when a ``<finally>`` and an ``<on-workflow-error>`` run."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import trio

from ..expression.scope import Overlay
from ..program.compiled import CompiledBody
from ..scheduler.policy import INTERRUPTS, first_to_surface
from ..scheduler.raised import error_of_call, goes_before, interrupt_held_back
from ..scheduler.signals import Failed, Signal
from ..types.looking import summary_of
from ..types.paths import FINALLY, ON_WORKFLOW_ERROR, cleanup_path, label_of, owner_of, prefix_in
from ..types.results import CANCELLED, SKIPPED, NodeResult
from .bounds import CLEANUP_SECONDS, LATE, Late, bounded, took_too_long
from .frame import Frame
from .marks import note
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
    after: NodeResult | None = None,
) -> BaseException | None:
    """Run a clean-up body to its end, whatever is being cancelled around it; its error, or None.

    What undoes a node sees the result that it comes ``after``, whatever the node came to later. It is shielded
    from cancellation and bounded by its own ``timeout``. Where the settings fail, that is an error of the
    clean-up, which is done all the same, within the usual bound. A Ctrl-C that came before it is an error beside
    it; one that comes meanwhile ends it, and no other clean-up.
    """
    recorder = walk.run.recorder
    if recorder is not None and recorder.leaving.is_left:
        return None  # whoever resumes the run owes it
    inner_state = _seen_after(state, bound or {}, after)
    seconds = CLEANUP_SECONDS
    errors: list[BaseException] = []
    if (interrupt := await interrupt_held_back()) is not None:
        errors.append(interrupt)
    try:
        if body.settings is not None:
            own = Overlay(inner_state, {}, walk.run.services_of(path, "settings"))
            seconds = body.settings(own).timeout
    except BaseException as exc:
        raised = error_of_call(exc, "the settings raised")
        errors.append(_record(walk, body, path, raised, "the settings of "))
    spending = walk.run.spending
    allowed = seconds if spending is None else spending.begin_cleanup(seconds)
    known = None if recorder is None else recorder.past.late.get((path, 1))
    left = allowed
    if recorder is not None and known is not None:
        # An earlier process saw it to be late: so it is again, and what had begun in it is not done again.
        allowed = known.seconds
        left = -1.0 if recorder.retold is None else allowed
    scope: trio.CancelScope | None = None

    def work(region: Region) -> Awaitable[Signal | None]:
        nonlocal scope
        if spending is not None and region.scope is not None:
            scope = region.scope
            spending.hold(scope)
        frame = Frame(inner_state, prefix_in(path), region, input)
        if recorder is not None:
            return recorder.leaving.in_shield(region.scope, walk.run_body(body, frame))
        return walk.run_body(body, frame)

    signal: Signal | Late | None = None
    try:
        signal = await bounded(left, None, path, work, shield=True)
    except INTERRUPTS as exc:
        signal = Failed(exc)
    finally:
        if spending is not None:
            spending.end_cleanup(scope)
    if isinstance(signal, Failed):
        errors.append(signal.error)
        if recorder is not None:
            from .durable.owing import note_owed  # only a run with a store needs it

            note_owed(walk, body, path, signal)
    elif signal is LATE:
        if recorder is not None:
            from .durable.leaves import note_late  # only a run with a store needs it

            note_late(recorder, path, 1, allowed)
        late: BaseException
        if spending is not None:
            late = spending.error_of_cleanup(path, seconds, allowed)
        else:
            late = took_too_long(f"clean-up at {path!r}", seconds)
        errors.append(_record(walk, body, path, late, "", known=bool(errors)))
    else:
        state.publish(inner_state, body.inner_ids, variables=True)
    return first_to_surface(errors) if errors else None


def _seen_after(state: State, bound: Mapping[str, Any], after: NodeResult | None) -> State:
    """The scope of a clean-up: a layer over that of its node."""
    layer = state.fork(bound)
    if after is not None and after.id is not None:
        layer.record(after.id, after)
    return layer


def _record(
    walk: Walk,
    body: CompiledBody,
    path: str,
    raised: BaseException,
    what: str,
    known: bool = False,
) -> BaseException:
    """Put an error of a clean-up that none of its nodes raised on the record; the error without secrets.

    Observers hear of it as well: it may not surface, and no node ends with it. ``what`` says what of the clean-up
    failed, if not all of it. ``known``: it is on the record as failed already, so that this is a warning only.
    """
    run = walk.run
    error, label, now = run.masked(raised), label_of(path), trio.current_time()
    said = f"{what}<{label.removeprefix('@')}> at {body.location} failed"
    note(error, run.record.number, f"flowscript: {said}")
    if not known:
        result = NodeResult(None, label, path, "failed", None, now, 0.0, body.location, error)
        run.record.add(id(body), label, result, inner=False)
    run.note_warning(path, f"{said}: {summary_of(error)}")
    return error


async def with_finally(walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
    """Run a body's nodes and then, however they ended, its ``<finally>``.

    An error of the ``<finally>`` surfaces only if nothing else does, but in the place of ``Cancelled``.
    """
    assert body.cleanup is not None
    raised: BaseException | None = None
    signal: Signal | None = None
    path = cleanup_path(frame.prefix, FINALLY)
    nodes = walk.run_nodes(body, frame)
    if walk.run.recorder is not None:
        from .durable.ends import note_begun, until_over  # only a run with a store needs them

        note_begun(walk.run.recorder, owner_of(frame.prefix))
        nodes = until_over(walk.run.recorder, path, nodes)
    try:
        signal = await nodes
    except BaseException as exc:
        raised = exc
    went_wrong = raised is not None or isinstance(signal, Failed)
    frame.state.settle(body.inner_ids, CANCELLED if went_wrong else SKIPPED)
    error = await run_cleanup(walk, body.cleanup, frame.state, path, frame.input)
    found = signal.error if isinstance(signal, Failed) else raised
    if error is not None and goes_before(error, found):
        return Failed(error, walk.run.record.origin_of(error))
    if raised is not None:
        raise raised
    return signal


async def finish_document(
    walk: Walk, frame: Frame, failed: BaseException | None, view: Mapping[str, Any]
) -> list[BaseException]:
    """Run a document's ``<on-workflow-error>`` if it failed, and then its ``<finally>``; their errors."""
    program = walk.program
    bodies: list[tuple[str, CompiledBody | None]] = [(FINALLY, program.main.cleanup)]
    if failed is not None:
        bodies.insert(0, (ON_WORKFLOW_ERROR, program.on_error))
    errors = []
    for name, body in bodies:
        if body is not None:
            path = cleanup_path(frame.prefix, name)
            error = await run_cleanup(walk, body, frame.state, path, frame.input, view)
            if error is not None:
                errors.append(error)
    return errors
