"""Owns the tests of the values that control elements have."""

from __future__ import annotations

import math

import pytest

from flowscript_trio.language.structure import CONTROLS
from flowscript_trio.runtimes.control import registry, types
from flowscript_trio.runtimes.control.values import (
    TolerateCount,
    TolerateShare,
    WaitAll,
    WaitAny,
    WaitN,
    parse_limit,
    parse_tolerance,
    parse_wait,
)


@pytest.mark.parametrize(
    ("value", "limit"), [("1", 1), (" 20 ", 20), (3, 3), (4.0, 4), ("unlimited", math.inf)]
)
def test_a_limit_is_a_whole_number_of_at_least_one_or_unlimited(
    value: object, limit: float
) -> None:
    assert parse_limit(value) == limit
    assert limit == math.inf or type(parse_limit(value)) is int


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", 1.5, 0, -3, True, None, "", "x", "1e3", "٣", []]
)
def test_what_is_no_limit_is_refused_with_what_is_expected(value: object) -> None:
    with pytest.raises(ValueError, match="; expected a whole number of at least 1, or unlimited"):
        parse_limit(value)


@pytest.mark.parametrize(
    ("value", "wait"),
    [("all", WaitAll()), ("any", WaitAny()), ("n(2)", WaitN(2)), (" n( 3 ) ", WaitN(3))],
)
def test_a_block_waits_for_all_any_or_a_number(value: str, wait: object) -> None:
    assert parse_wait(value) == wait


@pytest.mark.parametrize("value", ["", "some", "n()", "n(0)", "n(-1)", "n(1.5)", 2, None, "ALL"])
def test_what_no_block_can_wait_for_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="; expected all, any, or n"):
        parse_wait(value)


@pytest.mark.parametrize(
    ("value", "tolerance"),
    [
        ("2", TolerateCount(2)),
        (0, TolerateCount(0)),
        ("10%", TolerateShare(0.1)),
        ("2.5 %", TolerateShare(0.025)),
        ("100%", TolerateShare(1.0)),
    ],
)
def test_a_tolerance_is_a_number_or_a_share(value: object, tolerance: object) -> None:
    assert parse_tolerance(value) == tolerance


@pytest.mark.parametrize("value", ["-1", "1.5", "101%", "-5%", "few", None, True])
def test_what_is_no_tolerance_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="; expected a whole number such as 2, or a share"):
        parse_tolerance(value)


@pytest.mark.parametrize(
    "model",
    [
        *(registry.get_runtime(f"control:{tag}").config for tag in sorted(CONTROLS)),
        *types.PART_CONFIGS.values(),
        *types.BODY_CONFIGS.values(),
    ],
)
def test_every_model_has_a_json_schema_and_a_description_of_each_setting(
    model: type[types.ControlConfig],
) -> None:
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all("description" in field for field in schema.get("properties", {}).values())
