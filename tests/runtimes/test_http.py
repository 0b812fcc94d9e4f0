"""Owns tests of HTTP sources and sinks, against a real server on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http import answer as answers
from flowscript_trio.runtimes.http.auth import Auth
from flowscript_trio.runtimes.http.errors import HTTPStatusError
from flowscript_trio.runtimes.http.pool import HttpPool

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
            await server.until(lambda: server.now == 3)
            third.set()
            return Answer(body={"n": 3})

        async def second(seen: Seen) -> Answer:
            await third.wait()
            return Answer(body={"n": 2})

        server.pages["/1"] = first
        server.pages["/2"] = second
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
        with pytest.raises(fs.FlowScriptError, match=r"is not JSON .* begins '<html>oops'"):
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
            "{type: oauth2, token-url: '{{$config.base}}/token', clientId: c, client_secret: s}"
            "</auth></source:http></foreach>",
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


@pytest.mark.parametrize("stalls", [False, True])
async def test_cancelling_the_run_closes_the_connection(stalls: bool) -> None:
    """Whether the server has not answered yet, or is in the middle of its answer."""
    async with loopback() as server:
        if stalls:
            server.answer("/x", Answer(body=b"[1, 2", stalls=True))
        else:
            server.hang("/x")
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)

            nursery.start_soon(run)
            await server.until(lambda: len(server.seen) == 1)
            nursery.cancel_scope.cancel()
        await server.until(lambda: server.left == ["/x"])


async def test_the_timeout_of_a_node_is_the_total_of_a_request() -> None:
    async with loopback() as server:
        server.answer("/x", Answer(body=b"[1, 2", stalls=True))
        with pytest.raises(trio.TooSlowError):
            await run_one(
                '<source:http id="x" url="{{$config.base}}/x" timeout="100ms"/>', server.base
            )
        await server.until(lambda: server.left == ["/x"])


async def test_a_failure_whose_body_does_not_end_is_an_error_with_what_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with loopback() as server:
        monkeypatch.setattr(answers, "EXCERPT_SECONDS", 0.05)
        server.answer("/x", Answer(500, b"half of it", stalls=True))
        with pytest.raises(HTTPStatusError) as caught:
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)
        assert (caught.value.status, caught.value.excerpt) == (500, "half of it")


async def test_of_a_long_failure_only_the_beginning_is_read() -> None:
    async with loopback() as server:
        server.page("/x", b"a" * 5_000_000, status=400)
        with pytest.raises(HTTPStatusError) as caught:
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)
        assert caught.value.excerpt == "a" * 2000
        assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (404, False), (429, True), (500, True), (503, True)]
)
async def test_too_many_requests_and_errors_of_the_server_are_retryable(
    status: int, retryable: bool
) -> None:
    async with loopback() as server:
        server.page("/x", status=status)
        with pytest.raises(HTTPStatusError) as caught:
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)
        assert (caught.value.status, caught.value.retryable) == (status, retryable)


async def test_credentials_in_the_url_are_sent_and_stay_out_of_errors_and_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    async with loopback() as server:
        server.page("/x", "no", status=403)
        base = server.base.replace("//", "//user:hidden@")
        with pytest.raises(HTTPStatusError) as caught:
            await run_one('<source:http id="x" url="{{$config.base}}/x?key=hidden#hidden"/>', base)
        assert server.seen[0].headers["authorization"] == "Basic dXNlcjpoaWRkZW4="
        assert server.seen[0].target == "/x?key=hidden"
        assert "hidden" not in str(caught.value)
        assert "/x?…" in caplog.text
        assert "hidden" not in caplog.text


async def test_a_header_that_cannot_be_sent_is_an_error_that_does_not_show_its_value() -> None:
    flow = fs.loads(
        '<workflow name="w"><source:http id="x" url="http://localhost/">'
        "<headers>X-Key: '{{$config.key}}'</headers></source:http></workflow>"
    )
    with pytest.raises(fs.SettingError, match="the header 'X-Key' has the character") as caught:
        await fs.run(flow, config={"key": "hidden\r\nX-Other: 1"})
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["u", "ftp://x/", "http://", "//x/y", "http://x:abc/", "http://x:99999/"]
)
async def test_a_url_that_is_none_is_an_error_of_the_setting(url: str) -> None:
    with pytest.raises(fs.SettingError, match="expected http://… or https://…"):
        await run_one('<source:http id="x" url="{{$config.base}}"/>', url)


@pytest.mark.parametrize(
    ("settings", "kind", "sent"),
    [
        ("<body>plain é</body>", "text/plain; charset=utf-8", "plain é".encode()),
        ("<body>{{ {a: [1, null]} }}</body>", "application/json", b'{"a":[1,null]}'),
        ("<body>{{ [1] }}</body>", "application/json", b"[1]"),
        (
            "<body>{{ {a: [1, 2], b: 'x y'} }}</body>"
            "<headers>content-type: application/x-www-form-urlencoded</headers>",
            "application/x-www-form-urlencoded",
            b"a=1&a=2&b=x+y",
        ),
        ("<body>{{ null }}</body>", None, b""),
        ("", "application/json", b'"the input"'),
    ],
)
async def test_what_a_sink_sends(settings: str, kind: str | None, sent: bytes) -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(
            f'<sink:http id="x" url="{{{{$config.base}}}}/x">{settings}</sink:http>',
            server.base,
            input="the input",
        )
        assert server.seen[0].headers.get("content-type") == kind
        assert server.seen[0].body == sent


async def test_the_query_of_the_url_and_the_params_are_sent_together() -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(
            '<source:http id="x" url="{{$config.base}}/x?a=1"><params>{b: 2, c: null}</params>'
            "</source:http>",
            server.base,
        )
        assert server.seen[0].target == "/x?a=1&b=2"


@pytest.mark.parametrize(
    ("page", "output"),
    [
        (Answer(body=b"plain", headers={"Content-Type": ""}), "plain"),
        (Answer(body=b"\xff\xfe", headers={"Content-Type": ""}), b"\xff\xfe"),
        (Answer(body=b"\xef\xbb\xbf[1]"), [1]),
        (Answer(body="[1, 2]".encode("utf-16")), [1, 2]),
        (
            Answer(body=b'"\xe9"', headers={"Content-Type": "application/json; charset=latin-1"}),
            "é",
        ),
        (Answer(body=b""), None),
        (Answer(body=b"a: 1", headers={"Content-Type": "application/x-yaml"}), "a: 1"),
    ],
)
async def test_the_body_is_decoded_by_content_type_and_charset(page: Answer, output: Any) -> None:
    async with loopback() as server:
        server.answer("/x", page)
        assert (
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base) == output
        )


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "undefined", "unicode_escape", "U7", "rot13", "hex", "nothing"]
)
async def test_a_charset_that_is_no_encoding_of_text_is_named_and_never_read(charset: str) -> None:
    """To read punycode takes time that is quadratic in the text: a server would hold the thread by it."""
    text = "abc-" + "a" * 100_000
    source = '<source:http id="x" url="{{$config.base}}/x"/>'
    async with loopback() as server:
        for kind, body in {"text/plain": text, "application/json": f'"{text}"'}.items():
            headers = {"Content-Type": f"{kind}; charset={charset}"}
            server.answer("/x", Answer(body=body.encode(), headers=headers))
            if kind == "text/plain":
                named = f"answer of GET http.* text in the charset '{charset.lower()}', which is not known"
                with pytest.raises(fs.FlowScriptError, match=named):
                    await run_one(source, server.base)
            else:  # JSON shows what it is in
                assert await run_one(source, server.base) == text
            server.answer("/x", Answer(body=body.encode(), status=500, headers=headers))
            with pytest.raises(fs.HTTPStatusError) as caught:
                await run_one(source, server.base)
            assert caught.value.excerpt == body[:2000]


async def test_extract_takes_the_body_for_json_whatever_its_content_type() -> None:
    async with loopback() as server:
        server.page("/x", b'{"a": [1, 2]}', Content_Type="text/plain")
        url = 'url="{{$config.base}}/x"'
        assert await run_one(f'<source:http id="x" {url} extract="a[1]"/>', server.base) == 2
        with pytest.raises(fs.FlowScriptError, match="the extract 'abs\\(a\\)' failed"):
            await run_one(f'<source:http id="x" {url} extract="abs(a)"/>', server.base)


async def test_a_token_is_asked_for_again_before_it_expires(autojump_clock: None) -> None:
    """The pool's own clock is trio's: two requests with the token's life between them."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.content.decode())
        body = f'{{"access_token": "t{len(asked)}", "expires_in": "60"}}'
        return httpx.Response(200, stream=httpx.ByteStream(body.encode()))

    pool = HttpPool()
    await pool.transport.aclose()
    pool.transport = httpx.MockTransport(answer)
    auth = Auth(
        type="oauth2", token_url="http://x/", client_id="c", client_secret="s", scope="read"
    )
    assert await pool.token_of(auth) == "t1"
    await trio.sleep(29)  # virtual
    assert await pool.token_of(auth) == "t1"
    await trio.sleep(1)  # virtual
    assert await pool.token_of(auth) == "t2"
    assert asked == ["grant_type=client_credentials&scope=read"] * 2
    await pool.aclose()


