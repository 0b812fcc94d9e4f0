"""Owns what belongs to one run: its record, observers, limits, resources and services."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import field, replace
from math import inf
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import trio

from ..expression.scope import Services
from ..program.compiled import PlacedStep
from ..program.loading import Flow
from ..runtimes.placing import Place, RanAt
from ..scheduler.passes import PassCounter
from ..scheduler.policy import first_to_surface
from ..scheduler.raised import error_of_call
from ..types.ast import BaseNode
from ..types.decisions import Decider
from ..types.deferred import dataclass
from ..types.errors import FlowScriptWarning
from ..types.events import CancelRequested, Event, Observer, RunWarning
from ..types.exceptions import name_of_interrupt
from ..types.http import HttpOptions
from ..types.looking import summary_of
from ..types.masking import Masker
from ..types.printing import one_line
from ..types.results import Cancellation
from ..types.storing import kept_nowhere
from .bounds import CLEANUP_SECONDS
from .delivery import DeliveryTimes
from .inputs import Secrets
from .masking import mask_error
from .named_limits import RunLimits
from .noderun import NodeRun
from .numbers import Numbers
from .record import Record
from .regions import Region, cause_of
from .resources import Resources
from .spending import Spending

if TYPE_CHECKING:
    from .durable.recorder import Recorder

DEFAULT_MAX_CONCURRENCY = 10
"""How many branches or nodes run at once where nothing says so.

