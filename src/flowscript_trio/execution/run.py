"""Owns the two ways to run a workflow: ``run``, one await, and ``open_run``, a handle while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any
from uuid import UUID

import trio
from trio.lowlevel import enable_ki_protection

from ..expression.scope import Limits, Services
from ..program.loading import Flow
from ..runtimes.registry import Registry
from ..scheduler.passes import PassCounter, counting_passes
from ..scheduler.raised import first_of
from ..types.budget import Budget
from ..types.decisions import Decider
from ..types.errors import InputError
from ..types.events import Observer
from ..types.http import HttpOptions
from ..types.masked_values import texts_in
from ..types.masking import Masker
from .context import DEFAULT_MAX_CONCURRENCY, RunContext
from .documents import root_state
from .handle import Run
from .inputs import (
    Secrets,
    check_config,
    check_environment,
    check_limit,
    check_seconds,
    check_secrets,
)
from .masking import mask_error
from .options import RunOptions
from .record import Record, Warned
from .spending import Spending
from .weighing import WeighedRecord


@enable_ki_protection
async def run(
    flow: Flow,
    *,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    input: Any = None,
    max_concurrency: float | None = None,
    limiter: trio.CapacityLimiter | None = None,
    base: str | Path | None = None,
    registry: Registry | None = None,
    observers: Sequence[Observer] = (),
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    seed: int | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    budget: Budget | None = None,
    task_status: trio.TaskStatus[Run] = trio.TASK_STATUS_IGNORED,
) -> Run:
    """Run a workflow to its end: one ``await`` with the guarantees of a nursery.

    Args:
        flow: what :func:`load` or :func:`loads` gave; it may run many times at once.
        config: values of ``$config``; checked against what the document declares.
        secrets: values of ``$secrets`` by name.
        input: the run's input, ``$input``.
        max_concurrency: how many branches of a block, and nodes of a graph, run at once unless a block
            says otherwise: a whole number, or ``math.inf``; None: the document's, else 10.
        limiter: a limiter over the whole run, or over several, held by leaf nodes while they execute.
        base: the folder of relative paths, which file paths may not leave; None: the current folder, and
            paths may go anywhere.
        registry: other runtimes than those the workflow was loaded with.
        observers: called synchronously with each event of the run.
        env: the variables that ``$env`` shows; the library reads no environment variable by itself.
        limits: the bounds of expressions.
        seed: fixes ``random`` and ``uuid``.
        now: the wall clock of expressions.
        keep: how many successes of one node the record keeps.
        decider: answers the checkpoints of the workflow, an async function of the prompt and a list of
            :class:`Action`; it gives the id of one, or an :class:`Answer`. None: their defaults stand.
        watchdog: a node that has not reached a checkpoint for so many seconds of real time is named, while
            it still holds up the program, in the log ``flowscript_trio.watchdog``; when it goes on, a
            warning stands on the record. None: nobody watches.
        http: what HTTP requests may do and are given: hosts, bounds, proxy, certificates.
        budget: what the whole run may take, whatever the document asks for; None: no bound.
        task_status: ``nursery.start(run, flow)`` returns the :class:`Run` once the inputs are checked.

    Returns:
        The finished :class:`Run`, with ``output``, ``results``, ``record``, ``status``, ``duration``.

    Raises:
        InputError: what was given does not fit the document; nothing has run.
        BudgetExceeded: the run went beyond its budget.
        BaseException: the very exception that the first failing node raised; :func:`failure_of` gives its
            record.

    Cancellation reaches every node at its next checkpoint; ``Cancelled`` passes on once all have unwound
    and every resource of the run is closed. When this returns or raises, no task of the run is left.
    """
    options = RunOptions(
        config=config,
        secrets=secrets,
        input=input,
        max_concurrency=max_concurrency,
        limiter=limiter,
        base=base,
        registry=registry,
        observers=observers,
        env=env,
        limits=limits,
        seed=seed,
        now=now,
        keep=keep,
        decider=decider,
        watchdog=watchdog,
        http=http,
        budget=budget,
    )
    del secrets  # the options do not show them
    return await run_with(flow, options, task_status)


@enable_ki_protection
async def run_with(
    flow: Flow, options: RunOptions, task_status: trio.TaskStatus[Run] = trio.TASK_STATUS_IGNORED
) -> Run:
    """:func:`run`, with what it takes in one object."""
    with counting_passes() as passes:
        handle = _prepare(flow, passes, options)
        task_status.started(handle)
        await handle.walk()
    handle.raise_error()
    return handle


class OpenRun:
    """The async context manager that :func:`open_run` returns."""

    def __init__(self, flow: Flow, options: RunOptions) -> None:
        self._flow = flow
        self._options = options
        self._exit = ExitStack()
        self._handle: Run
        self._manager: Any

    @enable_ki_protection
    async def __aenter__(self) -> Run:
        passes = self._exit.enter_context(counting_passes())
        try:
            self._handle = _prepare(self._flow, passes, self._options)
            self._manager = trio.open_nursery()
            nursery = await self._manager.__aenter__()
        except BaseException:
            self._exit.close()
            raise
        nursery.start_soon(self._handle.walk, name=f"flowscript {self._handle.name}")
        return self._handle

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the run; an exception of the block cancels it and surfaces itself."""
        raised: BaseException | None = None
        if exc is not None:
            self._handle.cancel(f"the block around the run raised {type(exc).__name__}")
        try:
            await self._manager.__aexit__(None, None, None)
        except BaseException as left:
            raised = left
        finally:
            self._exit.close()
        if exc is not None and not isinstance(raised, (KeyboardInterrupt, SystemExit)):
            return
        if raised is not None:
            raise first_of(raised)
        self._handle.raise_error()


