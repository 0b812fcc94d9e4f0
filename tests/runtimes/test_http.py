from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.errors import HTTPStatusError

from loopback import Answer, Seen, loopback

FETCH_ALL = """<workflow name="fetch-all">
<parallel id="fetch-all" {limit}>
  <branch><source:http id="api1" url="{{{{$config.base}}}}/1"/></branch>
  <branch><source:http id="api2" url="{{{{$config.base}}}}/2"/></branch>
  <branch><source:http id="api3" url="{{{{$config.base}}}}/3"/></branch>
</parallel>
</workflow>"""


async def run_one(element: str, base: str, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>', name="w.xml")
    return (await fs.run(flow, config={"base": base}, **options)).output


async def test_three_bodies_stand_in_branch_order_whatever_order_they_came_in() -> None:
    async with loopback() as server:
        third = trio.Event()

        async def first(seen: Seen) -> Answer:
            await third.wait()
            return Answer(body={"n": 1})

        async def last(seen: Seen) -> Answer:
            third.set()
            return Answer(body={"n": 3})

        server.pages["/1"] = first
        server.page("/2", {"n": 2})
        server.pages["/3"] = last
        flow = fs.loads(FETCH_ALL.format(limit=""))
        run = await fs.run(flow, config={"base": server.base})
        assert run.output == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert server.most == 3


@pytest.mark.parametrize(
    ("limit", "run_limit", "most"), [('maxConcurrency="2"', None, 2), ("", 1, 1)]
)
async def test_the_server_never_sees_more_requests_at_once_than_the_limit(
    limit: str, run_limit: int | None, most: int
) -> None:
    async with loopback() as server:

        async def answer(seen: Seen) -> Answer:
            for _ in range(10):
                await trio.lowlevel.checkpoint()
            return Answer(body=1)

        for path in ("/1", "/2", "/3"):
            server.pages[path] = answer
        flow = fs.loads(FETCH_ALL.format(limit=limit))
        await fs.run(flow, config={"base": server.base}, max_concurrency=run_limit)
        assert server.most == most


async def test_a_500_surfaces_at_once_and_the_server_sees_the_others_closed() -> None:
    async with loopback() as server:
        server.hang("/1")
        server.hang("/3")

        async def fail(seen: Seen) -> Answer:
            await server.until(lambda: server.now == 3)
            return Answer(500, {"error": "broken"})

        server.pages["/2"] = fail
        flow = fs.loads(FETCH_ALL.format(limit=""), name="fetch.xml")
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await fs.run(flow, config={"base": server.base})
        error = caught.value
        assert isinstance(error, HTTPStatusError)
        assert error.status == 500
        assert error.retryable
        assert "broken" in error.excerpt
        assert any("'api2' at fetch.xml:4:11" in note for note in error.__notes__)
        failure = fs.failure_of(error)
        assert failure is not None
        assert failure.branch == "fetch-all/1"
        assert {(r.id, r.cancelled_by.by) for r in failure.cancelled} == {
            ("api1", "fetch-all/1"),
            ("api3", "fetch-all/1"),
        }
        await server.until(lambda: sorted(server.left) == ["/1", "/3"])


async def test_a_block_of_500_requests_runs_at_once() -> None:
    async with loopback() as server:

        async def answer(seen: Seen) -> Answer:
            await server.until(lambda: server.most >= 500)
            return Answer(body=1)

        server.pages["/x"] = answer
        output = await run_one(
            '<foreach id="each" collection="range(500)" maxConcurrency="unlimited" merge="none">'
            '<source:http id="get" url="{{$config.base}}/x"/></foreach>',
            server.base,
        )
        assert output == 500


async def test_one_pooled_client_serves_a_run_and_is_closed_with_it() -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(
            '<foreach id="each" collection="range(20)">'
            '<source:http id="get" url="{{$config.base}}/x"/></foreach>',
            server.base,
        )
        assert len(server.seen) == 20
        assert server.connections == 1


@pytest.mark.parametrize(
    ("settings", "page", "output"),
    [
        ("", Answer(body={"a": [1]}), {"a": [1]}),
        ('format="text"', Answer(body={"a": 1}), '{"a": 1}'),
        ('extract="a[0]"', Answer(body={"a": [7]}), 7),
        ("", Answer(body=b"h\xe9", headers={"Content-Type": "text/plain; charset=latin-1"}), "hé"),
        ("", Answer(body=b"\x00\x01", headers={"Content-Type": "image/png"}), b"\x00\x01"),
        ("", Answer(body=b"[1]", headers={"Content-Type": "application/problem+json"}), [1]),
        ('format="json"', Answer(body=b"", headers={"Content-Type": "text/plain"}), None),
    ],
)
async def test_the_body_is_decoded(settings: str, page: Answer, output: Any) -> None:
    async with loopback() as server:

        async def answer(seen: Seen) -> Answer:
            return page

        server.pages["/x"] = answer
        found = await run_one(
            f'<source:http id="x" url="{{{{$config.base}}}}/x" {settings}/>', server.base
        )
        assert found == output


async def test_a_body_that_is_no_json_is_an_error_that_shows_its_beginning() -> None:
    async with loopback() as server:
        server.page("/x", b"<html>oops")
        with pytest.raises(fs.FlowScriptError, match=r"is no JSON .* begins '<html>oops'"):
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)


