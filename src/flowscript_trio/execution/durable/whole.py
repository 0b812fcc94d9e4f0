"""Owns what runs whole at a place in a durable run: one execution of the journal, whatever is in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import trio

from ...journal.errors import ErrorFacts
from ...program.compiled import CompiledBody
from ...runtimes.control.results import DocumentResult
from ...runtimes.placing import Place
from ...scheduler.policy import INTERRUPTS
from ...scheduler.signals import Break, Failed, Goto, Return, Signal
from ...types.describing import describe_to_keep
from ...types.durable import Diverged, Interrupted
from ...types.exceptions import is_a
from ...types.location import Location
from ...types.paths import owner_of
from ...types.results import NodeResult
from ...types.stayed import Stayed, StayedMark
from ..frame import Attempt, Frame, Outcome
from ..losing import lose_body
from ..walk import Walk
from .entries import Whole
from .leaves import begin, look_for_earlier
from .recorder import Recorder

Kept = list[Any] | None

_SIGNALS: dict[str, type[Break | Goto | Return]] = {"break": Break, "goto": Goto, "return": Return}


async def run_body_whole(
    walk: Walk, recorder: Recorder, place: Place, body: CompiledBody, frame: Frame
) -> Signal | None:
    """A branch or an iteration at its place."""

    async def work() -> Outcome:
        signal = await place.run_body(walk, body, frame)
        return Outcome(frame.output, signal)

    key = owner_of(frame.prefix)
    try:
        done = await _run_whole(
            walk,
            recorder,
            key,
            key,
            frame,
            work,
            body.location,
            body.inner_ids,
            frame.input,
            _on_crash(walk, body.key),
        )
    except (Diverged, Interrupted) as exc:
        return lose_body(walk, body, frame, exc)
    frame.output = done.output
    return done.signal


async def run_document_whole(
    walk: Walk, recorder: Recorder, place: Place, result: DocumentResult, attempt: Attempt
) -> Outcome:
    """The document of an include or a call at its place."""

    def work() -> Awaitable[Outcome]:
        return place.run_document(walk, result, attempt)

    step, given = attempt.step, [dict(result.arguments), attempt.input]
    return await _run_whole(
        walk,
        recorder,
        attempt.inner,
        step.label,
        attempt.frame,
        work,
        step.location,
        (),
        given,
        _on_crash(walk, step.key),
    )


def _on_crash(walk: Walk, key: int) -> str:
    """What becomes of the whole where the process dies at it: if a node in it may not begin again, it may not."""
    return "fail" if walk.program.placed[key].is_once else "retry"


async def _run_whole(
    walk: Walk,
    recorder: Recorder,
    key: str,
    label: str,
    frame: Frame,
    work: Callable[[], Awaitable[Outcome]],
    location: Location,
    names: Collection[str],
    given: Any,
    on_crash: str,
) -> Outcome:
    """Do ``work``, which runs elsewhere, unless an earlier process saw it end: then it ends so again.

    ``names`` are the ids of the nodes in it that are seen from here. It is on disk before it begins. Cancellation
    passes through, and nothing is written of it; what the work raises is raised again.
    """
    known = recorder.past.wholes.get(key)
    if known is not None and not known.again:
        if recorder.retold is not None:
            await recorder.retold(key, 1)
        recorder.outcomes.take_up(key, 1, frame.state)
        return _restore(walk, recorder, known, frame, location)
    if not recorder.acts:
        await trio.sleep_forever()
    digest = recorder.digests.of({"given": given})
    if recorder.past.started:
        await look_for_earlier(recorder, key, 1, label, digest, on_crash)
    begin(recorder, key, 1, digest)
    await recorder.journal.synced()
    if recorder.decisions.pending:
        await recorder.decisions.hold(frame.region)
    state = frame.state
    cookies = state.cookies
    before = {name: state.node(name) for name in names}
    try:
        done = await work()
    except Exception as exc:
        await _write(walk, recorder, key, Outcome(signal=Failed(exc)), {})
        raise
    has_set_some = state.cookies is not cookies
    if has_set_some:
        recorder.outcomes.set_cookies(key, 1, cookies, state.cookies)
    made = {name: found for name in names if (found := state.node(name)) is not before[name]}
    await _write(walk, recorder, key, done, made, has_set_some)
    return done


async def _write(
    walk: Walk,
    recorder: Recorder,
    key: str,
    done: Outcome,
    made: dict[str, Any],
    sealed: bool = False,
) -> None:
    signal = done.signal
    failed = signal.error if isinstance(signal, Failed) else None
    if failed is not None and is_a(failed, INTERRUPTS):
        return
    spending = walk.run.spending
    spent = (0, 0, 0) if spending is None else spending.take_elsewhere(key)
    results = [_row(recorder, name, found) for name, found in made.items()]

    def entry() -> Whole:
        at, error = recorder.clock.pass_now, _packed(recorder, failed)
        return Whole(key, at, done.output, _kept(signal), error, results, list(spent))

    await recorder.journal.write_large(entry, [done.output, results], sealed)


def _row(recorder: Recorder, name: str, found: Any) -> list[Any]:
    """A node in it as it is kept; of an output that stayed on its worker, that it did."""
    error = _packed(recorder, found.error)
    if isinstance(found, StayedMark):
        left = found.stayed
        return [name, found.status, None, error, [left.kind, left.worker, left.why]]
    return [name, found.status, found.output, error]


def _packed(recorder: Recorder, error: BaseException | None) -> ErrorFacts | None:
    return None if error is None else recorder.coding.encode_error(error, describe_to_keep(error))


def _kept(signal: Signal | None) -> Kept:
    """A signal as plain data."""
    match signal:
        case Break(loop):
            return ["break", loop]
        case Goto(target):
            return ["goto", target]
        case Return(output):
            return ["return", output]
        case _:
            return None


def _restore(
    walk: Walk, recorder: Recorder, known: Whole, frame: Frame, location: Location
) -> Outcome:
    if walk.run.spending is not None:
        walk.run.spending.note_elsewhere(known.key, *known.spent)
    for name, status, output, packed, *stayed in known.results:
        error = None if packed is None else recorder.coding.decode_error(packed)
        path, now = f"{frame.prefix}{name}", trio.current_time()
        result = NodeResult(name, name, path, status, output, now, 0.0, location, error)
        seen: NodeResult | StayedMark = result
        if stayed:
            result.output = Stayed(*stayed[0])
            seen = StayedMark(name, result.output, result)
        frame.state.record(name, seen)  # type: ignore[arg-type]
        walk.run.record.add(hash(location), name, result, inner=False)
    signal: Signal | None = None
    if known.error is not None:
        signal = Failed(recorder.coding.decode_error(known.error))
    elif known.signal is not None:
        kind, given = known.signal
        signal = _SIGNALS[kind](given)
    return Outcome(known.output, signal)
