"""Owns what an application gives to a run besides the workflow: one frozen object with its types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from ..expression.scope import Limits
from ..runtimes.placing import Place
from ..runtimes.registry import Registry
from ..scheduler.limits.limit import Limit
from ..types.budget import Budget
from ..types.decisions import Decider
from ..types.deferred import dataclass
from ..types.events import Observer
from ..types.http import HttpOptions

if TYPE_CHECKING:
    from ..journal.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What :func:`run` and :func:`open_run` take besides the workflow; their parameters, by the same names.

    It is what a function is given that runs a workflow in its own way: :func:`prove`, for instance. A run that
    is cancelled leaves it as it was: it may be given to the next one.
    """

    config: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] | None = field(default=None, repr=False)
    input: Any = None
    max_concurrency: float | None = None
    limiter: trio.CapacityLimiter | None = None
    base: str | Path | None = None
    registry: Registry | None = None
    observers: Sequence[Observer] = ()
    env: Mapping[str, str] | None = field(default=None, repr=False)
    limits: Mapping[str, Limit | trio.CapacityLimiter] | Limits | None = None
    bounds: Limits | None = None
    seed: int | None = None
    now: Callable[[], datetime] | None = None
    keep: int = 1000
    decider: Decider | None = None
    watchdog: float | None = None
    http: HttpOptions | None = None
    budget: Budget | None = None
    places: Mapping[str, Place | None] | None = None
    store: Store | None = None
    run_id: str | None = None
    max_crashes: int = 3
    suspend_after: float | None = None