async def test_the_query_and_headers_are_sent_and_secrets_of_the_query_stay_out_of_errors() -> None:
    async with loopback() as server:
        server.page("/x", "no", status=404)
        with pytest.raises(HTTPStatusError) as caught:
            await run_one(
                '<source:http id="x" url="{{$config.base}}/x"><params>key: hidden\nn: [1, 2]</params>'
                "<headers>X-A: '{{1 + 1}}'</headers></source:http>",
                server.base,
            )
        assert server.seen[0].target == "/x?key=hidden&n=1&n=2"
        assert server.seen[0].headers["x-a"] == "2"
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("{type: bearer, token: abc}", "Bearer abc"),
        ("{type: basic, username: u, password: p}", "Basic dTpw"),
    ],
)
async def test_a_request_is_authorised(auth: str, header: str) -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(
            f'<source:http id="x" url="{{{{$config.base}}}}/x"><auth>{auth}</auth></source:http>',
            server.base,
        )
        assert server.seen[0].headers["authorization"] == header


async def test_oauth2_asks_once_for_a_token_and_again_when_it_is_refused() -> None:
    async with loopback() as server:
        given: list[str] = []

        async def token(seen: Seen) -> Answer:
            given.append(f"t{len(given)}")
            return Answer(body={"access_token": given[-1], "expires_in": 3600})

        async def page(seen: Seen) -> Answer:
            good = seen.headers["authorization"] == "Bearer t1"
            return Answer(200 if good else 401, 1)

        server.pages["/token"] = token
        server.pages["/x"] = page
        output = await run_one(
            '<foreach id="each" collection="range(5)"><source:http id="x" url="{{$config.base}}/x"><auth>'
            "{type: oauth2, token-url: '{{$config.base}}/token', client-id: c, client-secret: s}"
            "</auth></source:http></foreach>".replace("token-url", "token_url")
            .replace("client-id", "client_id")
            .replace("client-secret", "client_secret"),
            server.base,
        )
        assert output == [1] * 5
        assert given == ["t0", "t1"]


async def test_a_sink_posts_its_input_as_json_and_gives_status_headers_and_body() -> None:
    async with loopback() as server:
        server.page("/x", {"ok": True}, status=201, X_Kind="test")
        output = await run_one(
            '<set var="d" value="1"/>'
            '<transform type="template" id="made" template=\'{"d": {{d}}}\'/>'
            '<sink:http id="x" input="made" url="{{$config.base}}/x"/>',
            server.base,
        )
        assert output["status"] == 201
        assert output["headers"]["x-kind"] == "test"
        assert output["body"] == {"ok": True}
        assert server.seen[0].method == "POST"
        assert json.loads(server.seen[0].body) == {"d": 1}


async def test_redirects_are_followed_and_bounded() -> None:
    async with loopback() as server:
        server.page("/a", None, status=302, Location="/b")
        server.page("/b", "here")
        server.page("/c", None, status=302, Location="/c")
        assert (
            await run_one('<source:http id="x" url="{{$config.base}}/a"/>', server.base) == "here"
        )
        with pytest.raises(httpx.TooManyRedirects):
            await run_one('<source:http id="x" url="{{$config.base}}/c"/>', server.base)


async def test_a_refused_connection_keeps_its_class() -> None:
    with pytest.raises(httpx.ConnectError):
        await run_one('<source:http id="x" url="{{$config.base}}/"/>', "http://127.0.0.1:1")


async def test_cancelling_the_run_closes_the_connection() -> None:
    async with loopback() as server:
        server.hang("/x")
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)

            nursery.start_soon(run)
            await server.until(lambda: server.now == 1)
            nursery.cancel_scope.cancel()
        await server.until(lambda: server.left == ["/x"])


def test_a_bad_extract_is_found_when_the_document_is_read() -> None:
    with pytest.raises(fs.WorkflowInvalid, match="JMESPath"):
        fs.loads('<workflow name="w"><source:http id="x" url="u" extract="a["/></workflow>')
