"""Owns the two ways to run a workflow: ``run``, one await, and ``open_run``, a handle while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

from ..expression.scope import Limits
from ..program.loading import Flow
from ..runtimes.placing import Place
from ..runtimes.registry import Registry
from ..scheduler.limits.limit import Limit
from ..scheduler.passes import counting_passes
from ..scheduler.policy import INTERRUPTS
from ..scheduler.raised import first_of
from ..types.budget import Budget
from ..types.decisions import Decider
from ..types.events import Observer
from ..types.exceptions import is_a, name_of_interrupt
from ..types.http import HttpOptions
from .failures import raise_untouched
from .handle import Run
from .journalled import import_needed
from .options import RunOptions
from .preparing import check_options, prepare, prepare_owned

if TYPE_CHECKING:
    from ..journal.store import Store
    from .durable.opening import FindSecrets, Owned


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
    limits: Mapping[str, Limit | trio.CapacityLimiter] | Limits | None = None,
    bounds: Limits | None = None,
    seed: int | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    budget: Budget | None = None,
    places: Mapping[str, Place | None] | None = None,
    store: Store | None = None,
    run_id: str | None = None,
    max_crashes: int = 3,
    suspend_after: float | None = None,
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
        limits: limits by the names that nodes take them by, each a :class:`Limit` or a ``trio.CapacityLimiter``,
            shared with whoever else has them; they take precedence over what documents declare. Also, as ever, a
            :class:`Limits`, which stands for ``bounds``.
        bounds: the bounds of expressions.
        seed: fixes ``random`` and ``uuid``.
        now: the wall clock of expressions.
        keep: how many successes of one node the record keeps.
        decider: answers the checkpoints of the workflow, an async function of the prompt and a list of
            :class:`Action`; it gives the id of one, or an :class:`Answer`. None: their defaults stand.
        watchdog: a node that has not reached a checkpoint for this many seconds of real time is named, while
            it still holds up the program, in the log ``flowscript_trio.watchdog``; when it goes on, a
            warning is on the record. None: nobody watches.
        http: what HTTP requests may do and are given: hosts, bounds, proxy, certificates.
        budget: what the whole run may take, whatever the document asks for; None: no bound.
        places: where nodes may run, by the names that the document uses (``place="gpu"``), besides ``here``,
            ``thread``, ``process`` and ``cluster``; one of these names stands for the built-in one. A name that is
            given None may not be used, and ``{"*": None}`` lets nodes run at no place that is not given.
        store: keeps what the run does, so that it survives the death of this process; None: nothing is kept.
        run_id: the id of the run in the store. One that is there goes on, or gives its outcome where it has
            ended; None: a new one.
        max_crashes: a node at which this many processes have died fails with :class:`Interrupted`.
        suspend_after: with a store, seconds after which a run that waits for nothing but people (at a
            ``<checkpoint>``) or timers (a ``<delay>``, the wait before another attempt) is left: ``run`` returns
            with the status ``suspended``, and :func:`resume` goes on with it. None: it waits in this process.
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
        bounds=bounds,
        seed=seed,
        now=now,
        keep=keep,
        decider=decider,
        watchdog=watchdog,
        http=http,
        budget=budget,
        places=places,
        store=store,
        run_id=run_id,
        max_crashes=max_crashes,
        suspend_after=suspend_after,
    )
    del secrets  # the options do not show them
    return await run_with(flow, options, task_status)


@enable_ki_protection
async def run_with(
    flow: Flow, options: RunOptions, task_status: trio.TaskStatus[Run] = trio.TASK_STATUS_IGNORED
) -> Run:
    """:func:`run`, with what it takes in one object."""
    if options.store is not None:
        return await _run_durably(flow, options, options.store, task_status)
    with counting_passes() as passes:
        handle = prepare(flow, passes, options)
        task_status.started(handle)
        await handle.walk()
    handle.raise_error()
    return handle


async def _run_durably(
    flow: Flow, options: RunOptions, store: Store, task_status: trio.TaskStatus[Run]
) -> Run:
    check_options(flow, options)  # before the store has anything of it
    await import_needed(store)
    from .durable.opening import begun  # only a run with a store needs it

    async with begun(store, flow, options) as owned:
        handle, failed = await _walk_owned(flow, options, owned, task_status)
    return _judged(handle, failed)


async def _walk_owned(
    flow: Flow, options: RunOptions, owned: Owned, task_status: trio.TaskStatus[Run]
) -> tuple[Run, bool]:
    """The run, and whether it has failed: said before anyone else that waits for it can raise its error."""
    with counting_passes() as passes:
        handle = await prepare_owned(flow, passes, options, owned)
        had_ended = handle.restore()
        task_status.started(handle)
        if not had_ended:
            await handle.walk()
    return handle, handle.claim_error()


def _judged(handle: Run, failed: bool) -> Run:
    if failed:
        assert handle.error is not None
        raise_untouched(handle.error)
    return handle


@enable_ki_protection
async def resume(
    store: Store,
    run_id: str,
    *,
    secrets: Mapping[str, str] | None = None,
    limiter: trio.CapacityLimiter | None = None,
    base: str | Path | None = None,
    registry: Registry | None = None,
    observers: Sequence[Observer] = (),
    bounds: Limits | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    budget: Budget | None = None,
    limits: Mapping[str, Limit | trio.CapacityLimiter] | None = None,
    places: Mapping[str, Place | None] | None = None,
    max_crashes: int = 3,
    suspend_after: float | None = None,
    task_status: trio.TaskStatus[Run] = trio.TASK_STATUS_IGNORED,
) -> Run:
    """Go on with a run that is in a store, from where its last process left it, to its end.

    The document, input, configuration and chance are those that it began with. What had ended is not done again.

    Args:
        store: the store that the run was begun with.
        run_id: the id of the run.
        secrets: values of ``$secrets`` by name; those that the run began with must be there.
        limiter, base, registry, observers, bounds, now: as of :func:`run`.
        keep, decider, watchdog, http, limits, places, task_status: as of :func:`run`.
        budget: one in the place of that which the run began with; what was spent before counts. None: that one.
        max_crashes: a node at which this many processes have died fails with :class:`Interrupted`.
        suspend_after: as of :func:`run`.

    Returns:
        The finished :class:`Run`; at once where it had ended before. Where it was left, its status is
        ``suspended``.

    Raises:
        InputError: there is no such run, or it does not fit this release or these arguments.
        RunBusy: another process owns it.
        StoreFailed: the store cannot be read or written.
        WorkflowInvalid: the registry does not have what the document needs.
        BaseException: what the run raised, as of :func:`run`.

    Cancellation does what it does to :func:`run`: the run is cancelled, and its clean-up runs.
    """
    options = RunOptions(
        secrets=secrets,
        limiter=limiter,
        base=base,
        registry=registry,
        observers=observers,
        bounds=bounds,
        now=now,
        keep=keep,
        decider=decider,
        watchdog=watchdog,
        http=http,
        budget=budget,
        limits=limits,
        places=places,
        max_crashes=max_crashes,
        suspend_after=suspend_after,
    )
    del secrets
    return await resume_with(store, run_id, options, task_status)


@enable_ki_protection
async def resume_with(
    store: Store,
    run_id: str,
    options: RunOptions,
    task_status: trio.TaskStatus[Run] = trio.TASK_STATUS_IGNORED,
    find_secrets: FindSecrets | None = None,
    tell: Callable[[Flow], None] | None = None,
) -> Run:
    """:func:`resume`, with what it takes in one object.

    ``find_secrets`` gives the secrets in the place of those of the options, by the names that the run began with.
    ``tell`` is given the run's workflow before it goes on.
    """
    await import_needed(store)
    from .durable.opening import reopened

    async with reopened(store, run_id, options, find_secrets) as (flow, given, owned):
        if tell is not None:
            tell(flow)
        handle, failed = await _walk_owned(flow, given, owned, task_status)
    return _judged(handle, failed)


class OpenRun:
    """The async context manager that :func:`open_run` returns."""

    def __init__(self, flow: Flow, options: RunOptions) -> None:
        self._flow = flow
        self._options = options
        self._exit = ExitStack()
        self._owning: Any = None
        self._handle: Run
        self._manager: Any

    @enable_ki_protection
    async def __aenter__(self) -> Run:
        owned: Owned | None = None
        if self._options.store is not None:
            check_options(self._flow, self._options)  # before the store has anything of it
            await import_needed(self._options.store)
            from .durable.opening import begun

            self._owning = begun(self._options.store, self._flow, self._options)
            owned = await self._owning.__aenter__()
        try:
            return await self._open(owned)
        except BaseException:
            await self._give_back()
            raise

    async def _give_back(self) -> None:
        """Give the run back to its store."""
        if self._owning is not None:
            await self._owning.__aexit__(None, None, None)

    async def _open(self, owned: Owned | None) -> Run:
        passes = self._exit.enter_context(counting_passes())
        try:
            if owned is None:
                self._handle = prepare(self._flow, passes, self._options)
            else:
                self._handle = await prepare_owned(self._flow, passes, self._options, owned)
            self._manager = trio.open_nursery()
            nursery = await self._manager.__aenter__()
        except BaseException:
            self._exit.close()
            raise
        if not self._handle.restore():
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
            self._handle.cancel(f"the block around the run raised {name_of_interrupt(exc)}")
        try:
            await self._manager.__aexit__(None, None, None)
        except BaseException as left:
            raised = left
        finally:
            self._exit.close()
            await self._give_back()
        if exc is not None and not is_a(raised, INTERRUPTS):
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
    limits: Mapping[str, Limit | trio.CapacityLimiter] | Limits | None = None,
    bounds: Limits | None = None,
    seed: int | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    budget: Budget | None = None,
    places: Mapping[str, Place | None] | None = None,
    store: Store | None = None,
    run_id: str | None = None,
    max_crashes: int = 3,
    suspend_after: float | None = None,
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
        bounds=bounds,
        seed=seed,
        now=now,
        keep=keep,
        decider=decider,
        watchdog=watchdog,
        http=http,
        budget=budget,
        places=places,
        store=store,
        run_id=run_id,
        max_crashes=max_crashes,
        suspend_after=suspend_after,
    )
    return OpenRun(flow, options)