@pytest.mark.parametrize(
    "page", [Answer(body=b"<html>"), Answer(body={"token": 1}), Answer(body=[])]
)
async def test_a_token_endpoint_that_gives_no_token_is_an_error(page: Answer) -> None:
    async with loopback() as server:
        server.answer("/token", page)
        with pytest.raises(fs.FlowScriptError, match="gave no access_token"):
            await run_one(
                '<source:http id="x" url="{{$config.base}}/x"><auth>{type: oauth2, '
                "token-url: '{{$config.base}}/token', client-id: c, client-secret: s}</auth>"
                "</source:http>",
                server.base,
            )
        assert [seen.target for seen in server.seen] == ["/token"]


async def test_a_token_that_is_refused_twice_is_the_error_of_the_page() -> None:
    async with loopback() as server:
        server.page("/token", {"access_token": "t"})
        server.page("/x", "no", status=401)
        with pytest.raises(HTTPStatusError, match=r"/x answered 401"):
            await run_one(
                '<source:http id="x" url="{{$config.base}}/x"><auth>{type: oauth2, '
                "token-url: '{{$config.base}}/token', client-id: c, client-secret: s}</auth>"
                "</source:http>",
                server.base,
            )
        assert [seen.target for seen in server.seen] == ["/token", "/x", "/token", "/x"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('extract="a["', "is not a JMESPath expression"),
        ('extract="lenght(a)"', "JMESPath has no function 'lenght'; did you mean 'length'"),
        ('auth="{type: bearer}"', "auth of type bearer needs token"),
        ('auth="{type: basic, username: a, password: b, token: c}"', "basic takes no token"),
        ('auth="{token: a}"', "'type' is missing"),
        (
            'auth="{type: bearr}"',
            "expected: 'bearer', 'basic', 'digest', 'oauth2', 'hmac' or 'none'",
        ),
        ('method="GET /"', "method"),
        (
            'format="xml"',
            "expected: 'auto', 'json', 'text', 'bytes', 'jsonl', 'csv', 'tsv', 'lines' or 'events'",
        ),
        ('headers="[1]"', "expected: a mapping"),
        ('timeout="soon"', "expected: a duration"),
        ('retries="3"', "has no setting 'retries'"),
    ],
)
def test_a_wrong_setting_is_found_when_the_document_is_read(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w"><source:http id="x" url="http://a" {settings}/></workflow>')
    assert message in str(caught.value)
    assert len(caught.value.problems) == 1


def test_httpx_is_imported_with_the_first_request_only() -> None:
    code = "import sys, flowscript_trio.runtimes; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
