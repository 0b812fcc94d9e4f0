"""Owns the walk through a whole document: that of the run, and those that its nodes include or call."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import trio

from ..expression.scope import Services
from ..program.compiled import Program
from ..runtimes.control.results import DocumentResult
from ..scheduler.policy import INTERRUPTS, first_to_surface
from ..scheduler.signals import Failed, Return, Signal
from ..types.ast import Document
from ..types.describing import describe_safely
from ..types.errors import OutputError
from ..types.exceptions import is_a
from ..types.paths import END, bound_path, cleanup_path, owner_of, prefix_in
from ..types.results import CANCELLED, SKIPPED
from .bounds import LATE, bounded, took_too_long
from .cleanup import finish_document
from .compensating import compensate
from .frame import Attempt, Frame, Outcome
from .inputs import Secrets, check_config, check_input, check_output, with_defaults
from .journalled import timer_of
from .regions import Region
from .spending import Spending
from .state import State
from .walk import Walk


async def walk_document(
    walk: Walk, frame: Frame, seconds: float | None, *, is_run: bool
) -> Signal | None:
    """Run a document's nodes, at most ``seconds``, then what follows however they ended.

    Compensations are the run's: they follow the document that it began with. The error that comes back is
    that of the nodes, else the first of the clean-up. Cancellation passes through once the clean-up,
    which is shielded, has run.
    """
    signal: Signal | None = None
    raised: BaseException | None = None
    began = walk.run.passes.now
    try:
        if is_run and walk.run.spending is not None:
            nodes = _walk_in_budget(walk, walk.run.spending, frame, seconds)
        else:
            nodes = _walk_in_time(walk, frame, seconds)
        if walk.run.recorder is not None:
            from .durable.ends import note_begun, until_over  # only a run with a store needs them

            if frame.prefix and walk.program.main.cleanup is not None:
                note_begun(walk.run.recorder, owner_of(frame.prefix))
            nodes = until_over(walk.run.recorder, cleanup_path(frame.prefix, END), nodes)
        signal = await nodes
        if isinstance(signal, Return):
            frame.output = signal.output
            signal = None
        if signal is None and walk.program.document.output:
            signal = _judge_output(walk, frame.output)
        if is_run and not isinstance(signal, Failed):
            if walk.run.passes.now == began:
                await trio.lowlevel.cancel_shielded_checkpoint()
            await trio.lowlevel.checkpoint_if_cancelled()  # the last moment to be cancelled in
    except BaseException as exc:
        raised = exc
    if is_run and walk.run.spending is not None:
        signal, raised = _settle(walk, walk.run.spending, signal, raised)
    failed = signal.error if isinstance(signal, Failed) else None
    main = walk.program.main
    if main.cleanup is not None or walk.program.on_error is not None:
        went_wrong = failed is not None or raised is not None
        frame.state.settle(main.inner_ids, CANCELLED if went_wrong else SKIPPED)
    source = None if failed is None else walk.run.record.source_of(failed)
    view = {} if failed is None else {"$error": describe_safely(failed, source)}
    errors = [] if failed is None else [failed]
    if is_run and (failed is not None or raised is not None):
        errors += await compensate(walk, view)
    handled = None if is_a(failed, INTERRUPTS) else failed
    errors += await finish_document(walk, frame, handled, view)
    if raised is not None and (not errors or not is_a(raised, trio.Cancelled)):
        raise raised
    if not errors:
        return signal
    first = first_to_surface(errors)
    return signal if first is failed else Failed(first)


def _judge_output(walk: Walk, output: Any) -> Failed | None:
    """The failure of a document whose output is not what it declares."""
    try:
        check_output(walk.program.document, output)
    except OutputError as exc:
        return Failed(walk.run.masked(exc))
    return None


async def _walk_in_budget(
    walk: Walk, spending: Spending, frame: Frame, seconds: float | None
) -> Signal | None:
    """Run the nodes of the run within the seconds of its budget."""
    most = spending.budget.seconds
    if most is None:
        return await _walk_in_time(walk, frame, seconds)

    def work(region: Region) -> Awaitable[Signal | None]:
        frame.region = region
        return _walk_in_time(walk, frame, seconds)

    recorder = walk.run.recorder
    timer = None
    if recorder is not None:
        from .durable.budgets import BudgetTimer

        timer = BudgetTimer(recorder, spending, most)
    signal = await bounded(most, frame.region, owner_of(frame.prefix), work, timer=timer)
    if signal is LATE:
        return Failed(spending.exceeded or spending.exceed("seconds"))
    return signal


def _settle(
    walk: Walk, spending: Spending, signal: Signal | None, raised: BaseException | None
) -> tuple[Signal | None, BaseException | None]:
    """What the nodes of the run came to: where they exceeded the budget it is that, but for an interrupt."""
    spending.is_over = True
    error = spending.exceeded
    found = signal.error if isinstance(signal, Failed) else raised
    if error is None or is_a(found, INTERRUPTS) or found is error:
        return signal, raised
    return Failed(error, walk.run.record.origin_of(error)), None


async def _walk_in_time(walk: Walk, frame: Frame, seconds: float | None) -> Signal | None:
    main = walk.program.main
    if seconds is None:
        return await walk.run_nodes(main, frame)

    def work(region: Region) -> Awaitable[Signal | None]:
        frame.region = region
        return walk.run_nodes(main, frame)

    path = owner_of(frame.prefix)
    timer = timer_of(walk.run.recorder, bound_path(path, "document"), seconds)
    signal = await bounded(seconds, frame.region, path, work, timer=timer)
    if signal is LATE:
        return Failed(took_too_long(repr(walk.program.document.name), seconds))
    return signal


async def handle_document_result(walk: Walk, result: DocumentResult, attempt: Attempt) -> Outcome:
    """Run the document that an ``<include>`` or a ``<call>`` names; only its output comes back.

    Cancellation reaches its nodes as those of a block; its clean-up runs to the end.
    """
    if attempt.step.place is not None:
        place = walk.run.places[attempt.step.place]
        if walk.run.recorder is not None:
            from .durable.whole import run_document_whole

            return await run_document_whole(walk, walk.run.recorder, place, result, attempt)
        ended: Outcome = await place.run_document(walk, result, attempt)
        return ended
    return await run_document(walk, result, attempt)


async def run_document(walk: Walk, result: DocumentResult, attempt: Attempt) -> Outcome:
    """Run the document of an ``<include>`` or a ``<call>`` here, whatever place it has."""
    program = attempt.step.linked
    assert program is not None, "a document that runs another was linked when it was read"
    input = check_input(program.document, _input_of(result, attempt))
    services = walk.run.services_of(attempt.path, f"document {attempt.number}")
    state = _enter(program, result, input, attempt, services)
    if not result.isolated:
        state.take_cookies(attempt.frame.state)
    limit = program.max_concurrency
    asked = walk.max_concurrency if limit is None else limit(state)
    inner = walk.enter(program, walk.run.capped(asked))
    frame = Frame(state, prefix_in(attempt.inner), attempt.region, input)
    seconds = None if program.timeout is None else program.timeout(state)
    signal = await walk_document(inner, frame, seconds, is_run=False)
    if not result.isolated:
        attempt.frame.state.take_cookies(state)
    return Outcome(frame.output, signal)


def _input_of(result: DocumentResult, attempt: Attempt) -> Any:
    """What the document sees as its ``$input``: its arguments, else the input that the node names."""
    if not result.arguments and attempt.step.input is not None:
        return attempt.input
    return dict(result.arguments)


def _enter(
    program: Program, result: DocumentResult, input: Any, attempt: Attempt, services: Services
) -> State:
    document, scope = program.document, attempt.scope
    inherited = {} if result.isolated else scope.value("$config")
    declared = {parameter.name for parameter in document.parameters}
    given = {name: value for name, value in result.arguments.items() if name in declared}
    secrets = scope.value("$secrets")
    if result.isolated:
        names = {secret.name for secret in document.secrets}
        secrets = {name: value for name, value in secrets.held.items() if name in names}
    return root_state(
        document,
        services,
        variables=result.arguments,
        config=check_config(document, {**inherited, **given}, "the arguments of"),
        input=input,
        secrets=Secrets(document, secrets),
        env={} if result.isolated else scope.value("$env"),
        run=scope.value("$run"),
    )


def root_state(
    document: Document,
    services: Services,
    *,
    variables: Mapping[str, Any],
    config: Mapping[str, Any],
    input: Any,
    secrets: Secrets,
    env: Mapping[str, str],
    run: Mapping[str, Any],
) -> State:
    """The scope that a document begins with: its arguments, which are variables, and the ``$`` names."""
    parameters = {parameter.name: config[parameter.name] for parameter in document.parameters}
    names = {
        "input": input,
        "$input": with_defaults(document, input),
        "$config": config,
        "$secrets": secrets,
        "$env": env,
        "$run": run,
    }
    root = State(None, services, names)
    for name, value in {**variables, **parameters}.items():
        root.assign(name, value)
    return root.fork(shared=True)
