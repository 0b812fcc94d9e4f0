"""Owns the tests of pruning: JSON, small, and what was left out is counted."""

from __future__ import annotations

import json
from collections import UserDict, UserList
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.observe.pruning import MOST_TEXT, MOST_VALUES, prune

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)
)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES)
def test_whatever_is_pruned_is_json(value: Any) -> None:
    json.dumps(prune(value), allow_nan=False)


@given(st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=60), max_leaves=2_000))
def test_no_more_values_are_kept_than_there_is_room_for(value: Any) -> None:
    # One more at each level says how many were left out.
    assert count(prune(value)) <= 2 * MOST_VALUES


def test_what_is_small_is_told_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True, "text"], "b": {"c": []}}
    assert prune(value) == value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("x" * (MOST_TEXT + 7), "x" * MOST_TEXT + "… (7 more characters)"),
        (float("nan"), "nan"),
        (date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        (b"\xff", "b'\\xff'"),
        ({1: 2}, {"1": 2}),
        ((1, 2), [1, 2]),
    ],
)
def test_what_is_left_out_or_has_no_word_in_json_is_said(value: Any, told: Any) -> None:
    assert prune(value) == told


def test_items_and_entries_that_are_left_out_are_counted() -> None:
    items = prune(list(range(1_000)))
    assert items[:3] == [0, 1, 2]
    assert items[-1] == f"… ({1_000 - (MOST_VALUES - 1)} more items)"
    entries = prune({str(number): number for number in range(1_000)})
    assert entries["…"] == f"{1_000 - (MOST_VALUES - 1)} more entries"


def test_what_nests_without_end_is_told_without_end_being_looked_for() -> None:
    value: list[Any] = []
    value.append(value)
    assert "more items" in json.dumps(prune(value))


def test_an_object_that_cannot_be_shown_is_told_by_its_kind() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    assert prune([Broken()]) == ["<Broken>"]


class _OddList(list[int]):
    def __iter__(self) -> Any:
        raise ValueError("iter")

    def __len__(self) -> int:
        raise ValueError("len")


class _OddMapping(dict[str, int]):
    def items(self) -> Any:
        raise ValueError("items")


class _OddText(str):
    def __len__(self) -> int:
        raise ValueError("len")


class _OddKey:
    def __str__(self) -> str:
        raise ValueError("key")


class _OddSequence(UserList[Any]):
    def __len__(self) -> int:
        raise ValueError("items")


class _OddUserDict(UserDict[str, Any]):
    def __len__(self) -> int:
        raise ValueError("entries")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (_OddList([1]), [1]),
        (_OddMapping(a=1), {"a": 1}),
        ([1, _OddList([1]), 2], [1, [1], 2]),
        ({"a": _OddMapping(b=2)}, {"a": {"b": 2}}),
    ],
    ids=["list", "mapping", "in a list", "in a mapping"],
)
def test_a_list_or_dict_whose_methods_raise_is_shown_by_what_it_holds(
    value: Any, shown: Any
) -> None:
    assert prune(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (_OddSequence([1]), "<_OddSequence>"),
        (_OddUserDict(a=1), "<_OddUserDict>"),
        ([1, _OddSequence([1]), 2], [1, "<_OddSequence>", 2]),
        ({"a": _OddUserDict(), "b": 1}, {"a": "<_OddUserDict>", "b": 1}),
        ({_OddKey(): 1}, "<dict>"),
        (10**5000, f"<an integer of {(10**5000).bit_length():,} bits>"),
        ([10**5000], [f"<an integer of {(10**5000).bit_length():,} bits>"]),
    ],
    ids=["list", "mapping", "in a list", "in a mapping", "a key", "integer", "integer in a list"],
)
def test_what_its_own_class_keeps_from_being_shown_is_told_as_that(value: Any, shown: Any) -> None:
    assert prune(value) == shown


def test_a_text_whose_methods_raise_is_shown_by_what_it_holds() -> None:
    assert prune([_OddText("abc")]) == ["abc"]
