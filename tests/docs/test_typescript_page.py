"""Owns the proof of the page for those who come from FlowScript in TypeScript: what it says is so here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowscript_trio import EvaluationError
from flowscript_trio.expression import encode_json
from flowscript_trio.expression.errors import ExpressionSyntaxError

from expressing import evaluate

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "from-typescript-flowscript.md"
TABLE = PAGE.read_text(encoding="utf-8").partition("| expression | there | here |")[2]
ROWS = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)
VALUES = {
    "v": {"a": {"b": 1}, "list": [7, 8], "zero": 0, "nul": None},
    "rows": [{"n": 3, "k": "x"}, {"n": 1, "k": "y"}, {"n": 2, "k": "x"}],
    "t": "2024-03-15T10:20:30.000Z",
}


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) >= 100


@pytest.mark.parametrize(("source", "there", "here"), ROWS, ids=[row[0] for row in ROWS])
def test_a_difference_is_what_the_page_says(source: str, there: str, here: str) -> None:
    assert here != there
    if here == "error":
        with pytest.raises((EvaluationError, ExpressionSyntaxError)):
            evaluate(source, None, **VALUES)
    else:
        assert f"`{encode_json(evaluate(source, None, **VALUES))}`" == here
