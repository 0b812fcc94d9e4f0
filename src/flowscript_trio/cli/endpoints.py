"""Owns the demo's endpoints: a few JSON pages on loopback, inside the same trio program."""

from __future__ import annotations

import trio

from .serving import Answer, Request, Server

PAGES: dict[str, tuple[float, object]] = {
    "/weather": (0.3, {"city": "Lisbon", "degrees": 21}),
    "/quotes": (0.6, [{"id": 1, "text": "Simple is better than complex."}]),
    "/users": (1.2, [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]),
}
"""By path: the seconds that an answer takes, and the answer."""


class Endpoints:
    """The demo's server. ``failing`` is the path that answers 500, or None; ``base`` its URL.

    ``left`` are the paths of the requests whose client closed the connection before it had its answer: what
    a cancelled branch looks like from the other side.
    """

    def __init__(self, failing: str | None = None) -> None:
        self.failing = failing
        self.base: str = ""
        self.left: list[str] = []

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; the status is the server's URL."""
        server = Server(respond=self._respond, left=lambda request: self.left.append(request.path))
        async with trio.open_nursery() as nursery:
            self.base = await nursery.start(server.serve)
            task_status.started(self.base)

    async def _respond(self, request: Request) -> Answer:
        if request.path not in PAGES:
            return Answer(404, {"error": "no such page"})
        seconds, page = PAGES[request.path]
        await trio.sleep(seconds)
        if request.path == self.failing:
            return Answer(500, {"error": "this endpoint was made to fail"})
        return Answer(body=page)
