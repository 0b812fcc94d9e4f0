"""Owns tests of constant settings that can never work: a document that has one is refused, with a remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.http.spelling import check_url

TOKEN = "{type: bearer, token: {{$secrets.TOKEN}}}"
SCHEME = "a scheme before it, such as "
ASKED = '<source:http id="x" url="https://a.example/" {}/>'
FILE = '<source:file id="x" {}/>'
SAVED = '<sink:file id="x" {}/>'
ROWS = '<sink:database id="x" connection="sqlite:///a.db" {}/>'
QUERY = '<source:database id="x" query="SELECT 1" {}/>'
NONE = "auth='none'"
AI = '<ai id="x" model="m" user="u" {}/>'

NEVER: list[tuple[str, str, str, str]] = [
    (ASKED, 'extract="a" format="text"', "extract is for JSON, and the format is text", ""),
    (ASKED, 'body="a" form="{a: b}"', "both body and form are given", "one of them"),
    (ASKED, 'upload="a" multipart="{a: b}"', "both multipart and upload are given", "one of them"),
    (ASKED, 'method="head" download="a"', "download is for a body, and an answer to HEAD has none", ""),
    (ASKED, 'method="HEAD" stream="true"', "stream is for a body", ""),
    (ASKED, 'method="HEAD" next="link"', "next is for a body", ""),
    (ASKED, 'method="HEAD" extract="a"', "extract is for a body", ""),
    (ASKED, 'download="a" extract="a"', "a download is saved as it is: nothing of it is decoded", ""),
    (ASKED, 'download="a" format="json"', "a download is saved as it is", ""),
    (ASKED, f'sha256="{"0" * 64}"', "sha256 is for downloads, and download is missing", ""),
    (ASKED, 'headers="{A b: c}"', "'A b' is not a valid name of a header", "letters, digits and dashes"),
    (ASKED, 'headers="{content-length: 5}"', "the header content-length follows from the body", ""),
    (ASKED, 'multipart="{a: b}" headers="{Content-Type: multipart/form-data}"', "follows from multipart", ""),
    (ASKED, """headers='{A: "b\\u0000"}'""", "the header 'A' has the character", "one line of text"),
    (ASKED, 'download="a/"', "the path 'a/' is that of a folder", "the path of a file"),
    (ASKED, 'upload="~/a"', "the path '~/a' is one below a home folder", "an absolute path, or ./~/a"),
    (ASKED, 'auth="bearer"', "auth of type bearer is a mapping, not text", TOKEN),
    (ASKED, 'auth="Basic"', "auth of type basic is a mapping", "{type: basic, username: "),
    (ASKED, 'auth="token"', "auth is one of several types, each a mapping", "{type: bearer, token: "),
    (ASKED, 'auth="{type: bearer}"', "auth of type bearer needs token", TOKEN),
    (ASKED, 'auth="{type: hmac, key: a}"', "auth of type hmac needs header", "{type: hmac, key: "),
    (ASKED, 'auth="{type: oauth2, token-url: a.b/c, client-id: d, client-secret: e}"',
     "auth: the token-url of auth is 'a.b/c'", SCHEME + "https://a.b/c"),
    (FILE, 'path="https://a.example/b.csv"', "is a URL", "source:http or sink:http for it"),
    (FILE, 'path="file:///b.csv"', "is a URL", "a path for it"),
    (FILE, 'path="~/b.csv"', "is one below a home folder", "an absolute path, or ./~/b.csv"),
    (FILE, 'path="~ann/b.csv"', "is one below a home folder", "./~ann/b.csv"),
    (SAVED, 'path="out/"', "the path 'out/' is that of a folder", "the path of a file"),
    (SAVED, 'path="a.xlsx" sheet="2026/27"', "the name of a sheet cannot have '/' in it", ""),
    (ROWS, 'table="a.b.c"', "'a.b.c' is not a table", "name, schema.name"),
    (QUERY.replace("SELECT 1", " ; -- later"), 'connection="sqlite://"', "the query has no statement", "a SELECT"),
    (QUERY, 'connection="postgresql://u@h/d?sslmod=require"', "the option 'sslmod'", "did you mean 'sslmode'?"),
    (AI, 'base-url="a.example/v1"', "the base-url is 'a.example/v1'", SCHEME + "https://a.example/v1"),
    (AI, 'base-url="https://a.example/v1/chat/completions"', "ends in /chat/completions", "it without that"),
]  # fmt: skip
URLS = {
    "example.com/x?key=1": SCHEME + "https://example.com/x",
    "//example.com/x": SCHEME + "https://example.com/x",
    "localhost:8080/x": SCHEME + "http://localhost:8080/x",
    "/x": "http://… or https://…, with a host",
    "htps://example.com": "https://…",
    "ftp://example.com/x": "http://… or https://…",
    "http:/example.com": "http://…",
    "http:///x": "with a valid host and port",
    "https://example.com:port/": "with a valid host and port",
    "https://example.com:99999/": "with a valid host and port",
    "https://exa mple.com/": "with a valid host and port",
    "https://*.example.com/": "with a valid host and port",
}
GOOD = [
    "https://example.com", "HTTP://example.com:/x", "http://u:p@[::1]:8080/a?b#c", "https://exämple.com/ü?a=b c",
    "http://a_b.example.:1/", " https://example.com/ ", "http://%65xample.com/", "https://example.com?a=//b:c",
]  # fmt: skip


def problem_of(element: str) -> str:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">{element}</workflow>')
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize(("element", "setting", "why", "remedy"), NEVER, ids=lambda each: each[:30])
def test_a_setting_that_can_never_work_is_refused_when_read(
    element: str, setting: str, why: str, remedy: str
) -> None:
    said = problem_of(element.format(setting))
    assert why in said
    assert remedy in said


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "element", ['<source:http id="x" url="{}"/>', '<sink:http id="x" url="{}" body="b"/>']
)
def test_a_url_that_leads_nowhere_is_refused_when_read(url: str, element: str) -> None:
    said = problem_of(element.format(url))
    assert (
        f"expected: {URLS[url]}" in said or f"expected: http://… or https://… {URLS[url]}" in said
    )


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_may_lead_somewhere_is_read(url: str) -> None:
    check_url(url)
    fs.loads(f'<workflow name="w"><source:http id="x" url="{url}"/></workflow>')


def test_what_may_be_a_secret_in_a_url_is_not_shown() -> None:
    for url in (
        "ftp://user:hidden@example.com/",
        "example.com?key=hidden",
        "x://h:hidden@y/#hidden",
    ):
        with pytest.raises(fs.SettingError) as caught:
            check_url(url)
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("element", "config", "why"),
    [
        ('<source:http id="x" url="{{$config.a}}"/>', "example.com/x", "the url is 'example.com/x'"),
        ('<sink:file id="x" path="{{$config.a}}"/>', "out/", "the path 'out/' is that of a folder"),
        ('<sink:database id="x" connection="sqlite:///a.db" table="{{$config.a}}"/>', "a.b.c", "is not a table"),
        ('<ai id="x" model="m" user="u" api-key="k" base-url="{{$config.a}}"/>', "a.b", "the base-url is 'a.b'"),
    ],
)  # fmt: skip
async def test_what_is_computed_is_refused_when_it_is_known(
    element: str, config: str, why: str, tmp_path: Path
) -> None:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    with pytest.raises(fs.SettingError) as caught:
        await fs.run(flow, config={"a": config}, input={"b": 1}, base=tmp_path)
    assert why in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_no_authorisation_is_a_word_too() -> None:
    fs.loads(f'<workflow name="w">{ASKED.format(NONE)}</workflow>')
