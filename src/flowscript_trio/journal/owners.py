"""Owns who owns a run of a file: a locked byte of a side file, which the death of its process frees.

It is a POSIX lock, since ``flock`` would outlive its process in a forked child. Such a lock goes with any close of
the file, so the side file is opened once a process and never closed; and it does not hold within a process, so a
table does.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi"
_ALL = 1 << 62
"""More bytes than there are runs."""

THIS_PROCESS = "another task of this process"


class Owners:
    """The runs of one side file and which of them this process owns, by their numbers from 1.

    The byte before theirs is locked by whoever makes the tables.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._own: set[int] = set()
        self._lock = threading.Lock()

    def take(self, number: int) -> str | None:
        """Own a run; who owns it where it is somebody else."""
        with self._lock:
            if number in self._own:
                return THIS_PROCESS
            if not self._locked(number, 1):
                return self._other(number, 1) or "another process"
            self._own.add(number)
            return None

    def free(self, number: int) -> None:
        """Give a run back."""
        with self._lock:
            self._own.discard(number)
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def owner(self, number: int) -> str | None:
        """The owner of a run, if there is one; nothing is locked to find out."""
        with self._lock:
            return THIS_PROCESS if number in self._own else self._other(number, 1)

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Keep other processes out of the block, in which tables are made; they are waited for.

        Raises TimeoutError where one of them takes longer than that.
        """
        end = time.monotonic() + seconds
        with self._lock:
            while not self._locked(0, 1):
                if time.monotonic() > end:
                    raise TimeoutError(
                        f"{self._other(0, 1)} has been making its tables for {seconds} s"
                    )
                time.sleep(0.01)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 0)

    @contextmanager
    def none(self) -> Iterator[str | None]:
        """Keep every run from being owned in a block in that of ``alone``; an owner there is given instead."""
        owner = THIS_PROCESS if self._own else None
        if owner is None and not self._locked(1, _ALL):
            owner = self._other(1, _ALL) or "another process"
        try:
            yield owner
        finally:
            if owner is None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, _ALL, 1)

    def _locked(self, start: int, length: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _other(self, start: int, length: int) -> str | None:
        """The other process that has locked one of these bytes."""
        darwin = sys.platform == "darwin"
        asked: tuple[int, ...] = (fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        if darwin:
            asked = (start, length, 0, fcntl.F_WRLCK, os.SEEK_SET)
        told = struct.unpack(
            _FLOCK, fcntl.fcntl(self._file, fcntl.F_GETLK, struct.pack(_FLOCK, *asked))
        )
        kind, process = (told[3], told[2]) if darwin else (told[0], told[4])
        return None if kind == fcntl.F_UNLCK else f"the process {process}"


_files: dict[tuple[int, int], Owners] = {}
_opening = threading.Lock()


def owners_of(side: Path) -> Owners:
    """The owners of a side file, which is made where there is none. Raises OSError."""
    with _opening:
        try:
            found = os.stat(side)
        except FileNotFoundError:
            made = os.open(side, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        else:
            known = _files.get((found.st_dev, found.st_ino))
            if (
                known is not None
            ):  # opening it once more would mean to close it, and all locks with that
                return known
            made = os.open(side, os.O_RDWR | os.O_CLOEXEC)
        state = os.fstat(made)
        return _files.setdefault((state.st_dev, state.st_ino), Owners(made))


def _forked() -> None:
    """A child owns nothing of what its parent does, and may open the file for itself."""
    global _opening
    _files.clear()
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_forked)
