"""How documents write rates and circuit breakers."""

from __future__ import annotations

import pytest

from flowscript_trio.types.limits import BreakerRule, Rate, parse_breaker, parse_count, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/s", Rate(100, 1)),
        ("5/m", Rate(5, 60)),
        (" 2 / h ", Rate(2, 3600)),
        ("1/d", Rate(1, 86400)),
        ("10/500ms", Rate(10, 0.5)),
        ("0.5/s", Rate(0.5, 1)),
        ("3/PT5S", Rate(3, 5)),
        ("7/ms", Rate(7, 0.001)),
    ],
)
def test_a_rate_is_a_number_for_a_time(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    "text", ["100", "/s", "0/s", "-1/s", "x/s", "1/", "1/0s", "1/x", "1//s", "", None, 5, "1e5/s"]
)
def test_anything_else_is_not_a_rate_and_the_message_shows_one(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a rate; expected .*100/s"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("5 in 1m, 30s", BreakerRule(5, 60, 30)),
        ("1 in 500ms,2s", BreakerRule(1, 0.5, 2)),
        ("3  in  PT5S , 1.5m", BreakerRule(3, 5, 90)),
    ],
)
def test_a_breaker_is_failures_in_a_time_and_a_rest(text: str, rule: BreakerRule) -> None:
    assert parse_breaker(text) == rule
    assert parse_breaker(str(rule)) == rule


@pytest.mark.parametrize(
    "text", ["5 in 1m", "in 1m, 30s", "0 in 1m, 30s", "5 in 0s, 3s", "5 in 1m, 0s", "5, 1m, 30s", 5]
)
def test_anything_else_is_not_a_breaker_and_the_message_shows_one(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a circuit breaker; expected .*5 in 1m, 30s"):
        parse_breaker(text)


@pytest.mark.parametrize("value", [0, -1, "0", "x", "1.5", 1.5, True, None, ""])
def test_a_max_is_a_whole_number_of_at_least_one(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be the max of a limit"):
        parse_count(value, "max")
    assert parse_count("12", "max") == parse_count(12, "max") == 12
