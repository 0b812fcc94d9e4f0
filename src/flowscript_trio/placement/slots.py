"""Owns which worker process does which call: each writes its id at the slot of the call, in memory that both see.

Nobody else knows it before the process answers, and one that is killed with its node never does.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Generator

from ..types.passing import passing

_SIZE = 8


class Slots:
    """The slots of the calls that are under way at once; used in the process of the run.

    ``path`` is the file that workers share them by.
    """

    def __init__(self, path: str, marks: memoryview) -> None:
        self.path: str = path
        self._marks = marks
        self._free = list(range(len(marks)))

    def take(self) -> int:
        """A slot for a call that is about to begin; no process has written into it yet."""
        slot = self._free.pop()
        self._marks[slot] = 0
        return slot

    def give_back(self, slot: int) -> None:
        """Let another call have it."""
        self._free.append(slot)

    def process_at(self, slot: int) -> int | None:
        """The id of the process that began the call; None where none had."""
        return self._marks[slot] or None


@passing
def open_slots(count: int) -> Generator[Slots, None, None]:
    """This many slots, in a temporary file which only this user may read."""
    file, path = tempfile.mkstemp(prefix="flowscript-")
    try:
        os.write(file, bytes(count * _SIZE))
        with mmap.mmap(file, count * _SIZE) as memory, _numbers_in(memory) as marks:
            yield Slots(path, marks)
    finally:
        os.close(file)
        os.unlink(path)


def join_slots(path: str) -> memoryview:
    """The same slots in a worker process, as long as it lives."""
    with open(path, "r+b") as file:
        return _numbers_in(mmap.mmap(file.fileno(), 0))


def _numbers_in(memory: mmap.mmap) -> memoryview:
    return memoryview(memory).cast("Q")
