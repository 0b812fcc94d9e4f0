"""A rate: never more than burst + rate × time, and no less than that where somebody always waits."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.scheduler.limits.meter import Meter
from flowscript_trio.types.limits import Rate


def passed(meter: Meter, arrivals: list[float]) -> list[float]:
    """When those pass who arrive at these times, one after the other."""
    times: list[float] = []
    now = 0.0
    for arrival in arrivals:
        now = max(now, arrival, meter.ready_at())
        meter.count(now)
        times.append(now)
    return times


def test_a_burst_passes_at_once_and_the_rest_evenly() -> None:
    times = passed(Meter(Rate(10, 1), 3), [0.0] * 8)
    assert times == [0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_thousand_in_a_row_pass_at_exact_times_for_rounding_does_not_add_up() -> None:
    times = passed(Meter(Rate(100, 1), 20), [0.0] * 1020)
    assert times[20:] == [number / 100 for number in range(1, 1001)]


def test_after_a_time_in_which_nobody_came_the_whole_burst_may_pass_and_no_more() -> None:
    times = passed(Meter(Rate(1, 1), 2), [0.0, 0.0, 0.0, 100.0, 100.0, 100.0])
    assert times == [0.0, 0.0, 1.0, 100.0, 100.0, 101.0]


def test_half_of_a_burst_is_back_after_half_of_its_time() -> None:
    times = passed(Meter(Rate(1, 1), 4), [0.0] * 4 + [2.0] * 4)
    assert times == [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 3.0, 4.0]


_SLACK = Fraction(1, 10**9)


@given(
    count=st.integers(1, 50),
    seconds=st.sampled_from([0.1, 1.0, 7.0, 60.0]),
    burst=st.integers(1, 10),
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.3, 1.0, 5.0, 100.0]), max_size=60),
)
def test_in_no_window_do_more_pass_than_burst_and_rate_times_time(
    count: int, seconds: float, burst: int, gaps: list[float]
) -> None:
    arrivals = [sum(gaps[: at + 1]) for at in range(len(gaps))]
    times = passed(Meter(Rate(count, seconds), burst), arrivals)
    per_second = Fraction(count) / Fraction(seconds)
    for first in range(len(times)):
        for last in range(first, len(times)):
            window = Fraction(times[last]) - Fraction(times[first])
            assert last - first + 1 <= burst + per_second * (window + _SLACK)


def test_a_count_from_later_than_any_can_be_is_an_empty_bucket() -> None:
    meter = Meter(Rate(10, 1), 3)
    meter.counted = (1000.0, 1)  # the clock was set back since
    meter.bound(0.0)
    assert passed(meter, [0.0, 0.0]) == [0.1, 0.2]
