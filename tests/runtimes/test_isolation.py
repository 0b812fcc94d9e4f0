"""Owns the tests of the copies that runtimes are handed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowscript_trio.runtimes.isolation import private_copy


@pytest.mark.parametrize(
    "wrap", [lambda part: [part], lambda part: (part,), lambda part: {"k": part}]
)
def test_values_of_all_kinds_may_be_as_deep_as_each_other(wrap: Callable[[Any], Any]) -> None:
    deep: Any = [1]
    for _ in range(700):
        deep = wrap(deep)
    copied = private_copy(deep, pytest.fail)
    for _ in range(700):
        assert type(deep) is type(copied)
        deep, copied = (each["k"] if isinstance(each, dict) else each[0] for each in (deep, copied))
    assert deep == copied == [1]
    assert deep is not copied
