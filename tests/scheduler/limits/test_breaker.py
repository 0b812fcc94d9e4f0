"""A circuit breaker: closed, open, one trial."""

from __future__ import annotations

from flowscript_trio.scheduler.limits.breaker import Breaker
from flowscript_trio.types.limits import BreakerRule


def fails(breaker: Breaker, *times: float) -> list[bool]:
    """Whether it opens by each of these failures."""
    opened = []
    for now in times:
        token = object()
        breaker.enter(token)
        opened.append(breaker.leave(token, True, now))
    return opened


def test_it_opens_by_so_many_failures_in_its_window_and_says_what_is_left() -> None:
    breaker = Breaker(BreakerRule(3, 60, 30))
    assert fails(breaker, 0, 59, 60) == [False, False, True]
    assert breaker.seconds_left(60) == 30
    assert breaker.seconds_left(89) == 1
    assert breaker.seconds_left(90) == 0


def test_failures_that_are_further_apart_do_not_open_it() -> None:
    assert fails(Breaker(BreakerRule(3, 60, 30)), 0, 1, 61, 62, 122) == [False] * 5


def test_successes_and_cancellations_do_not_count() -> None:
    breaker = Breaker(BreakerRule(2, 60, 30))
    for failed in (False, None, False, None):
        assert not breaker.leave(object(), failed, 0.0)
    assert fails(breaker, 0) == [False]


def test_after_its_rest_one_trial_goes_through_whose_success_closes_it() -> None:
    breaker = Breaker(BreakerRule(1, 60, 30))
    fails(breaker, 0)
    trial = object()
    breaker.enter(trial)
    assert breaker.seconds_left(31) == 30, "the trial is under way"
    breaker.leave(trial, False, 32)
    assert breaker.seconds_left(32) == 0
    breaker.enter(object())
    assert breaker.seconds_left(32) == 0, "any number may go through again"


def test_a_trial_that_fails_opens_it_anew() -> None:
    breaker = Breaker(BreakerRule(5, 60, 30))
    assert fails(breaker, 0, 0, 0, 0, 0)[-1]
    assert fails(breaker, 31) == [True]
    assert breaker.seconds_left(31) == 30


def test_a_trial_that_is_cancelled_lets_another_try() -> None:
    breaker = Breaker(BreakerRule(1, 60, 30))
    fails(breaker, 0)
    trial = object()
    breaker.enter(trial)
    assert not breaker.leave(trial, None, 35)
    assert breaker.seconds_left(35) == 0


def test_what_went_through_before_it_opened_does_not_open_it_for_longer() -> None:
    breaker = Breaker(BreakerRule(1, 60, 30))
    early = object()
    breaker.enter(early)
    fails(breaker, 0)
    assert not breaker.leave(early, True, 20)
    assert breaker.seconds_left(20) == 10
