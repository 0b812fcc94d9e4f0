"""Owns tests of order and equality: ``sort``, ``min``, ``max`` agree with ``<``, ``unique`` with ``==``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
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
    assert evaluate(text, **DAYS) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["x => x", "x => [x]", "x => ({a: [x]})"])
def test_unique_agrees_with_equality(key: str) -> None:
    nan = float("nan")
    day, moment = date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
    values = [
        *(day, "2026-01-01", "2026-01-01T00:00:00Z", moment, "2026-01-02", 1, True, "1", 1.0),
        *(Decimal("1.0"), Decimal("0.1"), Decimal("0.10"), 0.1, Decimal("0.5"), 0.5),
        *(UUID(int=1), str(UUID(int=1)), nan, nan),
    ]
    for xs in (values, values[::-1], values[1:4]):
        kept: list[Any] = []
        for value in xs:
            if not evaluate("v in kept", kept=kept, v=value):
                kept.append(value)
        found = evaluate(f"unique(xs, {key})", xs=xs)
        assert list(map(id, found)) == list(map(id, kept))


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
