"""Owns a terminal for tests: a command that runs on it, and what stands on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pyte
import trio

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]


class Terminal:
    """A terminal that a process writes to."""

    def __init__(self, fd: int, columns: int, rows: int) -> None:
        self._fd = fd
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.status: int | None = None
        """What the command ended with."""

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def line(self, word: str) -> str:
        """The line with a word in it, or nothing."""
        return next((line for line in self.lines if word in line), "")

    async def until(self, test: Callable[[], bool]) -> None:
        """Read on until a test of the screen holds."""
        with trio.fail_after(30):
            while not test():
                assert await self._read(), "\n".join(self.lines)

    async def to_the_end(self) -> None:
        with trio.fail_after(30):
            while await self._read():
                pass

    async def _read(self) -> bool:
        await trio.lowlevel.wait_readable(self._fd)
        try:
            shown = os.read(self._fd, 1 << 16)
        except OSError:  # as Linux tells that nobody has it open any more
            return False
        self._stream.feed(shown)
        return bool(shown)


@asynccontextmanager
async def on_terminal(
    *words: str, cwd: Path, columns: int = 80, rows: int = 24
) -> AsyncIterator[Terminal]:
    """``flowscript`` with its standard error on a terminal; leaving the block waits for it."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    terminal = Terminal(main, columns, rows)
    unwanted = ("NO_COLOR", "COLUMNS", "LINES")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted} | {"TERM": "xterm"}
    start = partial(
        trio.run_process,
        [*FLOWSCRIPT, *words],
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        check=False,
        stderr=side,
        cwd=cwd,
        env=environment,
    )
    try:
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(start)
            os.close(side)
            yield terminal
            await terminal.to_the_end()
            terminal.status = await process.wait()
    finally:
        os.close(main)
