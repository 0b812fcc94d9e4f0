"""Values come back from a store exactly, or are refused with their place."""

from __future__ import annotations

import json
import math
import re
import socket
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flowscript_trio.journal.values import decode_value, encode_value
from flowscript_trio.types.storing import CannotKeep, StoreFailed


def back(value: Any) -> Any:
    return decode_value(encode_value(value))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_plain_json_is_what_json_makes_of_it(value: Any) -> None:
    made = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert encode_value(value) == b"j" + made.encode("utf-8", "surrogatepass")


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same to the class and the sign of a zero."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.isnan(a) == math.isnan(b) and (
            math.isnan(a) or (a == b and math.copysign(1, a) == math.copysign(1, b))
        )
    if isinstance(a, Decimal):
        return str(a) == str(b)
    if isinstance(a, datetime | time):
        return a.isoformat() == b.isoformat() and a.fold == b.fold and a.tzname() == b.tzname()
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, set | frozenset):
        return a == b and sorted(map(str, map(type, a))) == sorted(map(str, map(type, b)))
    return bool(a == b)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
ZONES = st.sampled_from(
    [None, UTC, timezone(timedelta(hours=1)), timezone(timedelta(0), "x"), ZoneInfo("Europe/Paris")]
)
HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30)
    | TEXTS
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(timezones=ZONES)
    | st.times()
    | st.timedeltas()
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 4))
    | st.uuids()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE | st.floats() | st.decimals() | st.binary(max_size=8).map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(HASHABLE | st.floats(), inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(HASHABLE, max_size=4)
    ),
)


@given(VALUES)
def test_every_value_that_can_be_kept_comes_back_as_it_was(value: Any) -> None:
    assert same(back(value), value)


def test_nans_that_are_keys_or_stand_in_a_set_stay_apart() -> None:
    nans = [float("nan"), float("nan"), float("nan")]
    kept = back({nan: number for number, nan in enumerate(nans)})
    assert list(kept.values()) == [0, 1, 2]
    assert all(map(math.isnan, kept))
    assert len(back(set(nans))) == len(back(frozenset(nans))) == 3


@pytest.mark.parametrize(
    "value",
    ["\0", "\ud800", "\ud83d" + "\ude00", {"\0": 1}, {"": [(1,)]}, -0.0, math.inf, 2**64, [[]], {}, set(),
     {(1, 2): {None: 4}}, Decimal("-0E+7"), Decimal("sNaN12"), UUID(int=7), date(1, 1, 1),
     datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris")), time(1, tzinfo=UTC),
     timedelta.min, {"b": ["b", "eA=="]}, [["$", "x"]], [1], {"p": [0]}],
    ids=repr,
)  # fmt: skip
def test_odd_values_come_back_as_they_were(value: Any) -> None:
    assert same(back(value), value)
    assert same(back([value, (value,)]), [value, (value,)])


def test_an_integer_of_any_size_comes_back() -> None:
    assert back({"n": [-(10**20_000)]}) == {"n": [-(10**20_000)]}


@pytest.mark.parametrize("depth", [59, 60, 61, 900, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"k": v}, lambda v: (v,)])
def test_a_value_may_be_nested_as_deeply_as_it_likes(depth: int, wrap: Any) -> None:
    value: Any = 1
    for _ in range(depth):
        value = wrap(value)
    made = back(value)
    for _ in range(depth):  # step by step, since comparing takes stack
        assert type(made) is type(value)
        made, value = (each["k"] if isinstance(each, dict) else each[0] for each in (made, value))
    assert made == value == 1


class Colour(IntEnum):
    RED = 3


class Text(str):
    def __str__(self) -> str:
        return "lies"


class Rows(list[int]):
    def __iter__(self) -> Any:
        raise ValueError("it does not like to be read")


Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("value", "base"),
    [(Colour.RED, 3), (Text("t"), "t"), (Rows([1]), [1]), (Pair(1, 2), (1, 2)),
     (OrderedDict(a=1), {"a": 1})],
)  # fmt: skip
def test_of_a_subclass_comes_back_what_its_base_holds(value: Any, base: Any) -> None:
    assert same(back({"k": value}), {"k": base})


def test_a_list_that_stands_twice_in_a_value_is_one_list_afterwards() -> None:
    row = [1]
    made = back({"a": row, "b": row})
    assert made["a"] is made["b"]


def test_shared_parts_are_written_once_however_often_they_are_reached() -> None:
    value: Any = [1]
    for _ in range(60):
        value = [value, value]
    assert len(encode_value(value)) < 2_000
    made = back(value)
    assert made[0] is made[1]


@pytest.mark.parametrize(
    ("value", "message"),
    [(object(), "an 'object' cannot be kept"),
     ({"rows": [1, 2, 3, {"handle": socket.socket}]}, "rows[3].handle: a 'type' cannot be kept"),
     ({"a b": (1, {2: {object: 1}})}, "['a b'][1][2][<class 'object'>] (the key): a 'type' cannot be kept"),
     ([1j], "[0]: a complex number cannot be kept; expected a list of its two parts"),
     ({"s": {object}}, "s{…}: a 'type' cannot be kept")],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(CannotKeep, match=f"^{re.escape(message)}$"):
        encode_value(value)


@dataclass
class Point:
    x: int = 1


class Order(BaseModel):
    number: int = 1


class Array:
    def tolist(self) -> list[int]:
        return [1]


class Paint(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(), "a 'Point' cannot be kept; expected dataclasses.asdict() of it"),
        (Order(), "an 'Order' cannot be kept; expected its model_dump()"),
        (Array(), "an 'Array' cannot be kept; expected its tolist()"),
        (Paint.RED, "a 'Paint' cannot be kept; expected its value"),
        (PurePosixPath("a"), "a 'PurePosixPath' cannot be kept; expected str() of it"),
        (ValueError("a"), "a 'ValueError' cannot be kept; expected str() of it"),
        (memoryview(b"a"), "a 'memoryview' cannot be kept; expected bytes() of it"),
        (MappingProxyType({}), "a 'mappingproxy' cannot be kept; expected dict() of it"),
        (deque([1]), "a 'deque' cannot be kept; expected list() of it"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_cannot_be_kept_says_what_can_be_in_its_place(value: Any, expected: str) -> None:
    with pytest.raises(CannotKeep) as caught:
        encode_value({"rows": [value]})
    assert str(caught.value) == f"rows[0]: {expected}"


def test_of_an_enumeration_of_texts_or_numbers_its_value_is_kept() -> None:
    assert back([StrEnum("Texts", ["a"]).a, IntEnum("Numbers", ["one"]).one]) == ["a", 1]  # type: ignore[attr-defined]


def test_what_refers_to_itself_is_refused_with_its_place() -> None:
    row: dict[str, Any] = {}
    row["rows"] = [1, row]
    with pytest.raises(CannotKeep) as caught:
        encode_value({"top": row})
    assert caught.value.path == "top.rows[1]"


@pytest.mark.parametrize(
    "data", [b"", b"x1", b"j{", b"p[[5]]", b'p[["z"],[0]]', b'p[["b","?"]]', b"p[]", b"p[[]]",
             b"j" + b"[" * 100_000, b'p[["i","zz"]]', b"\xff\xff"],
)  # fmt: skip
def test_damaged_bytes_are_the_stores_failure(data: bytes) -> None:
    with pytest.raises(StoreFailed, match="damaged"):
        decode_value(data)
