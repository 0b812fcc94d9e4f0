"""Owns the tests of what crosses to a worker as bytes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from flowscript_trio.placement import packing
from flowscript_trio.placement.packing import pack, unpack

PLAIN = {"a": [1, 2.5, None, True, "text", b"bytes", (1, 2), {3}, frozenset({4})]}


def test_plain_values_cross_without_a_question_of_how_classes_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dumps(*given: Any, **named: Any) -> bytes:
        raise AssertionError("they were asked for")

    monkeypatch.setattr(packing, "dumps", dumps)
    assert unpack(pack(PLAIN, "it")) == PLAIN


def test_one_object_in_two_places_is_one_object_over_there() -> None:
    one = [1]
    first, second = unpack(pack([one, one], "it"))
    assert first is second


def test_what_has_a_class_or_a_function_in_it_crosses_by_its_code_where_no_module_has_that() -> (
    None
):
    class Here:
        def __init__(self, number: int) -> None:
            self.number = number

    value = {"deep": [Here(3), date(2026, 1, 2), lambda: 4, Here]}
    here, day, function, kind = unpack(pack(value, "it"))["deep"]
    assert (here.number, day, function(), kind(5).number) == (3, date(2026, 1, 2), 4, 5)
