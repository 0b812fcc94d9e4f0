"""Owns the watchdog of a run: it knows which node a task is at, and names one that reaches no checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import trio
from trio.lowlevel import Task, current_task

from ..types.events import Event, NodeEnded, NodeStarted, Observer, RunEnded
from ..types.exceptions import class_name
from ..types.location import Location
from ..types.masking import Masker
from ..types.results import NodeResult
from .stacks import describe_stack
from .watcher import Stack, Watcher, sharing_watcher

LOGGER = logging.getLogger("flowscript_trio.watchdog")
ADVICE = (
    "Put `await trio.lowlevel.checkpoint()` into a long loop, and call what blocks by "
    "`await trio.to_thread.run_sync(...)`"
)
ADVICE_ON_ERRORS = (
    "What the class of an error does in `__str__`, its properties and `add_note` is to end at once; Ctrl-C "
    "interrupts it"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Position:
    """A node that a task is at; ``nurseries`` is how many the task had open before.

    ``location`` is its place in the document, None for the run; ``looked_at`` the class of
    an error of it that is looked at, if one is.
    """

    path: str
    location: Location | None
    nurseries: int = 0
    looked_at: str | None = None


class Results(Protocol):
    """What the watchdog needs of a record."""

    def origin_of(self, error: BaseException) -> NodeResult | None:
        """The execution that an error left first, or None."""


class Watched(Protocol):
    """What the watchdog needs of a run."""

    observers: Sequence[Observer]

    @property
    def record(self) -> Results: ...
    @property
    def masker(self) -> Masker | None: ...
    def note_warning(self, path: str, message: str) -> None: ...


class Watchdog:
    """An observer of one run that reports its nodes to ``logging`` while they hold up trio's thread.

    When such a step has ended at last, a :class:`~flowscript_trio.types.events.RunWarning` says so.
    """

    def __init__(self, watcher: Watcher, context: Watched, limit: float) -> None:
        self.limit = limit
        self._watcher = watcher
        self._context = context
        self._positions: dict[Task, list[_Position]] = {}
        self._raised: Exception | None = None
        self._enter("", None)

    def __call__(self, event: Event) -> None:
        """Know which node the current task is at, from now on."""
        self.raise_kept()
        if isinstance(event, NodeStarted):
            self._watcher.turn()
            self._enter(event.path, event.node.location)
        elif isinstance(event, NodeEnded):
            self._watcher.turn()
            self._leave()
        elif isinstance(event, RunEnded):
            self._watcher.turn()

    def raise_kept(self) -> None:
        """Raise what an observer raised when it heard that a step is over."""
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised

    def _enter(self, path: str, location: Location | None) -> None:
        task = current_task()
        position = _Position(path, location, len(task.child_nurseries))
        self._positions.setdefault(task, []).append(position)

    def _leave(self) -> None:
        task = current_task()
        positions = self._positions[task]
        positions.pop()
        if not positions:
            del self._positions[task]

    # ---- what the watcher asks and tells ----

    def place_of(self, task: Task) -> _Position | None:
        """The innermost node that a task works for: its own, or that in which its nursery was opened."""
        around: Task | None = task
        nursery: trio.Nursery | None = None
        while around is not None:
            opened = around.child_nurseries
            for position in reversed(self._positions.get(around, ())):
                if nursery is None or nursery in opened[position.nurseries :]:
                    return position
            nursery = around.parent_nursery
            around = None if nursery is None else nursery.parent_task
        return None

    def place_of_error(self, error: BaseException, place: _Position) -> _Position:
        """The node that an error came from. One that is not on the record yet is looked at by its own node."""
        origin = self._context.record.origin_of(error)
        path, location = (
            (place.path, place.location) if origin is None else (origin.path, origin.location)
        )
        return _Position(path, location, looked_at=class_name(error))

    def report(self, position: _Position, lasted: float, stack: Stack | None) -> None:
        """Say at once, from whatever thread, that a node holds up the program."""
        if stack is None:
            message = self._past(position, lasted, None)
        else:
            where = describe_stack(stack)
            message = (
                f"{_name(position)} has not reached a checkpoint for {_seconds(lasted)}: nothing else of the "
                f"program runs meanwhile, and nothing can be cancelled."
                f"{f' It is at {where}.' if where else ''} {_advice(position)}"
            )
        at = "" if position.location is None else f"{position.location}: "
        LOGGER.warning("%s", self._masked(at + message))

    def settle(self, position: _Position, lasted: float, stack: Stack | None) -> None:
        """Put on the record, and before the observers, that a node held up the program."""
        message = self._masked(self._past(position, lasted, stack))
        try:
            self._context.note_warning(position.path, message)
        except Exception as exc:
            # Trio drops an instrument that raises; an observer's error belongs to the run.
            self._raised = exc

    def _past(self, position: _Position, lasted: float, stack: Stack | None) -> str:
        where = None if stack is None else describe_stack(stack)
        seen = f"; it was at {where}" if where else ""
        return (
            f"{_name(position)} held up the program for {_seconds(lasted)} without a checkpoint{seen}. "
            f"{_advice(position)}"
        )

    def _masked(self, text: str) -> str:
        masker = self._context.masker
        return text if masker is None else masker.text(text)


@contextmanager
def watching_nodes(context: Watched, seconds: float) -> Iterator[None]:
    """Watch the nodes of a run while the block lasts; one that holds everything up for this long is reported."""
    with sharing_watcher() as watcher:
        watcher.turn()  # what the caller did before in this step is not the run's
        watchdog = Watchdog(watcher, context, seconds)
        context.observers = (watchdog, *context.observers)
        with watcher.watch(watchdog):
            yield
        watchdog.raise_kept()


def _name(position: _Position) -> str:
    name = f"the node {position.path!r}" if position.path else "the run, outside of its nodes,"
    return name if position.looked_at is None else f"a look at the {position.looked_at} of {name}"


def _advice(position: _Position) -> str:
    return ADVICE if position.looked_at is None else ADVICE_ON_ERRORS


def _seconds(lasted: float) -> str:
    return f"{lasted:.3f} s" if lasted < 10 else f"{lasted:.0f} s"
