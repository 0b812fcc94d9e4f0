"""Owns the watchdog of a run: it knows which node a task is at, and names one that reaches no checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio
from trio.lowlevel import Task, current_task

from ..scheduler.watching import Stack, Watcher, sharing_watcher
from ..types.ast import BaseNode
from ..types.events import Event, NodeEnded, NodeStarted, RunEnded
from .context import RunContext
from .whereabouts import describe_whereabouts

LOGGER = logging.getLogger("flowscript_trio.watchdog")
ADVICE = (
    "Put `await trio.lowlevel.checkpoint()` into a long loop, and call what blocks by "
    "`await trio.to_thread.run_sync(...)`"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A node that a task is at, None for the run; ``nurseries`` is how many the task had open before."""

    path: str
    node: BaseNode | None
    nurseries: int


class Watchdog:
    """An observer of one run that reports its nodes to ``logging`` while they hold up trio's thread.

    When such a step has ended at last, a :class:`~flowscript_trio.types.events.RunWarning` says so.
    """

    def __init__(self, watcher: Watcher, context: RunContext, limit: float) -> None:
        self.limit = limit
        self._watcher = watcher
        self._context = context
        self._places: dict[Task, list[_Place]] = {}
        self._raised: Exception | None = None
        self._enter("", None)

    def __call__(self, event: Event) -> None:
        """Know which node the current task is at, from now on."""
        self.raise_kept()
        if isinstance(event, NodeStarted):
            self._watcher.turn()
            self._enter(event.path, event.node)
        elif isinstance(event, NodeEnded):
            self._watcher.turn()
            self._leave()
        elif isinstance(event, RunEnded):
            self._watcher.turn()

    def raise_kept(self) -> None:
        """Raise what an observer raised when it was told that a step is over."""
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised

    def _enter(self, path: str, node: BaseNode | None) -> None:
        task = current_task()
        place = _Place(path, node, len(task.child_nurseries))
        self._places.setdefault(task, []).append(place)

    def _leave(self) -> None:
        task = current_task()
        places = self._places[task]
        places.pop()
        if not places:
            del self._places[task]

    # ---- what the watcher asks and tells ----

    def place_of(self, task: Task) -> _Place | None:
        """The innermost node that a task works for: its own, or that in which its nursery was opened."""
        around: Task | None = task
        nursery: trio.Nursery | None = None
        while around is not None:
            opened = around.child_nurseries
            for place in reversed(self._places.get(around, ())):
                if nursery is None or nursery in opened[place.nurseries :]:
                    return place
            nursery = around.parent_nursery
            around = None if nursery is None else nursery.parent_task
        return None

    def report(self, place: _Place, lasted: float, stack: Stack | None) -> None:
        """Say at once, from whatever thread, that a node holds up the program."""
        if stack is None:
            message = self._past(place, lasted, None)
        else:
            where = describe_whereabouts(stack)
            message = (
                f"{_name(place)} has not reached a checkpoint for {_seconds(lasted)}: nothing else of the "
                f"program runs meanwhile, and nothing can be cancelled."
                f"{f' It is at {where}.' if where else ''} {ADVICE}"
            )
        at = "" if place.node is None else f"{place.node.location}: "
        LOGGER.warning("%s", self._masked(at + message))

    def settle(self, place: _Place, lasted: float, stack: Stack | None) -> None:
        """Put on the record, and before the observers, that a node held up the program."""
        message = self._masked(self._past(place, lasted, stack))
        try:
            self._context.note_warning(place.path, message)
        except Exception as exc:
            # Trio drops an instrument that raises; an observer's error belongs to the run.
            self._raised = exc

    def _past(self, place: _Place, lasted: float, stack: Stack | None) -> str:
        where = None if stack is None else describe_whereabouts(stack)
        seen = f"; it was at {where}" if where else ""
        return (
            f"{_name(place)} held up the program for {_seconds(lasted)} without a checkpoint{seen}. "
            f"{ADVICE}"
        )

    def _masked(self, text: str) -> str:
        masker = self._context.masker
        return text if masker is None else masker.text(text)


@contextmanager
def watching_nodes(context: RunContext) -> Iterator[None]:
    """Watch the nodes of a run while the block lasts, if the run asks for it."""
    if context.watchdog is None:
        yield
        return
    with sharing_watcher() as watcher:
        watcher.turn()  # what the caller did before in this step is not the run's
        watchdog = Watchdog(watcher, context, context.watchdog)
        context.observers = (watchdog, *context.observers)
        with watcher.watch(watchdog):
            yield
        watchdog.raise_kept()


def _name(place: _Place) -> str:
    return f"the node {place.path!r}" if place.path else "the run, outside of its nodes,"


def _seconds(lasted: float) -> str:
    return f"{lasted:.3f} s" if lasted < 10 else f"{lasted:.0f} s"
