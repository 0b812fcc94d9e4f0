"""Owns the standard streams of a command: what becomes of them where they are closed, full or not there."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import click

_was_closed: set[int] = set()
"""Those of the standard descriptors that were closed when the command began."""


class OutputLost(OSError):
    """Standard output does not take what is written to it."""

    @property
    def reason(self) -> str:
        return "it is closed" if self.errno == errno.EBADF else str(self.strerror)


class _Whole(io.FileIO):
    """A stream that takes all of what is written to it, or raises.

    There is no buffer before it: what an interrupt leaves in one is written again, and may have been written.
    """

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        while left:
            written = super().write(left)
            if written is None:  # it does not wait, and has no room
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            left = left[written:]
        return len(data)


class _Output(_Whole):
    """Standard output, whose errors can be distinguished from those of other files."""

    def write(self, data: Any, /) -> int:
        if self.fileno() in _was_closed:
            raise OutputLost(errno.EBADF, os.strerror(errno.EBADF))
        try:
            return super().write(data)
        except OSError as exc:
            raise OutputLost(exc.errno, exc.strerror) from None


class _Errors(_Whole):
    """Standard error: what it does not take is lost, for there is nowhere to report it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def take_streams() -> None:
    """Make the standard streams such that each write says what became of it, and none ends in a traceback.

    Descriptors that are closed are opened on the null device: a file that is opened later would become standard
    output.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            _was_closed.add(handle)
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, and so this one
            if opened != handle:
                os.dup2(opened, handle)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    if _is_own(sys.stdout, sys.__stdout__):
        sys.stdout = _text(_Output(1, "wb", closefd=False), sys.stdout, "backslashreplace")
    if _is_own(sys.stderr, sys.__stderr__):
        sys.stderr = _text(_Errors(2, "wb", closefd=False), sys.stderr, "backslashreplace")


def _is_own(stream: TextIO | None, begun: TextIO | None) -> bool:
    """Whether a stream is still the one that Python began with: it is nobody's replacement."""
    return stream is begun


def _text(raw: io.FileIO, old: TextIO | None, errors: str) -> TextIO:
    """Half a surrogate pair is written as an escape, as JSON has it, too."""
    with suppress(OSError):
        if old is not None:
            old.flush()
    encoding = "utf-8" if old is None else old.encoding
    unbuffered: Any = raw  # as Python has it with -u
    return io.TextIOWrapper(unbuffered, encoding, errors, line_buffering=True, write_through=True)


def finish_output() -> None:
    """Write out what standard output still holds; raises OutputLost."""
    if sys.stdout is not None:
        sys.stdout.flush()


def drop_output() -> None:
    """Give up what standard output still holds: at the end Python would try to write it once more."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _was_closed.discard(1)
    with suppress(OSError, ValueError):
        sys.stdout.flush()


_read: tuple[object, str] | None = None
"""The standard input that was read, and what for: a second reader would find nothing in it."""


def standard_input(option: str) -> bytes:
    """All of standard input, for what an option asks; raises UsageError where it is closed, or was read before."""
    global _read
    if 0 in _was_closed:
        raise click.UsageError(f"{option}: standard input is closed")
    if _read is not None and _read[0] is sys.stdin:
        raise click.UsageError(
            f"{option}: standard input was read for {_read[1]} already; expected a file for one of them"
        )
    _read = sys.stdin, option
    return sys.stdin.buffer.read()


def is_asked_at_a_terminal() -> bool:
    """Whether standard input is a terminal, at which somebody can be asked."""
    return 0 not in _was_closed and sys.stdin is not None and sys.stdin.isatty()
