"""Owns the agreement with JavaScript: a table that Node computed, made by make_javascript_cases.mjs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowscript_trio.expression import encode_json, is_function, to_text

from expressing import evaluate

CASES = json.loads(Path(__file__).with_name("javascript_cases.json").read_text(encoding="utf-8"))


def test_the_table_has_at_least_two_hundred_cases() -> None:
    assert len({case["source"] for case in CASES}) >= 200


@pytest.mark.parametrize("case", CASES, ids=[case["source"] for case in CASES])
def test_an_expression_has_the_value_that_javascript_gives(case: dict[str, str]) -> None:
    value = evaluate(case["source"])
    assert not is_function(value)
    expected = json.loads(case.get("json", "null"))
    assert repr(json.loads(encode_json(value))) == repr(expected)  # tells 1 from 1.0
    assert to_text(value) == case["text"]