def open_run(
    flow: Flow,
    *,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    input: Any = None,
    max_concurrency: float | None = None,
    limiter: trio.CapacityLimiter | None = None,
    base: str | Path | None = None,
    registry: Registry | None = None,
    observers: Sequence[Observer] = (),
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    seed: int | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    budget: Budget | None = None,
) -> OpenRun:
    """Run a workflow beside the block of an ``async with``, which gets the :class:`Run` to deal with.

    Takes what :func:`run` takes. Leaving the block waits for the run. An exception in the block cancels
    the run and surfaces itself; the run's own error is raised once, bare, by ``await run.wait()`` or, if
    nobody waited, on leaving. Cancellation from outside reaches the block and every node of the run.
    """
    options = RunOptions(
        config=config,
        secrets=secrets,
        input=input,
        max_concurrency=max_concurrency,
        limiter=limiter,
        base=base,
        registry=registry,
        observers=observers,
        env=env,
        limits=limits,
        seed=seed,
        now=now,
        keep=keep,
        decider=decider,
        watchdog=watchdog,
        http=http,
        budget=budget,
    )
    return OpenRun(flow, options)


def check_options(flow: Flow, options: RunOptions) -> None:
    """Check what would be given to :func:`run`, and run nothing; raises InputError."""
    _prepare(flow, PassCounter(), options)


def _prepare(flow: Flow, passes: PassCounter, options: RunOptions) -> Run:
    """Check what the application gave, and make everything ready; nothing runs yet."""
    secrets = check_secrets(options.secrets or {})
    masker = masker_of(flow, options)
    try:
        return _make_run(flow, passes, options, secrets, masker)
    except Exception as exc:
        if masker is not None:
            mask_error(exc, masker)
        raise


def masker_of(flow: Flow, options: RunOptions) -> Masker | None:
    """What hides the secrets that a run is given; None where it is given none."""
    secrets = [secret for secret in (options.secrets or {}).values() if secret]
    return Masker(secrets, partial(_public, flow, options)) if secrets else None


def _public(flow: Flow, options: RunOptions) -> Iterator[str]:
    """The texts of a run that are no secret: its documents, and what the application gave it beside secrets."""
    for document in (flow.document, *flow.library.documents):
        yield document.source.text
    yield from texts_in([options.config and dict(options.config), options.input])
    yield from texts_in(options.env and dict(options.env))


def _make_run(
    flow: Flow,
    passes: PassCounter,
    options: RunOptions,
    secrets: Mapping[str, str],
    masker: Masker | None,
) -> Run:
    if options.registry is not None:
        flow = flow.with_registry(options.registry)
    services = Services(random=Random(options.seed))
    services.limits = options.limits or services.limits
    services.now = options.now or services.now
    spending = _check_budget(options.budget)
    if spending is not None:
        services.look = spending.look
    # The id is drawn from a generator of its own: it must not shift what a seed gives to expressions.
    run_id = str(UUID(int=Random(options.seed).getrandbits(128), version=4))
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
        seed=Random().getrandbits(64) if options.seed is None else options.seed,
        http=_check_http(options.http),
        record=_make_record(options.keep, masker, spending),
        spending=spending,
    )
    for name in context.secrets.missing:
        context.record.warnings.append(Warned("", f"the secret {name!r} was not given"))
    state = root_state(
        flow.document,
        services,
        variables={},
        config=check_config(flow.document, options.config or {}),
        input=options.input,
        secrets=context.secrets,
        env=check_environment(flow.program.wanted, options.env or {}),
        run={"id": run_id, "started": services.now().isoformat()},
    )
    program = flow.program
    limit: float = DEFAULT_MAX_CONCURRENCY
    if options.max_concurrency is not None:
        limit = check_limit(options.max_concurrency, "max_concurrency")
    elif program.max_concurrency is not None:
        limit = program.max_concurrency(state)
    if spending is not None:
        limit = spending.cap(limit)
    timeout = None if program.timeout is None else program.timeout(state)
    return Run(program, context, state, timeout, limit)


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
