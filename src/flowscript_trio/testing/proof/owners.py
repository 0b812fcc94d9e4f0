"""Owns whose the tasks and tokens of a run are: which call of a runtime started or took them."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from .calls import Call
from .locks import Locks
from .stepping import is_thread


@dataclass(frozen=True, slots=True)
class Owned:
    """Something that a run left behind, and the call that it came from, where that is known."""

    what: str
    call: Call | None


@dataclass(frozen=True, slots=True)
class LeftTokens:
    """How many of the ``total`` tokens of a limiter are ``held``, by whom, and how many tasks are ``waiting``."""

    total: float
    held: int
    waiting: int
    call: Call | None


class Owners:
    """Knows which call runs now, and from it whose a new task and a taken token is."""

    def __init__(self, limiters: list[trio.CapacityLimiter], locks: Locks) -> None:
        self._limiters = limiters
        self._locks = locks
        self._own: trio.CapacityLimiter | None = None
        self._foreign = list(limiters)
        self._tasks: dict[trio.lowlevel.Task, Call | None] = {}
        self._borrowers: dict[int, dict[int, Call | None]] = {}
        self._held: dict[int, int] = {}
        self._holders: dict[int, list[object]] = {}
        self._running: Call | None = None
        self.left_tasks: list[Owned] = []

    def begin(self, own: trio.CapacityLimiter | None) -> None:
        """The run is about to begin, in this task: what is out now is not its own.

        ``own`` is the limiter that it was given: the engine takes its tokens on behalf of plain objects.
        """
        self._own = own
        self._tasks[trio.lowlevel.current_task()] = None
        for limiter in self._foreign:
            self._held[id(limiter)] = int(limiter.borrowed_tokens)
            self._holders[id(limiter)] = limiter.statistics().borrowers

    def enter(self, call: Call) -> None:
        """The code of a call runs from now on, in its task."""
        self._running = call
        self._claim(call, entering=True)

    def leave(self, call: Call) -> None:
        """The code of a call does not run any more: it waits, or has ended."""
        self._claim(call, entering=False)
        self._locks.note(call)
        self._running = None

    def current(self) -> Call | None:
        """The call whose code runs now: in its own task, or in one that it started."""
        if self._running is not None:
            return self._running
        task = _running_task()
        return None if task is None else self._tasks.get(task)

    def watch(self, limiter: trio.CapacityLimiter) -> None:
        """A limiter was made."""
        self._limiters.append(limiter)
        if self._running is not None:
            self._foreign.append(limiter)

    def _claim(self, call: Call, entering: bool) -> None:
        """Tokens of limiters that are not the engine's, taken by nobody known, are this call's.

        A token that goes from hand to hand while a call runs is that of the call that waited for it, and
        claimed when that one goes on.
        """
        for limiter in self._foreign:
            key, count = id(limiter), int(limiter.borrowed_tokens)
            if count == self._held.get(key, 0):
                self._borrowers.pop(key, None)  # as it was before the run
                continue
            known = self._borrowers.get(key) or dict.fromkeys(map(id, self._holders.get(key, ())))
            takes = entering or count > len(known)
            self._borrowers[key] = {
                who: known.get(who, call)
                for who in self._borrowers_of(limiter)
                if takes or who in known
            }

    def held_since(self, limiter: trio.CapacityLimiter) -> int:
        """How many tokens of a limiter are out that were not when the run began."""
        return max(int(limiter.borrowed_tokens) - self._held.get(id(limiter), 0), 0)

    def left_tokens(self) -> list[LeftTokens]:
        """The tokens that are out and were not when the run began, and the tasks that wait for some."""
        left: list[LeftTokens] = []
        for limiter in self._limiters:
            held, waiting = self.held_since(limiter), limiter.statistics().tasks_waiting
            if held or waiting:
                known = self._borrowers.get(id(limiter), {})
                owners = (known.get(who) for who in self._borrowers_of(limiter))
                owner = next((call for call in owners if call is not None), None)
                left.append(LeftTokens(limiter.total_tokens, held, waiting, owner))
        return left

    def give_back(self) -> None:
        """Take the tokens from those who did not give them back, but from threads: no run is to miss them."""
        for limiter in self._limiters:
            before = self._holders.get(id(limiter), ())
            for who in limiter.statistics().borrowers:
                if not is_thread(who) and not any(who is holder for holder in before):
                    limiter.release_on_behalf_of(who)

    def _borrowers_of(self, limiter: trio.CapacityLimiter) -> list[int]:
        borrowers = limiter.statistics().borrowers
        return [id(who) for who in borrowers if limiter is not self._own or type(who) is not object]

    def starter_of(self, task: trio.lowlevel.Task) -> Call | None:
        """The call that started a task, if one did."""
        return self._tasks.get(task)

    def note_task(self, task: trio.lowlevel.Task) -> bool:
        """A task was started by what runs now; whether it is one of the run's."""
        starter = _running_task()
        if starter is None or starter not in self._tasks:
            return False  # the application's own, beside the run
        owner = self._running or self._tasks[starter]
        if owner is not None:
            owner.started_tasks = True
        self._tasks[task] = owner
        return True

    def forget_task(self, task: trio.lowlevel.Task) -> bool:
        """A task has ended; whether it was one of the run's."""
        return self._tasks.pop(task, self) is not self

    def settle(self) -> None:
        """The run has ended: the tasks that are there now, but this one, are left over."""
        del self._tasks[trio.lowlevel.current_task()]
        self.left_tasks = [Owned(task.name, owner) for task, owner in self._tasks.items()]


def _running_task() -> trio.lowlevel.Task | None:
    try:
        return trio.lowlevel.current_task()
    except RuntimeError:
        return None
