"""Owns which worker process does which call: each writes its id into a small file, at the slot of the call.

Nobody else knows it before the process answers, and one that is killed with its node never does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from typing import Any

from ..types.passing import passing

_SIZE = 8

_files: dict[str, int] = {}
"""In a worker process: the files of slots that it has open, by their paths."""


class Slots:
    """The slots of the calls that are under way at once; used in the process of the run."""

    def __init__(self, path: str, file: int) -> None:
        self.path: str = path
        self._file = file
        self._free: list[int] = []
        self._count = 0

    def take(self) -> int:
        """A slot for a call that is about to begin; no process has written into it yet."""
        if not self._free:
            self._free.append(self._count)
            self._count += 1
        slot = self._free.pop()
        _write(self._file, slot, 0)
        return slot

    def give_back(self, slot: int) -> None:
        """Let another call have it."""
        self._free.append(slot)

    def process_at(self, slot: int) -> int | None:
        """The id of the process that began the call; None where none had."""
        os.lseek(self._file, slot * _SIZE, os.SEEK_SET)
        return int.from_bytes(os.read(self._file, _SIZE), "little") or None


@passing
def open_slots() -> Generator[Slots, None, None]:
    """Slots in a temporary file, which only this user may read."""
    file, path = tempfile.mkstemp(prefix="flowscript-")
    try:
        yield Slots(path, file)
    finally:
        os.close(file)
        os.unlink(path)


def call_at(path: str, slot: int, function: Callable[..., Any], *given: object) -> Any:
    """Call a function in a worker process, which first writes its id into the slot."""
    file = _files.get(path)
    if file is None:
        file = _files[path] = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    _write(file, slot, os.getpid())
    return function(*given)


def _write(file: int, slot: int, number: int) -> None:
    os.lseek(file, slot * _SIZE, os.SEEK_SET)
    os.write(file, number.to_bytes(_SIZE, "little"))
