from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from flowscript_trio.execution.kept import Kept, bytes_of

MIB = 2**20


def size(value: Any) -> int:
    return bytes_of(value, set(), 10**12)


def test_a_value_is_counted_with_all_in_it() -> None:
    text = "x" * MIB
    for value in (
        text,
        [text],
        (text,),
        {text},
        frozenset({text}),
        {"a": {"b": [text]}},
        {text: 1},
    ):
        assert MIB < size(value) < MIB + 2000
    assert MIB < size(bytes(MIB)) < MIB + 2000


def test_the_settings_of_a_node_are_counted() -> None:
    class Settings(BaseModel):
        url: str

    assert MIB < size(Settings(url="x" * MIB)) < MIB + 2000


def test_what_is_shared_counts_once() -> None:
    text = "x" * MIB
    value: Any = [text, text]
    for _ in range(60):  # 2**60 lists, if it were written out
        value = [value, value]
    assert size(value) < MIB + 20_000


def test_a_value_that_contains_itself_is_counted() -> None:
    value: list[Any] = []
    value.append(value)
    assert 0 < size(value) < 1000


def test_counting_ends_where_the_bound_is_passed() -> None:
    looked = 0

    class Watched(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            nonlocal looked
            looked += 1
            return super().__iter__()

    bytes_of([Watched([f"{number}" * 1000]) for number in range(1000)], set(), 50_000)
    assert 0 < looked < 100


def test_an_object_that_fails_at_its_size_is_counted_all_the_same() -> None:
    class Odd:
        def __sizeof__(self) -> int:
            raise ValueError

    assert size(Odd()) > 0


def test_what_is_no_longer_held_counts_no_more() -> None:
    kept = Kept(3 * MIB)
    for number in range(100):
        assert kept.add(f"{number}" + "x" * MIB), number


def test_a_value_that_is_taken_in_twice_and_one_that_holds_it_are_let_go_as_well() -> None:
    kept = Kept(3 * MIB)
    for number in range(100):
        text = f"{number}" + "x" * MIB
        assert kept.add(text)
        assert kept.add({"output": text})
        assert kept.add([[text]])
        assert kept.add(text)
        del text


def test_what_is_held_counts_until_the_bound() -> None:
    kept = Kept(10 * MIB)
    held = []
    for number in range(20):
        held.append(f"{number}" + "x" * MIB)
        if not kept.add(held[-1]):
            break
    assert len(held) == 10  # ten texts are a little more than ten MiB


def test_lists_that_share_their_items_count_them_once_also_after_some_were_let_go() -> None:
    kept = Kept(8 * MIB)
    held: list[list[str]] = [[]]
    for number in range(100):
        held.append([*held[-1], f"{number}" + "x" * 50_000])
        assert kept.add(held[-1])
        assert kept.add("y" * MIB)  # nobody holds it


def test_a_list_that_grows_is_counted_by_what_is_new() -> None:
    kept = Kept(5 * MIB)
    made: list[str] = []
    for number in range(10):
        made.append(f"{number}" + "x" * MIB)
        if not kept.grow(made, number):
            break
    assert len(made) == 5


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "short"])
def test_small_values_are_not_held(value: Any) -> None:
    kept = Kept(0)
    assert kept.add(value)
    assert kept.bytes == 0
