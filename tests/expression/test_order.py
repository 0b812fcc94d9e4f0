"""Owns tests of order and equality: ``sort``, ``min``, ``max`` agree with ``<``, ``unique`` with ``==``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from flowscript_trio.types.errors import EvaluationError

from expressing import evaluate

DAYS = {"old": date(2026, 1, 1), "new": datetime(2026, 3, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("old < '2026-02-01'", True),
        ("new < '2026-02-01'", False),
        ("old < new", True),
        ("old == '2026-01-01'", True),
        ("'2026-01-02' == old", False),
        ("old < 'soon'", False),
        ("length(sort([new, old, '2026-02-01'])) == 3 && sort([new, old])[0] == old", True),
        ("length(unique([old, old, new]))", 2),
        ("sort(['10', '9', 8])", [8, "9", "10"]),
        ("max('9', '10')", 10),
    ],
)
def test_values_are_ordered_as_they_are_compared(text: str, value: Any) -> None:
    assert evaluate(text, **DAYS) == value


def test_uuids_compare_as_they_print() -> None:
    a, b = UUID(int=1), UUID(int=2)
    assert evaluate("a < b && a == word && sort([b, a])[0] == a", a=a, b=b, word=str(a))


@pytest.mark.parametrize(
    "text",
    [
        "[1] < 'a'",
        "'a' < [1]",
        "{} < 'a'",
        "[1] < 2",
        "sort([1, 'a'])",
        "max(1, 'a')",
        "sort([[1], 2])",
    ],
)
def test_what_has_no_order_is_an_error(text: str) -> None:
    with pytest.raises(EvaluationError, match="no order"):
        evaluate(text)
