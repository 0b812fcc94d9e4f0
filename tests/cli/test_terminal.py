"""Owns the tests of what a person sees of a failing run on a terminal, at three moments of it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyte
import trio

from loopback import Answer, Seen, loopback

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
COLUMNS, ROWS = 110, 40
DOCUMENT = """<workflow name="watched">
<parallel id="all" maxConcurrency="4">
  <branch><foreach id="each" collection="[1, 2, 3, 4]">
    <source:http id="one" url="{{$config.base}}/item"/>
  </foreach></branch>
  <branch><source:http id="bad" url="{{$config.base}}/bad"/></branch>
  <branch><source:http id="again" url="{{$config.base}}/again">
    <on-error><retry max="3" base="1h" jitter="none"/></on-error>
  </source:http></branch>
  <branch><delay id="nap" duration="1h"/></branch>
</parallel>
</workflow>"""


class Terminal:
    """A terminal that a process writes to, and what stands on its screen."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

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


async def test_what_a_person_sees_of_a_failing_run(tmp_path: Path) -> None:
    (tmp_path / "watched.xml").write_text(DOCUMENT)
    next_item, fail = trio.Event(), trio.Event()
    asked = 0

    async def item(seen: Seen) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 1:
            await next_item.wait()
        elif asked == 3:
            await trio.sleep_forever()
        return Answer(body={"n": asked})

    async def bad(seen: Seen) -> Answer:
        await fail.wait()
        return Answer(404, {"error": "gone"})

    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    terminal = Terminal(main)
    async with loopback() as server, trio.open_nursery() as nursery:
        server.pages |= {"/item": item, "/bad": bad}
        server.page("/again", {"error": "busy"}, status=503)
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
        command = [*FLOWSCRIPT, "run", "watched.xml", "--config", f"base={server.base}"]
        start = partial(
            trio.run_process, stdin=subprocess.DEVNULL, capture_stdout=True, check=False
        )
        process: trio.Process = await nursery.start(
            partial(start, command, stderr=side, cwd=tmp_path, env=environment)
        )
        os.close(side)

        # First: all four branches run, and one waits for its second attempt.
        await terminal.until(lambda: "attempt 2 in" in terminal.line("again"))
        await terminal.until(lambda: "0/4" in terminal.line("each"))
        assert terminal.line("watched").startswith("● watched")
        assert "● bad <source:http>" in terminal.line("bad")
        assert "● one <source:http>" in terminal.line("one")
        assert "━━━" in terminal.line("nap")
        assert "0/4" in terminal.line("all <parallel>")

        # Second: two items are done.
        next_item.set()
        await terminal.until(lambda: "2/4" in terminal.line("each"))
        assert "✓ iteration 0" in terminal.line("iteration 0")
        assert "● iteration 2" in terminal.line("iteration 2")
        assert "0/4" in terminal.line("all <parallel>")

        # Third: one branch has failed; who was cancelled says by whom, and what it was doing.
        fail.set()
        await terminal.to_the_end()
        assert await process.wait() == 1
    os.close(main)
    assert terminal.line("watched").startswith("✗ watched")
    assert "✗ bad <source:http>" in terminal.line("bad <")
    assert "HTTPStatusError" in terminal.line("bad <")
    assert "⊘ again" in terminal.line("again <")
    assert "while it waited for attempt 2" in terminal.line("again <")
    assert "⊘ nap" in terminal.line("nap <")
    assert "while it slept" in terminal.line("nap <")
    assert "⊘ iteration 2" in terminal.line("iteration 2")
    assert "all/1 failed: HTTPStatusError" in terminal.line("iteration 2")
    assert "✓ iteration 1" in terminal.line("iteration 1")
    shown = "\n".join(terminal.lines)
    assert "watched.xml:6:11: bad" in shown
    assert '6 |   <branch><source:http id="bad"' in shown
    assert "in all: 3 branches were cancelled" in shown
    assert "cancelled: all/2/again after" in shown
