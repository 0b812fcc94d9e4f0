"""Owns tests of URLs, headers, pages and proxies that are nearly right: each is refused with a word, or works."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

import flowscript_trio as fs

from loopback import Answer, loopback


async def run(element: str, base: str = "", **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, config={"base": base}, **options)).output


def page(items: object, **headers: str) -> Answer:
    return Answer(200, json.dumps(items).encode(), {"Content-Type": "application/json", **headers})


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/",
        "http://.a/",
        f"http://{'a' * 64}.invalid/",
        f"http://{'a.' * 127}invalid/",
        "http://exa mple.invalid/",
        "http://a%2eb.invalid/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "https://:443/",
        "http://xn--a/",
    ],
)
async def test_a_host_or_port_that_cannot_be_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(fs.SettingError, match=r"the url is .*; expected http://"):
        await run('<source:http id="h" url="{{$config.base}}"/>', url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "[::1]"])
async def test_a_host_that_can_be_is_connected_to(host: str) -> None:
    with pytest.raises(httpx.ConnectError):
        await run(f'<source:http id="h" url="http://{host}:1/"/>')


@pytest.mark.parametrize("url", ["http://xn--a/", "nowhere", "ftp://a/b", "http://a:0/"])
async def test_so_is_the_url_of_tokens(url: str) -> None:
    auth = "{type: oauth2, token-url: {{$config.base}}, client-id: a, client-secret: b}"
    with pytest.raises(fs.SettingError, match=r"the token-url of auth is .*; expected http://"):
        await run(f'<source:http id="h" url="http://127.0.0.1:1/" auth="{auth}"/>', url)


async def test_a_next_page_of_a_host_that_cannot_be_is_one_of_another_origin() -> None:
    async with loopback() as server:
        server.answer("/x", page([1], Link="<http://xn--a/>; rel=next"))
        with pytest.raises(fs.FlowScriptError, match="another origin, http://xn--a/"):
            await run('<source:http id="h" url="{{$config.base}}/x" next="link"/>', server.base)


@pytest.mark.parametrize("location", ["http://a..b/", "http://127.0.0.1:0/"])
async def test_a_redirect_to_a_host_or_port_that_cannot_be_is_refused(location: str) -> None:
    async with loopback() as server:
        server.answer("/x", Answer(302, b"", {"Location": location}))
        with pytest.raises(fs.FlowScriptError, match="whose host or port is not valid"):
            await run('<source:http id="h" url="{{$config.base}}/x"/>', server.base)


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "Transfer-Encoding"])
async def test_headers_that_follow_from_the_body_are_not_set_by_hand(name: str) -> None:
    element = f'<sink:http id="h" url="http://127.0.0.1:1/" body="b" headers="{{{name}: {{{{$config.base}}}}}}"/>'
    with pytest.raises(fs.SettingError, match="follows from the body"):
        await run(element, "99")


@pytest.mark.parametrize(
    ("cursor", "kind"), [(True, "true"), ([1], "a list"), ({"a": 1}, "an object")]
)
async def test_a_cursor_is_a_text_or_a_number(cursor: object, kind: str) -> None:
    element = (
        '<source:http id="h" url="{{$config.base}}/x" next="cursor" cursor="next" extract="items"/>'
    )
    async with loopback() as server:
        server.answer("/x", page({"items": [1], "next": cursor}))
        with pytest.raises(fs.FlowScriptError, match=f"has {kind} where its cursor"):
            await run(element, server.base)


@pytest.mark.parametrize("last", [None, "", False])
@pytest.mark.parametrize("cursor", [7, 1.5, "seven"])
async def test_pages_are_followed_by_a_cursor_to_the_one_without(
    cursor: object, last: object
) -> None:
    element = (
        '<source:http id="h" url="{{$config.base}}/x" next="cursor" cursor="next" extract="items"/>'
    )
    async with loopback() as server:
        server.answer(
            "/x", page({"items": [1], "next": cursor}), page({"items": [2], "next": last})
        )
        assert await run(element, server.base) == [1, 2]


@pytest.mark.parametrize("rel", ['"next"', "next", "NEXT", '"prev next"', '"Next last"'])
async def test_a_link_is_followed_whatever_else_its_relation_says(rel: str) -> None:
    async with loopback() as server:
        server.answer("/x", page([1], Link=f"</z>; rel=first, </y>; rel={rel}"))
        server.answer("/y", page([2], Link='</x>; rel="prev"'))
        assert await run('<source:http id="h" url="{{$config.base}}/x" next="link"/>', server.base)
        assert [seen.path for seen in server.seen] == ["/x", "/y"]


@pytest.mark.parametrize(
    "proxy", ["nope", "", "ftp://h:1", "http://", "http://u:secret@h:port", "http://h:0", 5]
)
def test_what_is_not_the_url_of_a_proxy_is_refused_and_not_shown(proxy: Any) -> None:
    with pytest.raises(
        fs.InputError, match=r"^proxy is not the URL of a proxy; expected"
    ) as caught:
        fs.HttpOptions(proxy=proxy)
    assert "secret" not in str(caught.value)


async def test_a_proxy_that_refuses_the_connection_is_named_and_not_the_server() -> None:
    options = fs.HttpOptions(proxy="http://u:secret@127.0.0.1:1")
    with pytest.raises(httpx.ConnectError) as caught:
        await run('<source:http id="h" url="http://example.invalid/"/>', http=options)
    said = "GET http://example.invalid/: the connection to the proxy 127.0.0.1 port 1 was refused"
    assert str(caught.value).startswith(said)
    assert "secret" not in str(caught.value)
