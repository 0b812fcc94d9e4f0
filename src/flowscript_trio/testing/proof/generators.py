"""Owns the async generators of a run: which were left open, and what they hold across their yields."""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import AsyncGeneratorType, FrameType, MethodType
from typing import Any
from weakref import ref

import trio

from .calls import Call

_SHARED = (
    trio.Lock,
    trio.StrictFIFOLock,
    trio.Semaphore,
    trio.CapacityLimiter,
    trio.Condition,
)
_OWN = {"NurseryManager": "nursery", "TaskGroup": "task group", "CancelScope": "cancel scope"}
"""What belongs to the task that opened it, by the names of their types in trio and anyio."""
_HOSTS = (contextlib.__file__, inspect.getfile(trio.as_safe_channel))
"""The files that begin generators which may hold something across a yield: a context manager is one that is to do
so, and of a safe channel each step is in the one task that lives as long as what is held."""


@dataclass(frozen=True, slots=True)
class Held:
    """An async generator that gave an item away while it was in a block of ``what``; ``line`` is its ``yield``."""

    generator: str
    what: str
    line: int
    call: Call | None


class Generators:
    """The async generators that are begun in a run: those behind context managers, too."""

    def __init__(self, running: ContextVar[Call | None]) -> None:
        self._running = running
        self._found: list[tuple[ref[AsyncGeneratorType[Any, Any]], Call | None]] = []
        self._plain: list[tuple[ref[AsyncGeneratorType[Any, Any]], Call | None]] = []
        self.held: dict[str, Held] = {}

    @property
    def breaks_trio(self) -> bool:
        """Whether a generator left the order in which trio's scopes are entered and left."""
        return any(held.what in _OWN.values() for held in self.held.values())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch those that are begun while the block lasts."""
        before = sys.get_asyncgen_hooks()

        def note(generator: Any) -> None:
            known = ref(generator), self._running.get()
            self._found.append(known)
            if sys._getframe(1).f_code.co_filename not in _HOSTS:
                self._plain.append(known)
            if before.firstiter is not None:
                before.firstiter(generator)

        sys.set_asyncgen_hooks(note, before.finalizer)
        try:
            yield
        finally:
            sys.set_asyncgen_hooks(*before)

    def left(self) -> list[str]:
        """The names of those that have not come to their end."""
        alive = (known() for known, _ in self._found)
        return [g.__qualname__ for g in alive if g is not None and g.ag_frame is not None]

    def look(self, calls: Sequence[Call], task: trio.lowlevel.Task) -> None:
        """This task waits now: see what generators hold that have given an item away.

        Of those that are outputs of ``calls`` it is the engine that asks for the items.
        """
        for known, call in self._plain:
            generator = known()
            frame = None if generator is None else generator.ag_frame
            if generator is None or frame is None:
                continue
            what = held_over_yield(generator, task)
            if what is not None:
                name, line = generator.__qualname__, frame.f_lineno
                call = call or next((c for c in calls if c.output is generator), None)
                self.held.setdefault(name, Held(name, what, line, call))


def held_over_yield(
    generator: AsyncGeneratorType[Any, Any], task: trio.lowlevel.Task
) -> str | None:
    """The kind of nursery, scope or lock in whose block a generator is at a ``yield``; None where it does not.

    The block's way out is a bound method among what the suspended generator refers to.
    """
    frame = generator.ag_frame
    if frame is None or generator.ag_running or generator.ag_await is not None:
        return None
    if frame.f_lasti < 0:  # it has not begun
        return None
    for found in gc.get_referents(generator):
        if isinstance(found, MethodType) and found.__name__ in ("__exit__", "__aexit__"):
            kind = _kind_of(found.__self__)
            if kind is not None:
                return kind
    return _lock_of(frame, task)


def _lock_of(frame: FrameType, task: trio.lowlevel.Task) -> str | None:
    """The kind of a lock that a generator acquires by hand, and that its task has now."""
    names = frame.f_code.co_names
    if "acquire" in names or "acquire_nowait" in names:
        seen = [*frame.f_locals.values(), *(frame.f_globals.get(name) for name in names)]
        for found in seen:
            is_lock = isinstance(found, (trio.Lock, trio.StrictFIFOLock))
            if is_lock and found.statistics().owner is task:
                return type(found).__name__
    return None


def _kind_of(manager: object) -> str | None:
    if isinstance(manager, _SHARED):
        return type(manager).__name__
    for kind in type(manager).__mro__:
        if kind.__name__ in _OWN and kind.__module__.partition(".")[0] in ("trio", "anyio"):
            return _OWN[kind.__name__]
    inner = getattr(manager, "gen", None)  # trio.fail_after and its like are generators
    frame = getattr(inner, "gi_frame", None)
    if frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in (
        "trio",
        "anyio",
    ):
        return "cancel scope"
    return None