A task that is cancelled gives its place to the next one once it has unwound.
"""

MOST_SHOWN = 16
"""How many values are remembered without their secrets."""


@dataclass(frozen=True, slots=True, eq=False)
class Compensation:
    """The ``<compensate>`` of the execution at ``path``, which succeeded.

    ``undo`` runs it, with the names that its body sees besides those of the node; it gives its error, or None.
    """

    path: str
    undo: Callable[[Mapping[str, Any]], Awaitable[BaseException | None]]


@dataclass(frozen=True, slots=True, eq=False)
class BrokenObserver:
    """The error that an observer raised, and the path of the event that it received."""

    error: BaseException
    path: str


def _ignore(event: Event) -> None:
    """Takes the place of an observer that raised."""


@dataclass(slots=True, eq=False)
class RunContext:
    """One run. Runtimes see of it what :class:`~flowscript_trio.runtimes.types.RunServices` names."""

    id: str
    passes: PassCounter
    limiter: trio.CapacityLimiter | None
    base: Path | None
    services: Services
    observers: Sequence[Observer]
    secrets: Secrets
    masker: Masker | None
    """Hides the secrets of the run; None where it has none."""
    decider: Decider | None
    watchdog: float | None
    """Seconds after which a node that has not reached a checkpoint is named; None: it is not watched."""
    handling: BaseException | None
    """What the caller of the run was handling when it began."""
    seed: int
    """What all chance of the run follows from."""
    http: HttpOptions
    """What the application allows and gives the HTTP of the run."""
    record: Record = field(default_factory=Record)
    spending: Spending | None = None
    """What the run has spent of its budget; None where it has none."""
    limits: RunLimits | None = None
    """The limits that its nodes name; None where they name none."""
    recorder: Recorder | None = None
    """The journal of the run; None where it has none."""
    cut: set[str] = field(default_factory=set)
    """The nodes that were cancelled at their work, of those that are to be undone then, too; by their paths."""
    is_part_of_durable: bool = False
    """Whether this is a part that runs elsewhere of a run with a journal."""
    cancellations: int = 0
    compensations: list[Compensation] = field(default_factory=list)
    delivery_times: DeliveryTimes = field(default_factory=DeliveryTimes)
    numbers: Numbers = field(default_factory=Numbers)
    broken: BrokenObserver | None = None
    """The observer whose error goes first: the first that raised, unless a later one raised an interrupt."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where nodes of the run may run, by the names that documents use."""
    flow: Flow | None = None
    """The workflow that it runs: what a place has to know to run a part of it. None where nothing is placed."""
    placed: Mapping[int, PlacedStep] = field(default_factory=dict)
    """What was found out about each placed node when it was read, by the id of the node itself."""
    ran_at: dict[str, RanAt] = field(default_factory=dict)
    """Where the placed executions are that have not ended, by their paths."""
    give_up: Callable[[str], None] | None = None
    """Cancels the run, for a reason."""
    _shown: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """What was shown last, by id, as it is and as it was shown: the input of a block is that of each of its nodes,
    and it does not change while the run lasts."""
    _resources: Resources = field(default_factory=lambda: Resources(CLEANUP_SECONDS))

    def notify(self, event: Event) -> None:
        """Notify every observer. One that raises is not notified again, and the run fails with its error."""
        known = self.broken
        for observer in self.observers:
            try:
                observer(event)
            except BaseException as exc:
                self._drop(observer, exc, event)
        # Only now, since giving up is an event itself: each observer is notified of this one first.
        if (broken := self.broken) is not known and broken is not None and self.give_up is not None:
            self.give_up(f"an observer raised {name_of_interrupt(broken.error)}")

    def _drop(self, observer: Observer, error: BaseException, event: Event) -> None:
        # Another takes its place: that a run is observed does not change while it lasts.
        self.observers = tuple(_ignore if each is observer else each for each in self.observers)
        broken = BrokenObserver(error_of_call(error, "an observer raised"), event.path)
        known = self.broken
        if known is not None:
            if first_to_surface([known.error, broken.error]) is known.error:
                self.note_broken(broken)
                return
            self.note_broken(known)
        self.broken = broken

    def note_broken(self, broken: BrokenObserver) -> None:
        """Put the error of an observer on the record where another surfaces."""
        said = f"an observer raised {summary_of(self.masked(broken.error))}"
        self.record.warn(broken.path, said)

    @property
    def is_durable(self) -> bool:
        return self.recorder is not None or self.is_part_of_durable

    @property
    def idempotency_key(self) -> str | None:
        """None: a durable run gives its nodes a view of their own, which knows their paths."""
        return None

    def capped(self, limit: float) -> float:
        """How many may run at once where a block asks for this many."""
        return limit if self.spending is None else self.spending.cap(limit)

    def of_node(self, path: str, attempt: int) -> NodeRun:
        return NodeRun(self, path, attempt)

    def chance(self, path: str, turn: int | str) -> Random:
        """What a node draws from: it follows from the seed, the node's path and the attempt, and nothing else."""
        return Random(f"{self.seed}/{path}/{turn}")

    def services_of(self, path: str, turn: int | str) -> Services:
        """The services of the run with the chance of one attempt of a node."""
        own = self.services
        now = own.now
        if self.recorder is not None:
            now = self.recorder.clock_of(path, str(turn))
        return Services(now, self.chance(path, turn), own.limits, own.look)

    def open_resources_here(self) -> None:
        """Resources are opened with the context variables of the caller: what observers have set for the run."""
        self._resources.variables = copy_context()

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        return await self._resources.get(key, factory)

    async def keep_first(self, value: Any) -> Any:
        """The value: a durable run gives its nodes a view of their own, which knows their paths.

        Raises CannotKeep in a part of one that runs elsewhere whole: its journal is not here.
        """
        await trio.lowlevel.checkpoint()
        if self.is_part_of_durable:
            raise kept_nowhere()
        return value

    def count_request(self) -> None:
        """Nothing: a run that counts gives its nodes a view of their own, which knows their paths."""

    def keep(self, value: Any) -> None:
        """Nothing, as :meth:`count_request`."""

    def grow(self, made: list[Any], since: int) -> None:
        """Nothing, as :meth:`count_request`."""

    def shown(self, value: Any) -> Any:
        """A value as observers may see it: without secrets."""
        if self.masker is None:
            return value
        found = self._shown.get(id(value))
        if found is None:
            found = (value, self.masker.value(value))
            if isinstance(value, dict | list):
                if len(self._shown) >= MOST_SHOWN:
                    del self._shown[next(iter(self._shown))]
                self._shown[id(value)] = found
        return found[1]

    def masked(self, error: BaseException) -> BaseException:
        """The error without secrets in what it says; the same object wherever its class allows."""
        return error if self.masker is None else mask_error(error, self.masker)

    def cause_of(self, region: Region | None, cancelled: trio.Cancelled) -> Cancellation:
        """As :func:`~.regions.cause_of`, without secrets in what whoever cancelled from outside said."""
        found = cause_of(region, cancelled)
        if self.masker is None or not self.masker.hides(found.reason):
            return found
        return replace(found, reason=self.masker.text(found.reason))

    def warn(self, node: BaseNode, message: str, path: str | None = None) -> None:
        path = node.label if path is None else path
        message = self.record.warn(path, message)
        warnings.warn(one_line(f"{node.location}: {message}"), FlowScriptWarning, stacklevel=2)
        self._notify_of_warning(path, message)

    def note_warning(self, path: str, message: str) -> None:
        """Put a warning that was said already on the record and before the observers."""
        self._notify_of_warning(path, self.record.warn(path, message))

    def _notify_of_warning(self, path: str, message: str) -> None:
        now, number = trio.current_time(), self.numbers.known(path)
        self.notify(RunWarning(time=now, path=path, execution=number, message=message))

    def note_lost(self, path: str, error: BaseException) -> None:
        """Put an error on the record that another kept from surfacing and that is not a node's result."""
        self.note_warning(path, f"failed too: {summary_of(self.masked(error))}")

    def note_cancellation(
        self, path: str, cancellation: Cancellation, variables: Context | None = None
    ) -> None:
        """Put on the record that the block at ``path`` cancels what still runs in it.

        The observers are notified in a copy of the block's ``variables``, whichever of its branches asked for it.
        """
        self.cancellations += 1
        self.record.cancellations.append((path, cancellation))
        if self.observers:
            event = CancelRequested(
                time=cancellation.requested,
                path=path,
                execution=self.numbers.of(path),
                cancellation=cancellation,
            )
            (copy_context() if variables is None else variables.copy()).run(self.notify, event)

    @property
    def has_resources(self) -> bool:
        """Whether any is open that :meth:`close` closes."""
        return self._resources.are_open

    async def close(self) -> list[BaseException]:
        """Close every resource, last opened first, shielded and bounded; the errors of doing so."""
        seconds = inf if self.spending is None else self.spending.seconds_to_close
        errors, late = await self._resources.close(seconds)
        for key in late:
            seconds = min(seconds, CLEANUP_SECONDS)
            said = f"closing the resource {key!r} took longer than {seconds:g} s and was given up"
            self.record.warn("", said)
        return [self.masked(error) for error in errors]
