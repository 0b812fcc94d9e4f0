"""Owns the tests of how values of subclasses of built-in types are read, past what their own class does."""

from __future__ import annotations

from collections import UserDict, UserList
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from flowscript_trio.types.built_in import bytes_of, entries_of, items_of, repr_of, text_of_key


def refusing(base: type, *given: Any) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no method of this works")

    names = ["__repr__", "__str__", "__len__", "__iter__", "__getitem__", "__bytes__", "items"]
    methods = dict.fromkeys(names, refuse) | {"__hash__": base.__hash__}
    return type("Odd", (base,), methods)(*given)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "True"),
        (refusing(int, 7), "7"),
        (refusing(float, 7.5), "7.5"),
        (refusing(bytes, b"x"), "b'x'"),
        (refusing(Decimal, "1.5"), "Decimal('1.5')"),
        (refusing(date, 2020, 1, 2), "Odd(2020, 1, 2)"),
        ([1], "[1]"),
    ],
    ids=["boolean", "integer", "float", "bytes", "decimal", "day", "list"],
)
def test_what_is_told_of_a_value_is_that_of_its_built_in_type(value: Any, told: str) -> None:
    assert repr_of(value) == told


def test_keys_are_told_as_json_has_them() -> None:
    assert text_of_key(refusing(str, "k")) == "k"
    assert text_of_key(refusing(int, 3)) == "3"
    assert (text_of_key(True), text_of_key(None), text_of_key((1, 2))) == ("True", "None", "(1, 2)")


def test_bytes_are_read_past_their_class_and_copied_only_where_they_have_one() -> None:
    plain = b"x"
    assert bytes_of(plain) is plain
    for odd in (refusing(bytes, b"x"), refusing(bytearray, b"x"), bytearray(b"x")):
        assert type(bytes_of(odd)) is bytes
        assert bytes_of(odd) == plain


def test_items_and_entries_are_counted_and_walked_past_their_class() -> None:
    for base in (list, tuple, set, frozenset):
        count, items = items_of(refusing(base, [1]))
        assert (count, list(items)) == (1, [1])
    count, items = items_of(UserList([1, 2]))
    assert (count, list(items)) == (2, [1, 2])
    for mapping in (refusing(dict, {"a": 1}), UserDict(a=1)):
        count, entries = entries_of(mapping)
        assert (count, list(entries)) == (1, [("a", 1)])
