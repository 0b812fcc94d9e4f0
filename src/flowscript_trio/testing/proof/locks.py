"""Owns what a proof knows of locks and semaphores: whether a run gave them back, and which call took them."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import trio

from .calls import Call
from .stepping import alive, unlock

Primitive = trio.Lock | trio.StrictFIFOLock | trio.Semaphore


class Locks:
    """Watches the locks and semaphores that outlast a call: those that there were before the run, of modules and
    applications, and those that nodes share as resources of the run.
    """

    def __init__(self, found: Sequence[Primitive]) -> None:
        self._before = [(primitive, _taken(primitive)) for primitive in found]
        self._last = dict(enumerate(taken for _, taken in self._before))
        self._takers: dict[int, Call] = {}
        self._balances: dict[tuple[int, Call | None], int] = {}

    def watch(self, resource: object) -> None:
        """Nodes share a resource from now on: it may be a lock or a semaphore, or be made of one."""
        for found in _primitives_of(resource):
            if not any(primitive is found for primitive, _ in self._before):
                self._last[len(self._before)] = _taken(found)
                self._before.append((found, _taken(found)))

    def note(self, call: Call) -> None:
        """The code of a call has just run: what is taken now and was not before, it took."""
        for at, (primitive, _) in enumerate(self._before):
            taken = _taken(primitive)
            if taken > self._last[at]:
                self._takers[at] = call
            self._last[at] = taken

    def note_taken(self, semaphore: trio.Semaphore, call: Call | None, change: int) -> None:
        """A call took a token of a semaphore (1), or released one (-1)."""
        key = id(semaphore), call
        self._balances[key] = self._balances.get(key, 0) + change

    def surplus(self) -> list[Call | None]:
        """Those that released more often than they acquired a semaphore that now has more tokens than before."""
        return [
            next(
                (call for (of, call), n in self._balances.items() if of == id(found) and n < 0),
                None,
            )
            for found, before in self._before
            if _taken(found) < before
        ]

    def left(self) -> list[tuple[str, Call | None]]:
        """The kinds of what a run has not given back, and who took it."""
        return [
            (type(primitive).__name__, self._takers.get(at))
            for at, (primitive, before) in enumerate(self._before)
            if _taken(primitive) > before
        ]

    def give_back(self) -> None:
        """Give back what the run has not, for the next run's sake."""
        for primitive, before in self._before:
            for _ in range(_taken(primitive) - before):
                if isinstance(primitive, trio.Semaphore):
                    primitive.release()
                else:
                    unlock(primitive)
            if isinstance(primitive, trio.Semaphore):
                for _ in range(before - _taken(primitive)):
                    primitive.acquire_nowait()


def locks_alive() -> list[Primitive]:
    """The locks and semaphores that there are now."""
    return alive(trio.Lock, trio.StrictFIFOLock, trio.Semaphore)


def _primitives_of(resource: object) -> list[Primitive]:
    if isinstance(resource, Primitive):
        return [resource]
    if type(resource).__module__.partition(".")[0] not in _MAKERS:
        return []  # what a class of another does with its own lock is its own affair
    return [found for found in gc.get_referents(resource) if isinstance(found, Primitive)]


_MAKERS = ("trio", "anyio")
"""Whose conditions, locks and semaphores are made of the primitives of trio."""


def _taken(primitive: Primitive) -> int:
    return -primitive.value if isinstance(primitive, trio.Semaphore) else int(primitive.locked())
