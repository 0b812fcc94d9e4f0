"""Owns tests of servers whose challenges, tokens, pages and statuses are odd."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.http.digest import DigestRefused

from loopback import Answer, Seen, loopback

DIGEST = 'auth="{type: digest, username: me, password: passw0rd}"'
NONCE = 'Digest realm="r", nonce="{}", qop="auth"'


async def run(element: str, pages: dict[str, Any], **options: Any) -> tuple[Any, list[Seen]]:
    """The output, and the requests that were seen."""
    async with loopback() as server:
        for path, page in pages.items():
            if callable(page):
                server.pages[path] = page
            else:
                server.answer(path, *(page if isinstance(page, list) else [page]))
        flow = fs.loads(f'<workflow name="w">{element.replace("URL", server.base)}</workflow>')
        try:
            return (await fs.run(flow, **options)).output, server.seen
        except Exception as exc:
            failed = exc
    raise failed


def source(settings: str) -> str:
    return f'<source:http id="x" url="URL/x" {settings}/>'


def page(items: object, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(items).encode(), {"Content-Type": "application/json", **named})


def challenge(text: str) -> Answer:
    return page("who?", 401, WWW_Authenticate=text)


@pytest.mark.parametrize(
    "text",
    [
        NONCE.format("n"),
        'Basic realm="r, Digest", ' + NONCE.format("n"),
        f'Negotiate, {NONCE.format("n")}, Basic realm="x"',
        'Digest realm="r", nonce="n", qop="auth,auth-int"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"',
        'Digest realm="r", nonce="n", algorithm=SHA-256',
    ],
)
async def test_a_challenge_is_answered_wherever_it_stands(text: str) -> None:
    output, seen = await run(source(DIGEST), {"/x": [challenge(text), page("ok")]})
    assert output == "ok"
    assert seen[1].headers["authorization"].startswith('Digest username="me", realm="r", nonce="n"')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('Digest realm="r", nonce="n", algorithm="SHA-512-256"', "it asks for 'SHA-512-256', which is not known"),
        ('Digest realm="r", nonce="n", qop="auth-int"', "auth-int"),
        ('Digest realm="r"', "Malformed"),
        ('Digest realm="r, nonce=n', ""),
    ],
)  # fmt: skip
async def test_one_that_cannot_be_answered_is_an_error_that_says_why(text: str, why: str) -> None:
    said = "^GET http.*/x: the server's challenge for digest cannot be answered"
    with pytest.raises(DigestRefused, match=said) as caught:
        await run(source(DIGEST), {"/x": challenge(text)})
    assert why in str(caught.value)
    assert "passw0rd" not in str(caught.value)


async def test_a_nonce_that_has_expired_meanwhile_is_not_a_wrong_password() -> None:
    stale = challenge(NONCE.format("second") + ", stale=true")
    pages = {"/x": [challenge(NONCE.format("first")), stale, page("ok")]}
    output, seen = await run(source(DIGEST), pages)
    assert output == "ok"
    nonces = [re.findall(r'\bnonce="(\w+)"', one.headers.get("authorization", "")) for one in seen]
    assert nonces == [[], ["first"], ["second"]]


@pytest.mark.parametrize("stale", ["", ", stale=true"])
async def test_a_password_that_is_refused_is_the_status(stale: str) -> None:
    with pytest.raises(fs.HTTPStatusError, match="answered 401"):
        await run(source(DIGEST), {"/x": challenge(NONCE.format("n") + stale)})


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (page({"error": "invalid_client"}), "gave no access_token: it reports 'invalid_client'"),
        (page({"access_token": 5}), "gave no access_token; expected it in JSON"),
        (Answer(200, b'{"access_token": "\xff"}'), "gave no access_token"),
        (page([1]), "gave no access_token"),
        (page({"access_token": "a\nb"}), "'Authorization' has the character"),
    ],
)
async def test_a_token_that_cannot_be_used_is_an_error(token: Answer, message: str) -> None:
    auth = 'auth="{type: oauth2, token-url: URL/t, client-id: a, client-secret: b}"'
    with pytest.raises(fs.FlowScriptError, match=message):
        await run(source(auth), {"/t": token, "/x": page("ok")})


async def test_a_token_that_expires_between_two_pages_is_asked_for_again() -> None:
    auth = 'auth="{type: oauth2, token-url: URL/t, client-id: a, client-secret: b}" next="link"'
    pages = {
        "/t": [page({"access_token": "one"}), page({"access_token": "two"})],
        "/x": page([1], Link="</y>; rel=next"),
        "/y": [page("expired", 401), page([2])],
    }
    output, seen = await run(source(auth), pages)
    assert output == [1, 2]
    assert [one.path for one in seen] == ["/t", "/x", "/y", "/t", "/y"]
    assert seen[-1].headers["authorization"] == "Bearer two"


@pytest.mark.parametrize(
    ("links", "asked"),
    [
        (["<#1>", "<#2>", "<#3>"], 1),
        (["</y#a>", "</y#b>"], 2),
        (["</y>", "</x>"], 2),
        (["<?p=1>", "<?p=1#b>"], 2),
    ],
)
async def test_a_page_that_was_asked_for_is_not_asked_for_again_by_a_fragment(
    links: list[str], asked: int
) -> None:
    count = 0

    async def answer(seen: Seen) -> Answer:
        nonlocal count
        count += 1
        return page([count], Link=f"{links[count - 1]}; rel=next")

    with pytest.raises(fs.FlowScriptError, match="one that was asked for already"):
        await run(source('next="link"'), {"/x": answer, "/y": answer})
    assert count == asked


@pytest.mark.parametrize("settings", ["", 'download="d"', 'stream="true" format="lines"'])
@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (page([1], 206), fs.HTTPStatusError, "answered 206.*: a part, and the request is for the whole"),
        (Answer(304, b""), fs.HTTPStatusError, "answered 304.*: and the request names no version"),
        (Answer(302, b"moved"), fs.FlowScriptError, "answered 302 without saying where to; expected a header"),
    ],
)  # fmt: skip
async def test_what_is_not_the_whole_answer_is_never_taken_for_it(
    answer: Answer, error: type[Exception], message: str, settings: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        await run(source(settings), {"/x": answer}, base=tmp_path)
    assert getattr(caught.value, "retryable", False) is False
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "answer", "output"),
    [
        ('headers="{Range: bytes=0-2}"', page([1], 206), [1]),
        ('headers="{If-None-Match: v}" response="full"', Answer(304, b""), None),
        ('redirects="none"', Answer(302, b'"moved"'), "moved"),
    ],
)
async def test_what_the_settings_ask_for_is_an_answer(
    settings: str, answer: Answer, output: Any
) -> None:
    found, _ = await run(source(settings), {"/x": answer})
    assert (found["body"] if "full" in settings else found) == output


async def test_the_type_of_a_part_is_one_line() -> None:
    parts = {"f": {"content": "x", "type": "text/plain\r\nX-Other: 1"}}
    with pytest.raises(
        fs.SettingError, match="the part 'f' of multipart has a type that is not one line"
    ):
        await run('<sink:http id="x" url="URL/x" multipart="{{$input}}"/>', {}, input=parts)
