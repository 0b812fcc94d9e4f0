"""Owns a real HTTP server on loopback for tests: it records what it sees, and waits on events only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from flowscript_trio.cli.serving import Answer, Server
from flowscript_trio.cli.serving import Request as Seen

Page = Callable[[Seen], Awaitable[Answer]]

__all__ = ["Answer", "Loopback", "Page", "Seen", "loopback"]


class Loopback:
    """``pages`` by path; ``seen`` all requests in order; ``now`` how many are in work, ``most`` how many were
    at once; ``left`` the targets of requests whose client closed the connection before the answer."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.seen: list[Seen] = []
        self.left: list[str] = []
        self.base = ""
        self.now = self.most = 0
        self._changed = trio.Event()
        self.server = Server(self._respond, self._note_left)

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self.server.connections

    def page(self, path: str, body: Any = None, status: int = 200, **headers: str) -> None:
        """Answer a path always alike."""
        self.answer(
            path, Answer(status, body, {n.replace("_", "-"): v for n, v in headers.items()})
        )

    def answer(self, path: str, *answers: Answer) -> None:
        """Answer a path with these, one after another, and then always with the last."""
        left = list(answers)

        async def give(seen: Seen) -> Answer:
            return left.pop(0) if len(left) > 1 else left[0]

        self.pages[path] = give

    def hang(self, path: str) -> None:
        """Never answer a path."""

        async def wait(seen: Seen) -> Answer:
            await trio.sleep_forever()
            raise AssertionError

        self.pages[path] = wait

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait until a test on what was seen holds."""
        with trio.fail_after(20):
            while not test():
                await self._changed.wait()

    def _note(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _note_left(self, seen: Seen) -> None:
        self.left.append(seen.target)
        self._note()

    async def _respond(self, seen: Seen) -> Answer:
        self.seen.append(seen)
        self.now += 1
        self.most = max(self.most, self.now)
        self._note()
        try:
            page = self.pages.get(seen.path)
            return Answer(404, {"error": "no page"}) if page is None else await page(seen)
        finally:
            self.now -= 1
            self._note()


@asynccontextmanager
async def loopback() -> AsyncIterator[Loopback]:
    """A server while the block lasts."""
    loopback = Loopback()
    async with trio.open_nursery() as nursery:
        loopback.base = await nursery.start(loopback.server.serve)
        yield loopback
        nursery.cancel_scope.cancel()
