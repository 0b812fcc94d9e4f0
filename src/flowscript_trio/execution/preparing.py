"""Owns what happens before a run: what the application gave is checked, and everything is made ready."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from ..expression.scope import Limits, Services
from ..program.compiled import Program
from ..program.loading import Flow
from ..program.placing import placed_nodes
from ..scheduler.passes import PassCounter
from ..types.budget import Budget
from ..types.errors import InputError
from ..types.http import HttpOptions
from ..types.masking import Masker
from .context import DEFAULT_MAX_CONCURRENCY, RunContext
from .documents import root_state
from .handle import Run
from .inputs import (
    Secrets,
    check_config,
    check_environment,
    check_input,
    check_limit,
    check_seconds,
    check_secrets,
)
from .masking import mask_error, public_texts
from .named_limits import RunLimits, are_held_around, check_given, check_not_shared
from .options import RunOptions
from .placing import check_places
from .record import Record
from .spending import Spending
from .state import State
from .weighing import WeighedRecord

if TYPE_CHECKING:
    from .durable.opening import Owned
    from .durable.recorder import Recorder, Retold


def check_options(flow: Flow, options: RunOptions) -> None:
    """Check what would be given to :func:`run`, and run nothing; raises InputError."""
    prepare(flow, PassCounter(), options)


def check_submitted(flow: Flow, options: RunOptions) -> None:
    """Check what a run is given itself, wherever it will run: what the application has there is not asked for.

    Raises InputError.
    """
    secrets = Secrets(flow.document, check_secrets(options.secrets or {}))
    masker, services, program = masker_of(flow, options), Services(), flow.program
    with _masking(masker):
        _check_budget(options.budget)
        run = {"id": options.run_id or "", "started": services.now().isoformat()}
        state = _state_of(flow, options, services, secrets, run)
        _max_concurrency_of(program, options, state)
        if program.timeout is not None:
            program.timeout(state)


def prepare(flow: Flow, passes: PassCounter, options: RunOptions) -> Run:
    """Check what the application gave, and make everything ready; nothing runs yet."""
    secrets = check_secrets(options.secrets or {})
    masker = masker_of(flow, options)
    with _masking(masker):
        run, _ = _make_run(flow, passes, options, secrets, masker, None)
    return run


async def prepare_owned(
    flow: Flow,
    passes: PassCounter,
    options: RunOptions,
    owned: Owned,
    retold: Retold | None = None,
) -> Run:
    """The same for a run that is in a store, which is told that it begins once nothing refuses it any more.

    ``retold`` waits until the moment at which an attempt had ended, where the run is only told again.

    Raises StoreFailed, too. A cancellation waits for the store.
    """
    secrets = check_secrets(options.secrets or {})
    masker = masker_of(flow, options)
    with _masking(masker):
        run, context = _make_run(flow, passes, options, secrets, masker, owned)
        if context.limits is not None and owned.past.ended is None:
            await context.limits.announce()
    assert context.recorder is not None
    context.recorder.retold = retold
    context.recorder.begin(owned.began)
    return run


@contextmanager
def _masking(masker: Masker | None) -> Iterator[None]:
    """What is raised inside shows no secret."""
    try:
        yield
    except Exception as exc:
        if masker is not None:
            mask_error(exc, masker)
        raise


def masker_of(flow: Flow, options: RunOptions) -> Masker | None:
    """What hides the secrets that a run is given; None where it is given none."""
    secrets = [secret for secret in (options.secrets or {}).values() if secret]
    return Masker(secrets, partial(public_texts, flow, options)) if secrets else None


def _make_run(
    flow: Flow,
    passes: PassCounter,
    options: RunOptions,
    secrets: Mapping[str, str],
    masker: Masker | None,
    owned: Owned | None,
) -> tuple[Run, RunContext]:
    if options.registry is not None:
        flow = flow.with_registry(options.registry)
    services = Services(random=Random(options.seed))
    services.limits = _bounds_of(options) or services.limits
    services.now = options.now or services.now
    spending = _check_budget(options.budget)
    if spending is not None:
        services.look = spending.look
    # The id is drawn from a generator of its own: it must not shift what a seed gives to expressions.
    run_id = str(UUID(int=Random(options.seed).getrandbits(128), version=4))
    places = check_places(flow.program, options.places, secrets)
    seed = Random().getrandbits(64) if options.seed is None else options.seed
    started = services.now()
    recorder = None
    suspend_after = _check_suspension(options)
    if owned is not None:
        from .durable.budgets import restore_spending  # only a run with a store needs them
        from .durable.inbox import Inbox
        from .durable.recorder import Recorder

        began = owned.began
        run_id, seed, started = owned.journal.run_id, began.seed, began.started
        recorder = Recorder(
            owned.journal,
            owned.past,
            passes,
            owned.coding,
            services.now,
            started,
            options.max_crashes,
            Inbox(owned.journal, owned.coding, owned.answers),
            suspend_after,
            owned.acts,
        )
        if spending is not None:
            restore_spending(spending, owned.past, recorder.parts)
    context = RunContext(
        id=run_id,
        passes=passes,
        limiter=options.limiter,
        base=None if options.base is None else Path(options.base),
        services=services,
        observers=tuple(options.observers),
        secrets=Secrets(flow.document, secrets),
        masker=masker,
        decider=options.decider,
        watchdog=None if options.watchdog is None else check_seconds(options.watchdog, "watchdog"),
        handling=sys.exception(),
        seed=seed,
        http=_check_http(options.http),
        record=_make_record(options.keep, masker, spending),
        spending=spending,
        places=places,
        flow=flow if places else None,
        placed=placed_nodes(flow.program) if places else {},
        recorder=recorder,
    )
    for name in sorted(() if owned is None else owned.changed):
        said = f"the secret {name!r} has a different value from when the run was begun; the new one is used"
        context.record.warn("", said)
    for name in context.secrets.missing:
        context.record.warn("", f"the secret {name!r} was not given")
    run = {"id": run_id, "started": started.isoformat()}
    state = _state_of(flow, options, services, context.secrets, run)
    program = flow.program
    limit = _max_concurrency_of(program, options, state)
    if spending is not None:
        limit = spending.cap(limit)
    if program.limits is not None or (options.limiter is not None and are_held_around()):
        context.limits = _limits_of(flow, program, options, owned, recorder)
        if recorder is not None:
            from .durable.limited import restore_rates

            restore_rates(context.limits, recorder.past, recorder.clock.time)
    timeout = None if program.timeout is None else program.timeout(state)
    return Run(program, context, state, timeout, limit), context


def _state_of(
    flow: Flow, options: RunOptions, services: Services, secrets: Secrets, run: dict[str, str]
) -> State:
    """What a run begins with, of what it is given; raises InputError for what does not fit."""
    return root_state(
        flow.document,
        services,
        variables={},
        config=check_config(flow.document, options.config or {}),
        input=check_input(flow.document, options.input),
        secrets=secrets,
        env=check_environment(flow.program.wanted, options.env or {}),
        run=run,
    )


def _max_concurrency_of(program: Program, options: RunOptions, state: State) -> float:
    """The limit of a run: the caller's, else the document's, else the usual one."""
    if options.max_concurrency is not None:
        return check_limit(options.max_concurrency, "max_concurrency")
    limit: float = DEFAULT_MAX_CONCURRENCY
    if program.max_concurrency is not None:
        limit = program.max_concurrency(state)
    return limit


def _check_suspension(options: RunOptions) -> float | None:
    """The seconds after which a run that only waits is left."""
    if options.suspend_after is None:
        return None
    if options.store is None:
        raise InputError("suspend_after is given without a store; expected a store to go on from")
    return check_seconds(options.suspend_after, "suspend_after")


def _bounds_of(options: RunOptions) -> Limits | None:
    """The bounds of expressions."""
    if not isinstance(options.limits, Limits):
        return options.bounds
    if options.bounds is not None:
        raise InputError("the bounds of expressions are given twice, as limits and as bounds")
    return options.limits


def _limits_of(
    flow: Flow,
    program: Program,
    options: RunOptions,
    owned: Owned | None,
    recorder: Recorder | None,
) -> RunLimits:
    """What the names of limits stand for in this run."""
    given = check_given(None if isinstance(options.limits, Limits) else options.limits)
    store = options.store
    if store is None:
        check_not_shared(given)
    if store is None or owned is None or recorder is None:
        return RunLimits(program, flow.library.limits_declared, given, options.limiter)
    if not store.shares_limits:
        declared = store.limits_declared.setdefault(flow.name, flow.library.limits_declared)
        return RunLimits(program, declared, given, options.limiter)
    from .durable.sharing import SharedLimits

    shared = SharedLimits(store, owned.journal.owner, flow.name, recorder)
    return RunLimits(program, {}, given, options.limiter, shared)


def _check_budget(budget: Budget | None) -> Spending | None:
    if budget is None:
        return None
    if not isinstance(budget, Budget):
        raise InputError(f"budget is of type {type(budget).__name__}; expected Budget")
    return Spending(budget)


def _make_record(keep: int, masker: Masker | None, spending: Spending | None) -> Record:
    if spending is None or spending.budget.record_bytes is None:
        return Record(keep=keep, masker=masker)
    return WeighedRecord(keep=keep, masker=masker, note=spending.note_record)


def _check_http(http: HttpOptions | None) -> HttpOptions:
    if http is None:
        return HttpOptions()
    if not isinstance(http, HttpOptions):
        raise InputError(f"http is of type {type(http).__name__}; expected HttpOptions")
    from ..runtimes.http.hosts import check_hosts  # HTTP is imported by those who use it

    check_hosts(http)
    return http
