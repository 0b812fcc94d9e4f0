"""Owns tests of ``extract``: whatever fails in it is an error that names it."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.http.extract import Extract


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        (
            "items[?id > '1']",
            {"items": [{"id": 1}]},
            "compares values of different kinds",
        ),
        ("abs(a)", {"a": "x"}, "abs"),
        ("sort(a)", {"a": [1, "x"]}, "sort"),
        ("max_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}, "max_by"),
    ],
)
def test_an_error_of_an_extract_names_it(text: str, value: Any, message: str) -> None:
    with pytest.raises(fs.FlowScriptError) as caught:
        Extract(text)(value)
    assert f"the extract {text!r} failed: " in str(caught.value)
    assert message in str(caught.value)


def test_a_value_that_nests_too_deep_for_an_extract_is_an_error_that_names_it() -> None:
    with pytest.raises(fs.FlowScriptError, match=r"the extract 'to_string.*nests too deep"):
        Extract("to_string(@)")(nested(100_000))
