"""Owns the tests of masking: a secret is found however it is written, and nothing else is changed."""

from __future__ import annotations

import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.types.masking import Masker

SECRET = 'p4ss "w\\ört" <&> +/=?%'

WRITTEN = {
    "as it is": SECRET,
    "in JSON": json.dumps({"key": SECRET}),
    "in JSON as it is": json.dumps([SECRET], ensure_ascii=False),
    "by repr": repr([SECRET]),
    "by repr of bytes": repr(SECRET.encode()),
    "by repr of JSON": repr(json.dumps({"key": SECRET}).encode()),
    "in JSON of JSON": json.dumps(json.dumps(SECRET)),
    "in XML": f"<a b='{html.escape(SECRET)}'/>",
    "in a URL": "https://example.com/?key=" + quote(SECRET, safe=""),
    "in a URL with slashes": "https://example.com/" + quote(SECRET),
    "in a form": urlencode({"key": SECRET}),
    "in a form in small letters": quote_plus(SECRET).lower().replace("p4ss", "p4ss"),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "in a data URL": "data:;base64," + base64.b64encode(b"x" + SECRET.encode() + b"yz").decode(),
    "for basic authorisation": "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode(),
    "of a longer name": base64.b64encode(f"name:{SECRET}!".encode()).decode(),
    "cut off": f"expected a number, found 'x{SECRET[:9]}…'",
    "cut off by dots": f"found {SECRET[:6]}... and more",
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_secret_is_found_however_it_is_written(how: str) -> None:
    masker = Masker(["other-secret", SECRET])
    masked = masker.text(WRITTEN[how])
    assert "***" in masked
    assert SECRET[:6] not in masked
    for shift in range(3):
        core = base64.b64encode(bytes(shift) + SECRET.encode()).decode()[8:20]
        assert core not in masked


@given(st.text(min_size=4), st.binary(max_size=7), st.binary(max_size=7))
def test_no_part_of_a_base64_text_tells_of_a_secret_in_it(
    secret: str, before: bytes, after: bytes
) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    masked = Masker([secret]).text(encoded)
    assert masked != encoded
    rest = masked.replace("***", "")
    assert len(rest) <= len(encoded) - (8 * len(secret.encode())) // 6 + 1


@given(st.text(min_size=4), st.text(), st.text())
def test_a_secret_is_masked_in_any_text(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).text(before + secret + after)
    assert secret not in masked.replace("***", "\0")


PLAIN: list[Any] = [
    "plain",
    3,
    None,
    2.5,
    True,
    {"a": [1, ("x",)]},
    b"bytes",
    "50 % + 3 …",
    object(),
]


@pytest.mark.parametrize("value", PLAIN)
def test_what_has_no_secret_in_it_is_the_same_object(value: Any) -> None:
    assert Masker([SECRET, "ab"]).value(value) is value
    assert Masker([]).value(value) is value


def test_texts_and_keys_are_masked_at_any_depth_and_the_rest_is_kept() -> None:
    kept = [1, 2]
    value = {"a": {SECRET: [f"is {SECRET}", kept]}, "t": (SECRET,), "b": b"x" + SECRET.encode()}
    masked = Masker([SECRET]).value(value)
    assert masked == {"a": {"***": ["is ***", [1, 2]]}, "t": ("***",), "b": b"x***"}
    assert masked["a"]["***"][1] is kept
    assert SECRET in value["a"], "the value itself is not changed"


def test_a_value_that_refers_to_itself_can_be_masked() -> None:
    value: list[Any] = [SECRET]
    value.append(value)
    assert Masker([SECRET]).value(value)[0] == "***"


def test_a_short_secret_is_masked_only_where_it_is_the_whole_text() -> None:
    masker = Masker(["abc"])
    assert masker.value(["abc", "abcd", {"abc": "x abc"}]) == ["***", "abcd", {"***": "x abc"}]


def test_of_secrets_in_each_other_the_longer_one_is_masked() -> None:
    assert Masker(["pass", "password"]).text("my password, my pass") == "my ***, my ***"


def test_how_urls_begin_tells_nothing_of_a_secret_that_is_one() -> None:
    masker = Masker(["https://me:password@host/"])
    assert masker.text("expected http://… or https://…") == "expected http://… or https://…"
    assert masker.text("found https://me:pass… here") == "found ***… here"


def test_a_secret_that_is_no_unicode_can_be_masked() -> None:
    secret = b"caf\xe9-key".decode("utf-8", "surrogateescape")  # as the environment gives it
    assert Masker([secret]).text(f"is {secret} and {secret!r}") == "is *** and '***'"
