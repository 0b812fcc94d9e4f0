"""Owns files that are open to be read: regular ones, and pipes, at which a thread can be made to give up."""

from __future__ import annotations

import io
import os
import select
import stat
from pathlib import Path
from typing import BinaryIO, cast

import trio

from .paths import open_entry, refuse_device

CAN_POLL = hasattr(select, "poll")
_LOOK = 50
"""Milliseconds between two looks of a thread that waits at a pipe whether it is still wanted."""


def open_to_read(path: str, base: Path | None, flags: int = 0) -> BinaryIO:
    """The file, open to be read. Without a base it may be any, also by the links of the standard streams.

    Raises OSError, PathOutside, and FlowScriptError for a device.
    """
    if base is None:
        refuse_device(os.stat(path), path)
        return _checked(
            open(path, "rb", opener=lambda name, more: os.open(name, more | flags)), path
        )
    with open_entry(path, base) as entry:
        found = entry.stat()
        if found is not None:
            refuse_device(found, path)
        return _checked(open(entry.open(os.O_RDONLY | flags), "rb"), path)


def _checked(file: BinaryIO, path: str) -> BinaryIO:
    try:
        refuse_device(os.fstat(file.fileno()), path)
    except BaseException:
        file.close()
        raise
    return file


def open_patiently(path: str, base: Path | None) -> BinaryIO:
    """As :func:`open_to_read`; neither opening nor reading it holds a thread of trio's once that is cancelled.

    A pipe is read as soon as there is something in it, to the end of its last writer. Its reads raise
    ``Cancelled`` in the thread.
    """
    if not CAN_POLL:
        return open_to_read(path, base)
    file = open_to_read(path, base, os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    return cast(BinaryIO, io.BufferedReader(_Pipe(file)))


class _Pipe(io.RawIOBase):
    """A pipe or a terminal that is opened so that its reads do not block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._poll = select.poll()
        self._poll.register(file, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        while True:
            while not self._poll.poll(_LOOK):
                trio.from_thread.check_cancelled()
            try:
                return os.readv(self._file.fileno(), [buffer])
            except BlockingIOError:
                continue  # another reader was faster

    def close(self) -> None:
        self._file.close()
        super().close()
