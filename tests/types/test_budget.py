from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from math import inf, nan
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.types.budget import COUNTS, SECONDS


def test_every_field_is_a_time_or_a_count() -> None:
    assert {f.name for f in fields(fs.Budget)} == {*SECONDS, *COUNTS}


def test_a_budget_bounds_nothing_unless_it_says_so_and_is_frozen() -> None:
    budget = fs.Budget()
    assert all(getattr(budget, f.name) is None for f in fields(budget))
    with pytest.raises(FrozenInstanceError):
        budget.nodes = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [-1, inf, nan, "10", True, [1]])
def test_a_time_is_a_number_of_seconds(name: str, value: Any) -> None:
    with pytest.raises(fs.InputError, match=f"the budget's {name} is .*; expected a number of s"):
        fs.Budget(**{name: value})


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [-1, 1.5, 2.0, "10", True, inf])
def test_a_count_is_a_whole_number(name: str, value: Any) -> None:
    with pytest.raises(fs.InputError, match=f"the budget's {name} is .*; expected a whole number"):
        fs.Budget(**{name: value})


def test_a_run_has_time_and_a_task_and_may_have_no_clean_up() -> None:
    for name in ("seconds", "tasks"):
        with pytest.raises(fs.InputError, match=f"the budget's {name} is 0;"):
            fs.Budget(**{name: 0})
    for name in ("cleanup", *(name for name in COUNTS if name != "tasks")):
        assert getattr(fs.Budget(**{name: 0}), name) == 0
