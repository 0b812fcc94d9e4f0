"""Owns whose the tasks and tokens of a run are: which call of a runtime started or took them."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from .calls import Call


@dataclass(frozen=True, slots=True)
class Owned:
    """Something that a run left behind, and the call that it came from, where that is known."""

    what: str
    call: Call | None


class Owners:
    """Knows which call runs now, and from it whose a new task and a taken token is."""

    def __init__(self, limiters: list[trio.CapacityLimiter]) -> None:
        self._limiters = limiters
        self._foreign = list(limiters)
        self._tasks: dict[trio.lowlevel.Task, Call | None] = {}
        self._borrowers: dict[int, dict[int, Call | None]] = {}
        self._held: dict[int, int] = {}
        self._running: Call | None = None
        self.left_tasks: list[Owned] = []

    def begin(self) -> None:
        """The run is about to begin: what is out now is not its own."""
        for limiter in self._foreign:
            self._held[id(limiter)] = int(limiter.borrowed_tokens)
            self._borrowers[id(limiter)] = dict.fromkeys(_borrowers(limiter))

    def enter(self, call: Call, task: trio.lowlevel.Task) -> None:
        """The code of a call runs from now on, in its task."""
        self._running = call
        self._claim(call)

    def leave(self, call: Call) -> None:
        """The code of a call does not run any more: it waits, or has ended."""
        self._claim(call)
        self._running = None

    def watch(self, limiter: trio.CapacityLimiter) -> None:
        """A limiter was made."""
        self._limiters.append(limiter)
        if self._running is not None:
            self._foreign.append(limiter)

    def _claim(self, call: Call) -> None:
        """Tokens of limiters that are not the engine's, taken by nobody who is known, are this call's."""
        for limiter in self._foreign:
            known = self._borrowers.get(id(limiter))
            if known or limiter.borrowed_tokens:
                known = known or {}
                holders = _borrowers(limiter)
                self._borrowers[id(limiter)] = {who: known.get(who, call) for who in holders}

    def held_since(self, limiter: trio.CapacityLimiter) -> int:
        """How many tokens of a limiter are out that were not when the run began."""
        return max(int(limiter.borrowed_tokens) - self._held.get(id(limiter), 0), 0)

    def owner_of(self, limiter: trio.CapacityLimiter) -> Call | None:
        """The call that took a token of a limiter that is still out, or None where that is not known."""
        known = self._borrowers.get(id(limiter), {})
        return next((call for who in _borrowers(limiter) if (call := known.get(who))), None)

    def note_task(self, task: trio.lowlevel.Task) -> None:
        """A task was started by what runs now."""
        owner = self._running
        if owner is None:
            starter = _running_task()
            owner = None if starter is None else self._tasks.get(starter)
        if owner is not None:
            owner.started_tasks = True
        self._tasks[task] = owner

    def forget_task(self, task: trio.lowlevel.Task) -> bool:
        """A task has ended; whether it was one of the run's."""
        return self._tasks.pop(task, self) is not self

    def settle(self) -> None:
        """The run has ended: the tasks that are there now are left over."""
        self.left_tasks = [Owned(task.name, owner) for task, owner in self._tasks.items()]


def _running_task() -> trio.lowlevel.Task | None:
    try:
        return trio.lowlevel.current_task()
    except RuntimeError:
        return None


def _borrowers(limiter: trio.CapacityLimiter) -> list[int]:
    """Who holds tokens; the engine itself takes those of a run's limiter on behalf of plain objects."""
    return [id(who) for who in limiter.statistics().borrowers if type(who) is not object]
