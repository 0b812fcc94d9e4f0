"""Owns what a run leaves to the system: open files, sockets, temporary files and threads, and whose they are."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from .calls import Call

T = TypeVar("T")

FOLDER = next((name for name in ("/proc/self/fd", "/dev/fd") if os.path.isdir(name)), None)
"""Where the system lists what this process has open; None on a system that does not, where less is seen."""
LOOK, LAST_LOOKS = 0.002, 10
"""Real seconds between two looks at what is still open, and how many there are."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a call has left open, or left to the collector of garbage, or a file that it has left."""

    what: str
    call: Call


class Leftovers:
    """Knows of which call an open descriptor, a temporary file and a thread are.

    ``running`` gives the call whose code runs now, in whatever task or thread.
    """

    def __init__(self, running: Callable[[], Call | None]) -> None:
        self._running = running
        self._before = dict(_described())
        self._known = set(self._before)
        self._owners: dict[int, Call] = {}
        self._openers: dict[str, Call] = {}
        self._temporary: dict[str, Call] = {}
        self._starters: dict[object, Call] = {}
        self.collected: list[Left] = []
        """What was left to the collector of garbage."""

    def enter(self, call: Call, from_thread: Callable[[], bool]) -> None:
        """The code of a call runs from now on; ``from_thread`` tells whether it waited for a thread."""
        now = _open()
        if now - self._known and from_thread():
            self._claim(call, now)
        self._known = now

    def leave(self, call: Call) -> None:
        """The code of a call does not run any more."""
        now = _open()
        self._claim(call, now)
        self._known = now

    def _claim(self, call: Call, now: set[int]) -> None:
        """What is open since the last look is this call's, unless another one was seen to open it, in a thread."""
        for descriptor in now - self._known:
            self._owners[descriptor] = self._openers.get(_path_of(descriptor) or "", call)

    def note_open(self, path: object) -> None:
        """A file is about to be opened, in whatever thread; called by Python itself."""
        call = self._running()
        if call is not None and isinstance(path, (str, bytes, os.PathLike)):
            self._openers[os.path.realpath(os.fsdecode(path))] = call

    def note_thread(self, thread: object) -> None:
        """A thread is about to be started, from whatever thread."""
        call = self._running() or self._starters.get(threading.current_thread())
        if call is not None and not is_of_trio(thread):
            self._starters[thread] = call

    def in_thread(self, work: Callable[[], T]) -> Callable[[], T]:
        """Work for a thread that trio keeps, which is that of the call whose code runs now while it is at it."""
        call = self._running()
        if call is None:
            return work

        def working() -> T:
            thread = threading.current_thread()
            self._starters[thread] = call
            try:
                return work()
            finally:
                self._starters.pop(thread, None)

        return working

    def starter_of(self, thread: object) -> Call | None:
        """The call that started a thread, or gave it what it does, if one did."""
        return self._starters.get(thread)

    def note_temporary(self, path: str) -> None:
        call = self._running()
        if call is not None:
            self._temporary[path] = call

    def note_warning(self, warning: warnings.WarningMessage) -> None:
        """Something is collected that should have been closed: whose it is, its descriptor or its path tells."""
        said = str(warning.message)
        call = self._owner_of(warning.source)
        for path, maker in self._temporary.items():
            if path in said:
                call = maker
        call = call or self._running()
        if call is not None:
            self.collected.append(Left(said, call))

    def _owner_of(self, source: object) -> Call | None:
        number = getattr(source, "fileno", None)
        try:
            return self._owners.get(number()) if callable(number) else None
        except (OSError, ValueError):
            return None

    def open(self) -> list[Left]:
        """What is still open, after the collector of garbage had its chance."""
        left = self._now_open()
        if left:
            gc.collect()
            left = self._now_open()
        for _ in range(LAST_LOOKS):
            if not left:
                break
            time.sleep(LOOK)  # what another thread has opened meanwhile it may be about to close
            left = self._now_open()
        return [Left(what, call) for what, call in left]

    def _now_open(self) -> list[tuple[str, Call]]:
        return [
            (what, self._owners[descriptor])
            for descriptor, what in _described()
            if descriptor in self._owners and self._before.get(descriptor) != what
        ]

    def temporary(self) -> list[Left]:
        """The temporary files and folders that are still there."""
        there = [path for path in self._temporary if os.path.lexists(path)]
        if there:
            gc.collect()
        return [Left(path, self._temporary[path]) for path in there if os.path.lexists(path)]


def _open() -> set[int]:
    """The descriptors that are open, without that of the listing itself."""
    return set() if FOLDER is None else set(filter(_is_open, map(int, os.listdir(FOLDER))))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _described() -> Iterator[tuple[int, str]]:
    """The descriptors that are open, each with what the system says that it is."""
    for descriptor in sorted(_open()):
        path = _path_of(descriptor)
        if path is not None:
            yield descriptor, path


def _path_of(descriptor: int) -> str | None:
    """What the system says that a descriptor is; None where it was closed meanwhile, or has no link."""
    try:
        return os.readlink(f"{FOLDER}/{descriptor}")
    except OSError:
        return None


def is_of_trio(thread: object) -> bool:
    """Whether it is one of the threads that trio keeps, and gives now this call and now that; while it is free."""
    return isinstance(thread, threading.Thread) and thread.name.startswith("Trio thread ")


_watching: Leftovers | None = None


@contextmanager
def watching_opens(leftovers: Leftovers) -> Iterator[None]:
    """Let what a trial leaves know of each file that is opened meanwhile."""
    global _watching
    _add_hook()
    _watching = leftovers
    try:
        yield
    finally:
        _watching = None


@cache
def _add_hook() -> None:
    """Python keeps the hook for good, so there is one, which does nothing while no trial runs."""
    sys.addaudithook(_on_audit)


def _on_audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching is not None and event == "open":
        _watching.note_open(arguments[0])
