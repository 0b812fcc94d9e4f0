"""Owns tests of the demo's endpoints and of the small server under them."""

from __future__ import annotations

import httpx
import pytest
import trio

from flowscript_trio.cli.endpoints import PAGES, Endpoints
from flowscript_trio.cli.serving import Answer, Request, Server


def request_of(path: str) -> Request:
    return Request("GET", path, {}, b"")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_takes_its_time_and_fails_when_it_is_made_to(
    path: str, autojump_clock: trio.testing.MockClock
) -> None:
    endpoints = Endpoints()
    start = trio.current_time()
    assert await endpoints._respond(request_of(f"{path}?a=1")) == Answer(200, PAGES[path][1])
    assert trio.current_time() - start == pytest.approx(PAGES[path][0])
    endpoints.failing = path
    assert (await endpoints._respond(request_of(path))).status == 500


async def test_the_server_is_on_loopback_only_and_answers_several_requests_of_a_connection() -> (
    None
):
    async def respond(request: Request) -> Answer:
        return Answer(body=[request.method, request.path, request.body.decode()])

    server = Server(respond)
    async with trio.open_nursery() as nursery:
        base = await nursery.start(server.serve)
        assert base.startswith("http://127.0.0.1:")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{base}/a?b=c")).json() == ["GET", "/a", ""]
            assert (await client.post(f"{base}/b", content="x")).json() == ["POST", "/b", "x"]
        assert server.connections == 1
        nursery.cancel_scope.cancel()


async def test_endpoints_tell_which_clients_left() -> None:
    endpoints = Endpoints()
    async with trio.open_nursery() as nursery:
        base = await nursery.start(endpoints.serve)
        stream = await trio.open_tcp_stream("127.0.0.1", int(base.rpartition(":")[2]))
        await stream.send_all(b"GET /users HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.aclose()
        with trio.fail_after(20):
            while endpoints.left != ["/users"]:
                await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


async def test_what_is_no_http_ends_the_connection_and_not_the_server() -> None:
    endpoints = Endpoints()
    async with trio.open_nursery() as nursery:
        base = await nursery.start(endpoints.serve)
        stream = await trio.open_tcp_stream("127.0.0.1", int(base.rpartition(":")[2]))
        await stream.send_all(b"\x00\x01 nonsense\r\n\r\n")
        assert await stream.receive_some() == b""
        await stream.aclose()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{base}/nothing")).status_code == 404
        nursery.cancel_scope.cancel()
