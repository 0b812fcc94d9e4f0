"""Owns the proof of the page that lists where expressions differ from JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowscript_trio import EvaluationError
from flowscript_trio.expression import encode_json
from flowscript_trio.expression.errors import ExpressionSyntaxError

from expressing import evaluate

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "javascript.md"
ROWS = re.findall(
    r"^\| `(.+?)` \| (.+?) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) >= 25


@pytest.mark.parametrize(("source", "there", "here"), ROWS, ids=[row[0] for row in ROWS])
def test_a_difference_is_what_the_page_says(source: str, there: str, here: str) -> None:
    assert here != there
    if here == "error":
        with pytest.raises((EvaluationError, ExpressionSyntaxError)):
            evaluate(source)
    else:
        assert f"`{encode_json(evaluate(source))}`" == here
