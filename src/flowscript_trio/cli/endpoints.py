"""Owns the demo's server: a few JSON endpoints on loopback, inside the same trio program."""

from __future__ import annotations

import json
from collections.abc import Callable

import h11
import trio

PAGES: dict[str, tuple[float, object]] = {
    "/weather": (0.3, {"city": "Lisbon", "degrees": 21}),
    "/quotes": (0.6, [{"id": 1, "text": "Simple is better than complex."}]),
    "/users": (1.2, [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]),
}
"""By path: the seconds that an answer takes, and the answer."""


class Endpoints:
    """The demo's server. ``failing`` is the path that answers 500, or None; ``base`` its URL."""

    def __init__(self) -> None:
        self.failing: str | None = None
        self.base = ""

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; the status is the server's URL."""
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(trio.serve_tcp, self._handle, 0)
            port = next(
                listener.socket.getsockname()[1]
                for listener in listeners
                if listener.socket.family == trio.socket.AF_INET
            )
            self.base = f"http://127.0.0.1:{port}"
            task_status.started(self.base)

    async def _handle(self, stream: trio.SocketStream) -> None:
        """Answer the requests of one connection until either side closes it."""
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._answer(stream, connection):
                connection.start_next_cycle()
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError):
            pass  # the client has gone: that is what a cancelled request looks like from here
        finally:
            await trio.aclose_forcefully(stream)

    async def _answer(self, stream: trio.SocketStream, connection: h11.Connection) -> bool:
        """Answer one request; whether another may follow."""
        request = None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return False
        assert request is not None
        path = request.target.decode("ascii").partition("?")[0]
        status, page = await self._page(path)
        body = json.dumps(page).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        send: Callable[[h11.Event], bytes | None] = connection.send
        for event in (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            await stream.send_all(send(event) or b"")
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _page(self, path: str) -> tuple[int, object]:
        if path not in PAGES:
            return 404, {"error": "no such page"}
        seconds, page = PAGES[path]
        await trio.sleep(seconds)
        if path == self.failing:
            return 500, {"error": "this endpoint was made to fail"}
        return 200, page
