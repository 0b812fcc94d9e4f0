"""Owns tests of what HTTP sources and sinks send, and how their outputs look, by their settings."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs

from loopback import Answer, Seen, loopback


async def run_one(element: str, base: str, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, config={"base": base}, **options)).output


def source(settings: str, inside: str = "", path: str = "/x") -> str:
    url = f"{{{{$config.base}}}}{path}"
    return f'<source:http id="x" url="{url}" {settings}>{inside}</source:http>'


@pytest.mark.parametrize(
    ("query", "params", "sent"),
    [
        ("?term=a%20b&amp;download&amp;sig=Ku%2BG%3D~x/y:z", "{page: 2}",
         "?term=a%20b&download&sig=Ku%2BG%3D~x/y:z&page=2"),
        ("?a=1&amp;b=2&amp;a=3", "{a: 9}", "?a=1&b=2&a=3&a=9"),
        ("?a=1&amp;a=3", "{}", "?a=1&a=3"),
        ("?a=b+c", "{d: e f}", "?a=b+c&d=e%20f"),
        ("?a=1&amp;", "{b: 2}", "?a=1&b=2"),
        ("?", "{b: 2}", "?b=2"),
        ("#part", "{b: 2}", "?b=2"),
        ("", "{b: [1, 2], c: null, d: '?&#='}", "?b=1&b=2&d=%3F%26%23%3D"),
    ],
)  # fmt: skip
async def test_params_are_added_to_a_query_that_stays_as_it_is(
    query: str, params: str, sent: str
) -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(source("", f"<params>{params}</params>", f"/x{query}"), server.base)
        assert server.seen[0].target == "/x" + sent


async def test_a_full_response_has_status_headers_url_and_body() -> None:
    async with loopback() as server:
        server.page("/x", None, status=302, Location="/y?page=2")
        server.page("/y", {"a": [1]}, status=203, X_Kind="Test")
        output = await run_one(source('response="full" extract="a[0]"'), server.base)
        assert (output["status"], output["body"]) == (203, 1)
        assert output["headers"]["x-kind"] == output["headers"]["X-Kind"] == "Test"
        assert output["url"] == f"{server.base}/y?page=2"

        own = server.base.replace("://", "://ann:hidden@")
        assert (await run_one(source('response="full"'), own))["url"] == f"{server.base}/y?page=2"


async def test_a_form_is_sent_urlencoded() -> None:
    async with loopback() as server:
        server.page("/x", 1)
        form = "<form>{a: [1, 2], b: x y, c: null}</form>"
        await run_one(source('method="POST"', form), server.base)
        await run_one(
            f'<sink:http id="x" url="{{{{$config.base}}}}/x">{form}</sink:http>', server.base
        )
        for seen in server.seen:
            assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
            assert seen.body == b"a=1&a=2&b=x+y"


async def test_multipart_has_fields_and_files() -> None:
    async with loopback() as server:
        server.page("/x", 1)
        parts = (
            "<multipart>{title: é, tags: [a, b], "
            "doc: {content: '{{input}}', filename: a.csv, type: text/csv}}</multipart>"
        )
        await run_one(
            f'<sink:http id="x" url="{{{{$config.base}}}}/x">{parts}</sink:http>',
            server.base,
            input="1,2",
        )
        seen = server.seen[0]
        kind = seen.headers["content-type"]
        assert kind.startswith("multipart/form-data; boundary=")
        body = seen.body.decode()
        assert body.count("--" + kind.partition("boundary=")[2]) == 5
        assert 'name="title"\r\n\r\né\r\n' in body
        assert body.count('name="tags"') == 2
        assert re.search(
            r'name="doc"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n1,2\r\n', body
        )


@pytest.mark.parametrize("parts", ["{}", "{a: null, b: []}"])
async def test_multipart_without_parts_is_sent_as_browsers_send_it(parts: str) -> None:
    async with loopback() as server:
        server.page("/x", "ok")
        await run_one(f'<sink:http id="x" url="{server.base}/x" multipart="{parts}"/>', "")
        kind, _, boundary = server.seen[0].headers["content-type"].partition("; boundary=")
        assert kind == "multipart/form-data"
        assert server.seen[0].body == f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("<multipart>{a: {filename: x}}</multipart>", "has no content; expected content, filename"),
        ("<multipart>{a: {content: x, name: y}}</multipart>", "has 'name'; expected content"),
        ("<form>{a: 1}</form><body>b</body>", "both body and form are given; expected one of them"),
    ],
)
async def test_a_body_that_cannot_be_made_is_an_error(settings: str, message: str) -> None:
    with pytest.raises(fs.SettingError, match=message):
        await run_one(source('method="POST"', settings), "http://127.0.0.1:1")


async def test_digest_answers_the_challenge() -> None:
    async with loopback() as server:

        async def page(seen: Seen) -> Answer:
            given = dict(re.findall(r'(\w+)="?([^",]+)"?', seen.headers.get("authorization", "")))
            one = hashlib.md5(b"me:realm:passw0rd").hexdigest()
            two = hashlib.md5(b"POST:/x").hexdigest()
            parts = [one, "n0nce", given.get("nc"), given.get("cnonce"), "auth", two]
            right = hashlib.md5(":".join(map(str, parts)).encode()).hexdigest()
            if given.get("response") == right:
                return Answer(body=seen.body.decode())
            challenge = 'Digest realm="realm", nonce="n0nce", qop="auth"'
            return Answer(401, "no", {"WWW-Authenticate": challenge})

        server.pages["/x"] = page
        auth = 'auth="{type: digest, username: me, password: passw0rd}"'
        assert await run_one(source(f'method="POST" body="b" {auth}'), server.base) == "b"
        assert len(server.seen) == 2


async def test_oauth2_may_say_who_it_is_in_the_form() -> None:
    async with loopback() as server:
        server.page("/token", {"access_token": "t"})
        server.page("/x", 1)
        auth = (
            "<auth>{type: oauth2, token-url: '{{$config.base}}/token', client-id: me, "
            "client-secret: passw0rd, credentials: form}</auth>"
        )
        assert await run_one(source("", auth), server.base) == 1
        asked, got = server.seen
        assert asked.body == b"grant_type=client_credentials&client_id=me&client_secret=passw0rd"
        assert "authorization" not in asked.headers
        assert got.headers["authorization"] == "Bearer t"


async def test_the_keys_of_request_and_response_are_settings() -> None:
    async with loopback() as server:
        server.page("/x", [{"name": "a"}, {"name": "b"}])
        inside = (
            "<request>headers: {X-A: '{{1 + 1}}'}\nresponse: full</request>"
            '<response>extract: "[*].name"</response>'
        )
        output = await run_one(source("", inside), server.base)
        assert output["body"] == ["a", "b"]
        assert server.seen[0].headers["x-a"] == "2"


async def test_the_accepted_encodings_are_those_that_can_be_decoded() -> None:
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(source(""), server.base)
        await run_one(source('headers="{Accept-Encoding: identity}"'), server.base)
        sent = [seen.headers["accept-encoding"] for seen in server.seen]
        assert sent == ["gzip, deflate, br, zstd", "identity"]


KEY = b"secret key"


def signed(*parts: bytes, separator: bytes = b"", algorithm: str = "sha256") -> str:
    return hmac.new(KEY, separator.join(parts), algorithm).hexdigest()


async def test_hmac_signs_the_body_as_it_is_sent(tmp_path: Path) -> None:
    auth = "<auth>{type: hmac, key: secret key, header: X-Sig, prefix: 'sha256='}</auth>"
    (tmp_path / "up.bin").write_bytes(b"\x00" * 3_000_000)
    async with loopback() as server:
        server.page("/x", 1)
        for settings in (
            '<body>{"a": "é"}</body>',
            "<form>{a: 1, b: [x, y]}</form>",
            "<multipart>{a: 1}</multipart>",
            "<upload>up.bin</upload>",
        ):
            sink = f'<sink:http id="x" url="{{{{$config.base}}}}/x">{settings}{auth}</sink:http>'
            flow = fs.loads(f'<workflow name="w">{sink}</workflow>')
            await fs.run(flow, config={"base": server.base}, base=tmp_path)
        await run_one(source("", auth), server.base)
        for seen in server.seen:
            assert dict(seen.headers)["x-sig"] == "sha256=" + signed(seen.body)
        assert len(server.seen[3].body) == 3_000_000


async def test_hmac_may_cover_method_path_and_time() -> None:
    auth = (
        "<auth>{type: hmac, key: secret key, header: X-Sig, covers: [method, path, timestamp, body], "
        "separator: ':', timestamp-header: X-Time, algorithm: sha512, encoding: base64}</auth>"
    )
    async with loopback() as server:
        server.page("/x", 1)
        sink = f'<sink:http id="x" url="{{{{$config.base}}}}/x?q=1%202" body="b">{auth}</sink:http>'
        await run_one(sink, server.base)
        sent = dict(server.seen[0].headers)
    assert abs(float(sent["x-time"]) - time.time()) < 60
    wanted = signed(
        b"POST", b"/x?q=1%202", sent["x-time"].encode(), b"b", separator=b":", algorithm="sha512"
    )
    assert base64.b64decode(sent["x-sig"]).hex() == wanted


async def test_hmac_signs_a_redirected_request_anew_and_none_to_another_origin() -> None:
    auth = "<auth><type>hmac</type><key>secret key</key><header>X-Sig</header><covers>path</covers></auth>"
    async with loopback() as server, loopback() as other:
        server.page("/x", status=307, Location="/y")
        server.page("/y", status=307, Location=f"{other.base}/z")
        other.page("/z", 1)
        await run_one(source("", auth), server.base)
        sent = [dict(seen.headers)["x-sig"] for seen in server.seen]
        assert sent == [signed(b"/x"), signed(b"/y")]
        assert "x-sig" not in dict(other.seen[0].headers)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ("{type: hmac, key: k}", "needs header"),
        ("{type: hmac, key: k, header: 'a b'}", "not a valid name of a header"),
        ("{type: hmac, key: k, header: A, covers: [timestamp]}", "needs timestamp_header"),
        ("{type: hmac, key: k, header: A, covers: [cookie]}", "covers"),
        ("{type: bearer, token: t, key: k}", "takes no key"),
    ],
)
def test_a_signature_that_cannot_be_made_is_an_error_when_it_is_read(
    auth: str, message: str
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        fs.loads(f'<workflow name="w">{source("", f"<auth>{auth}</auth>")}</workflow>')
