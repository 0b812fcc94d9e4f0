"""Owns tests that whatever an operation looks at is paid for, or is not looked at."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from flowscript_trio.types.durations import parse_duration
from flowscript_trio.types.errors import EvaluationError

from expressing import PlainScope, evaluate, read


class Unwritable(list[Any]):
    """A list that nobody writes out: one that holds itself sixty times over would take for ever."""

    def __repr__(self) -> str:
        raise AssertionError("the list was written out")

    __str__ = __repr__


def charged(text: str, **values: Any) -> int:
    """The operations of an evaluation that may end with an error."""
    scope = PlainScope(values, operations=10**12, seconds=1000.0)
    with contextlib.suppress(EvaluationError):
        read(text).compile(lambda _: False)(scope)
    return scope.services.spent


# ---- what is never written out ----


@pytest.mark.parametrize(
    "text",
    [
        "{[v]: 1}",
        "{a: 1, [v]: 1}",
        "set({}, [v], 1)",
        "delete({a: 1}, [v])",
        "from_entries([[v, 1]])",
    ],
)
@pytest.mark.parametrize(
    ("value", "kind"),
    [(Unwritable(), "an array"), ({}, "an object"), (b"\xff", "an object")],
    ids=["list", "object", "bytes"],
)
def test_what_has_no_short_text_is_no_key(text: str, value: Any, kind: str) -> None:
    with pytest.raises(EvaluationError, match=f"{kind} cannot be the key"):
        evaluate(text, v=value)


def test_an_arrow_function_is_no_key() -> None:
    with pytest.raises(EvaluationError, match="a function cannot be the key"):
        evaluate("map([x => x], f => ({[f]: 1}))")


def test_a_value_without_a_key_is_no_case_of_a_switch() -> None:
    for value in (Unwritable(), {}, b"a"):
        assert evaluate("switch(v, {a: 1}, 2)", v=value) == 2


def test_what_is_no_duration_is_described_and_not_written_out() -> None:
    with pytest.raises(EvaluationError, match="an array is not a duration"):
        evaluate("duration(v)", v=Unwritable())
    with pytest.raises(ValueError, match="a Unwritable is not a duration"):
        parse_duration(Unwritable())
    with pytest.raises(ValueError, match="5 is not a duration"):
        parse_duration(5)


# ---- what is found at once ----


@pytest.mark.parametrize(
    ("number", "found"),
    [(0.5, False), (3.0, True), (float("nan"), False), (float("inf"), False), (10, False)],
)
def test_a_number_is_looked_for_in_a_range_without_going_over_it(number: Any, found: bool) -> None:
    # of 10**17 numbers nobody looks at each
    assert evaluate("n in v", n=number, v=range(10**17 if number != 10 else 10)) is found
    assert evaluate("contains(v, n)", n=number, v=range(10)) is found
