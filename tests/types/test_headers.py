"""Owns tests of the headers of an answer as data."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from flowscript_trio.expression import encode_json
from flowscript_trio.journal.values import decode_value, encode_value
from flowscript_trio.types.headers import Headers

from expressing import evaluate

HEADERS = Headers({"content-type": "text/plain", "x-a": "1"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h['Content-Type']", "text/plain"),
        ("h['X-A'] + h['x-a']", "11"),
        ("get(h, 'X-A')", "1"),
        ("has(h, 'CONTENT-TYPE')", True),
        ("'X-a' in h", True),
        ("h['X-B'] ?? 'none'", "none"),
        ("h[1]", None),
        ("keys(h)", ["content-type", "x-a"]),
        ("{...h, b: 2}", {"content-type": "text/plain", "x-a": "1", "b": 2}),
        ("h == {'x-a': '1', 'content-type': 'text/plain'}", True),
        ("json_encode(h)", '{"content-type":"text/plain","x-a":"1"}'),
    ],
)
def test_headers_are_found_in_any_case(text: str, expected: object) -> None:
    assert evaluate(text, h=HEADERS) == expected


WAYS: list[Callable[[Any], Any]] = [
    lambda value: decode_value(encode_value(value)),
    lambda value: pickle.loads(pickle.dumps(value)),
    copy.deepcopy,
]


@pytest.mark.parametrize("way", WAYS)
def test_headers_stay_what_they_are_in_a_store_in_a_copy_and_in_another_process(
    way: Callable[[Any], Any],
) -> None:
    [made] = way([HEADERS])
    assert type(made) is Headers
    assert made == HEADERS
    assert made["Content-Type"] == "text/plain"
    assert encode_json(made) == encode_json(dict(HEADERS))
