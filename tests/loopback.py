"""Owns a small real HTTP server on loopback for tests: it records what it sees, and waits on events only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import h11
import trio


@dataclass
class Seen:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Page = Callable[[Seen], Awaitable[Answer]]


class Loopback:
    """``pages`` by path; ``most`` is how many requests were in work at once; ``left`` the paths of requests
    whose client closed the connection before the answer."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.seen: list[Seen] = []
        self.left: list[str] = []
        self.base = ""
        self.connections = 0
        self.now = self.most = 0
        self._changed = trio.Event()

    def page(self, path: str, body: Any = None, status: int = 200, **headers: str) -> None:
        async def answer(seen: Seen) -> Answer:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return Answer(status, body, named)

        self.pages[path] = answer

    def hang(self, path: str) -> None:
        async def answer(seen: Seen) -> Answer:
            await trio.sleep_forever()
            raise AssertionError

        self.pages[path] = answer

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait until a test on what was seen holds."""
        with trio.fail_after(20):
            while not test():
                await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def handle(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._serve_one(stream, connection):
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.ProtocolError):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async def _serve_one(self, stream: trio.SocketStream, connection: h11.Connection) -> bool:
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert request is not None
        headers = {k.decode(): v.decode() for k, v in request.headers}
        seen = Seen(request.method.decode(), request.target.decode(), headers, body)
        self.seen.append(seen)
        self.now += 1
        self.most = max(self.most, self.now)
        self._tell()
        answer = await self._work(stream, seen)
        self.now -= 1
        if answer is None:
            self.left.append(seen.target)
            self._tell()
            return False
        await self._send(stream, connection, answer)
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _work(self, stream: trio.SocketStream, seen: Seen) -> Answer | None:
        """The page's answer, or None where the client closed the connection before."""
        found: Answer | None = None

        async def watch(scope: trio.CancelScope) -> None:
            try:
                if not await stream.receive_some(1):
                    scope.cancel()
            except trio.BrokenResourceError:
                scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, nursery.cancel_scope)
            page = self.pages.get(seen.target.partition("?")[0])
            found = Answer(404, {"error": "no page"}) if page is None else await page(seen)
            nursery.cancel_scope.cancel()
        return found

    async def _send(
        self, stream: trio.SocketStream, connection: h11.Connection, answer: Answer
    ) -> None:
        body = answer.body
        headers = {"Content-Type": "application/json", **answer.headers}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        for event in (
            h11.Response(
                status_code=answer.status,
                headers=[*headers.items(), ("Content-Length", str(len(data)))],
            ),
            h11.Data(data=data),
            h11.EndOfMessage(),
        ):
            await stream.send_all(connection.send(event) or b"")


@asynccontextmanager
async def loopback() -> AsyncIterator[Loopback]:
    """A server while the block lasts."""
    server = Loopback()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, server.handle, 0)
        port = listeners[0].socket.getsockname()[1]
        server.base = f"http://localhost:{port}"
        for listener in listeners:
            if listener.socket.family == trio.socket.AF_INET:
                server.base = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        yield server
        nursery.cancel_scope.cancel()
