"""Owns the following of one call of a runtime: each of its waits, what it is handed, and what is raised in it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

import trio

from ...types.exceptions import is_a
from .calls import Call, Moment, Planted, Wait
from .leftovers import Leftovers
from .owners import Owners
from .replacing import replacement_in
from .sites import (
    WaitSite,
    cuts_short,
    follows_cancelled,
    has_cancelled_behind,
    site_of,
)
from .stepping import Surroundings, frames_of, sent_error, shields_around


class Watcher(Protocol):
    """What follows a call reports to."""

    owners: Owners
    leftovers: Leftovers

    def now(self) -> Moment: ...

    def error_in(self, call: Call, place: int) -> Planted | None:
        """What is to be raised in that place of a call, or None."""

    def note_raised(self, error: Planted) -> None:
        """It is raised."""

    def note_wait(self, waiting: object, wait: Wait | None) -> None:
        """A call, or somebody else that is followed, begins to wait, or (None) goes on."""


class Follower:
    """Follows one call, in its task."""

    def __init__(self, watcher: Watcher, call: Call, task: trio.lowlevel.Task) -> None:
        self._watcher = watcher
        self._call = call
        self._task = task
        self._shields = shields_around(task)
        self._around = Surroundings(task)
        self._handed: list[BaseException] = []
        self._places: list[tuple[BaseException, WaitSite | None]] = []
        """Where this task, and those that it started, were when they were handed ``Cancelled``."""
        self._child_was_handed = False
        self._work: Coroutine[Any, Any, Any] | None = None
        watcher.owners.enter(call)
        watcher.leftovers.enter(call, lambda: False)

    def follow(self, work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """It is this coroutine that is followed from now on."""
        self._work = work
        return work

    @property
    def deadline(self) -> float:
        """The deadline that is around the call now; -inf where it is cancelled."""
        return self._around.deadline

    def error_here(self) -> Planted | None:
        number = self._call.places
        self._call.places += 1
        if self._call.planted is not None:
            return None
        return self._watcher.error_in(self._call, number)

    def at_error(self, error: BaseException) -> None:
        assert is_a(error, Planted)
        self._call.planted = error
        self._watcher.note_raised(error)

    def raise_here(self) -> None:
        """Raise what is planted before the first step of the call, or after its last."""
        error = self.error_here()
        if error is not None:
            self.at_error(error)
            raise error

    def at_wait(self) -> None:
        self._watcher.owners.leave(self._call)
        shielded = shields_around(self._task) > self._shields
        pass_number = self._watcher.now().pass_number
        wait = Wait(pass_number, shielded, trio.current_effective_deadline())
        self._call.waits.append(wait)
        self._watcher.note_wait(self._call, wait)
        self._watcher.leftovers.leave(self._call)

    def at_resume(self, handed: BaseException | None) -> None:
        call, watcher = self._call, self._watcher
        wait = call.waits[-1]
        watcher.note_wait(call, None)
        watcher.owners.enter(call)
        watcher.leftovers.enter(call, self._waited_for_thread)
        wait.until = watcher.now()
        cancelled = self._around.are_cancelled and not wait.shielded
        if is_a(handed, trio.Cancelled) and cancelled:
            self._handed.append(handed)
            self._places.append((handed, self._place()))
            if call.told is None:
                call.told = wait.until
        else:
            wait.deaf = cancelled

    def _place(self) -> WaitSite | None:
        return None if self._work is None else site_of(frames_of(self._work))

    def _waited_for_thread(self) -> bool:
        place = self._place()
        return place is not None and place.called == "to_thread_run_sync"

    def at_child(self, child: trio.lowlevel.Task) -> None:
        """A task that the call has started is handed ``Cancelled``."""
        if self._around.are_cancelled and self._is_under(child):
            self._child_was_handed = True
            handed = sent_error(child)
            if handed is not None:
                self._places.append((handed, site_of(child.iter_await_frames())))

    def _is_under(self, child: trio.lowlevel.Task) -> bool:
        """Whether a task runs in a nursery of this call, with no shield between."""
        if shields_around(child) > self._shields:
            return False
        task: trio.lowlevel.Task | None = child
        while task is not None and task is not self._task:
            task = None if task.parent_nursery is None else task.parent_nursery.parent_task
        return task is not None

    def at_end(self) -> None:
        """The call has ended: whether a cancellation was swallowed on the way."""
        call = self._call
        went_on = any(not follows_cancelled(handed) for handed in self._handed[1:])
        was_handed = bool(self._handed) or self._child_was_handed
        lost = call.raised is None or (
            self._around.are_cancelled
            and call.planted is None
            and not has_cancelled_behind(call.raised)
        )
        call.swallowed = went_on or (lost and was_handed)
        for handed, place in self._places:
            if cuts_short(handed, place):
                call.cut_short = str(place)
        cancelled = self._around.are_cancelled
        if cancelled and was_handed and call.planted is None:
            call.replaced = None if call.raised is None else replacement_in(call.raised)
        if not cancelled and any(is_a(error, trio.Cancelled) for error in call.errors):
            call.stray = True


class Onlooker:
    """Sees what a coroutine waits for that is not a call of a runtime: the application's decider."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def error_here(self) -> None:
        return None

    def at_error(self, error: BaseException) -> None:
        raise AssertionError("nothing is planted here")

    def at_wait(self) -> None:
        deadline = trio.current_effective_deadline()
        self._watcher.note_wait(self, Wait(self._watcher.now().pass_number, False, deadline))

    def at_resume(self, handed: BaseException | None) -> None:
        self._watcher.note_wait(self, None)
