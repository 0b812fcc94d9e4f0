"""Owns a minimal HTTP/1.1 server on loopback: one async function answers every request."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import h11
import trio

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``target`` with its query, header names in lower case, the whole body."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: bytes as they are, anything else as JSON.

    ``stalls`` sends no more than the headers and the body, and never ends the answer.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stalls: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server:
    """Answers requests with ``respond``, which is cancelled when its client closes the connection.

    ``connections`` counts those that were opened; ``left``, if given, is called with each request whose
    client went away before it had its answer.
    """

    def __init__(
        self,
        respond: Callable[[Request], Awaitable[Answer]],
        left: Callable[[Request], None] | None = None,
    ) -> None:
        self.connections: int = 0
        self._respond = respond
        self._left = left

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve on a free port of loopback until cancelled; the status is the server's URL."""
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(trio.serve_tcp, self._handle, 0, host=LOOPBACK))
            port = listeners[0].socket.getsockname()[1]
            task_status.started(f"http://{LOOPBACK}:{port}")

    async def _handle(self, stream: trio.SocketStream) -> None:
        """Answer the requests of one connection until either side closes it."""
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while (request := await _receive(stream, connection)) is not None:
                answer = await self._answer(stream, connection, request)
                if answer is None:
                    return
                await _send(stream, connection, answer)
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.ProtocolError):
            pass  # the client has gone: that is what a cancelled request looks like from here
        finally:
            await trio.aclose_forcefully(stream)

    async def _answer(
        self, stream: trio.SocketStream, connection: h11.Connection, request: Request
    ) -> Answer | None:
        """The answer, or None where the client closed the connection before."""
        found: Answer | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, stream, connection, nursery.cancel_scope)
            found = await self._respond(request)
            if found.stalls:
                await _send(stream, connection, found)
                await trio.sleep_forever()
            nursery.cancel_scope.cancel()
        if found is None or found.stalls:
            if self._left is not None:
                self._left(request)
            return None
        return found


async def _watch(
    stream: trio.SocketStream, connection: h11.Connection, scope: trio.CancelScope
) -> None:
    """Cancel the work on an answer when nobody waits for it any more."""
    try:
        while data := await stream.receive_some(65536):
            connection.receive_data(data)
    except trio.BrokenResourceError:
        pass
    scope.cancel()


async def _receive(stream: trio.SocketStream, connection: h11.Connection) -> Request | None:
    """The next request, or None where the client closes the connection instead."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("latin-1"): v.decode("utf-8") for name, v in head.headers}
            return Request(
                head.method.decode("ascii"), head.target.decode("ascii"), headers, bytes(body)
            )
        else:
            return None


async def _send(stream: trio.SocketStream, connection: h11.Connection, answer: Answer) -> None:
    content = answer.content
    headers = {"Content-Type": "application/json", **answer.headers}
    size = [] if answer.stalls else [("Content-Length", str(len(content)))]
    head = h11.Response(
        status_code=answer.status, headers=[*(h for h in headers.items() if h[1]), *size]
    )
    send: Callable[[h11.Event], bytes | None] = connection.send
    data = (send(head) or b"") + (send(h11.Data(data=content)) or b"")
    if not answer.stalls:
        data += send(h11.EndOfMessage()) or b""
    await stream.send_all(data)
