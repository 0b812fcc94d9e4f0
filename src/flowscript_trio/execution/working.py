"""Owns ``work``, one await that takes the runs of a store that can go on, until it is cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import trio

from ..expression.scope import Limits
from ..journal.store import Store
from ..runtimes.placing import Place
from ..runtimes.registry import Registry
from ..scheduler.limits.limit import Limit
from ..types.decisions import Decider
from ..types.http import HttpOptions
from ..types.services import SECRETS as AI_SECRETS
from .durable.given import check_store
from .inputs import check_limit, check_seconds
from .options import RunOptions
from .worker import Observing, Worker, WorkEvent

AT_ONCE = 10
"""How many runs a worker has at once."""
EVERY = 1.0
"""Seconds after which it looks for runs again."""
SUSPEND_AFTER = 60.0
"""Seconds after which a run that only waits for people or timers is no longer held."""


async def work(
    store: Store,
    *,
    at_once: float = AT_ONCE,
    every: float = EVERY,
    until_empty: bool = False,
    report: Callable[[WorkEvent], None] | None = None,
    observing: Observing | None = None,
    secrets: Mapping[str, str] | None = None,
    limiter: trio.CapacityLimiter | None = None,
    base: str | Path | None = None,
    registry: Registry | None = None,
    limits: Mapping[str, Limit | trio.CapacityLimiter] | None = None,
    bounds: Limits | None = None,
    now: Callable[[], datetime] | None = None,
    keep: int = 1000,
    decider: Decider | None = None,
    watchdog: float | None = None,
    http: HttpOptions | None = None,
    places: Mapping[str, Place | None] | None = None,
    max_crashes: int = 3,
    suspend_after: float | None = SUSPEND_AFTER,
) -> int:
    """Take the runs of a store that can go on, and bring them to their ends.

    These are the runs that are queued (:func:`submit`), due or answered, and those whose process is gone. Any
    number of workers, on any number of machines, may work on one store: none of its runs is run by two at once.
    A run that needs a runtime, a place or a secret that is missing here, or that a release began in which
    documents mean something else, is passed over. A run that fails does not stop the worker.

    Args:
        store: where the runs are.
        at_once: how many runs at once: a whole number, or ``math.inf``.
        every: seconds after which it looks again where there was nothing to do.
        until_empty: return once nothing can go on and nothing runs here.
        report: called with a :class:`WorkEvent` when a run begins, ends or is passed over.
        observing: gives for each run a context manager around it, whose value is its observers.
        secrets: values of ``$secrets`` by name, which may be ``os.environ``: a run gets those that it began with.
        limiter, base, registry, limits, bounds, now, keep, decider, watchdog, http, places, max_crashes: as of
            :func:`run`, for every run.
        suspend_after: seconds after which a run that waits for nothing but people or timers is left until it is
            answered or due, and others are taken in its place; None: it is held.

    Returns:
        How many runs have ended here; only with ``until_empty``.

    Raises:
        InputError: an argument is wrong.
        StoreFailed: the store cannot be used, for 30 seconds where it was usable before.

    Cancellation *leaves* the runs, as :meth:`Run.leave` does: they are not cancelled, none of their clean-up runs,
    and another worker goes on with them. When this returns or raises, none of them is run here any more.
    """
    check_store(RunOptions(store=store))
    held = {} if secrets is None else secrets
    del secrets
    worker = Worker(
        store,
        RunOptions(
            limiter=limiter,
            base=base,
            registry=registry,
            limits=limits,
            bounds=bounds,
            now=now,
            keep=keep,
            decider=decider,
            watchdog=watchdog,
            http=http,
            places=places,
            max_crashes=max_crashes,
            suspend_after=suspend_after,
        ),
        lambda names: {name: held[name] for name in (*names, *AI_SECRETS) if name in held},
        report or (lambda event: None),
        observing or (lambda state: nullcontext(())),
    )
    await worker.work(check_limit(at_once, "at_once"), check_seconds(every, "every"), until_empty)
    return worker.ended
