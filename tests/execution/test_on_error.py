from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.recovery import delay_of
from flowscript_trio.runtimes.control.types import RetryConfig
from flowscript_trio.types.describing import is_retryable, status_of

from stubs import Stubs


class Answered(Exception):
    """An error that bears a status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


def flaky(stubs: Stubs, errors: list[Exception]) -> list[float]:
    """Registers ``source:flaky``, which raises these errors one after another; gives the times of attempts."""
    times: list[float] = []

    @stubs.registry.runtime("source:flaky")
    async def attempt(params: fs.ExecutionParams) -> str:
        times.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if errors:
            raise errors.pop(0)
        return "at last"

    return times


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ('max="3"', [1, 2, 4]),
        ('max="3" backoff="fixed" base="5s"', [5, 5, 5]),
        ('max="3" backoff="linear" base="2s"', [2, 4, 6]),
        ('max="3" base="10s" cap="15s"', [10, 15, 15]),
    ],
)
async def test_a_retryable_error_is_tried_again_with_growing_waits(
    retry: str, waits: list[float], autojump_clock: Any
) -> None:
    stubs = Stubs()
    errors: list[Exception] = [Answered(503), TimeoutError(), Answered(429)]
    raised = list(errors)
    times = flaky(stubs, errors)
    run = await stubs.run(
        f'<source:flaky id="f"><on-error><retry {retry}/></on-error></source:flaky>'
    )
    assert run.output == "at last"
    assert [b - a for a, b in pairwise(times)] == waits
    assert run.results["f"].attempts == 4
    assert run.results["f"].earlier == tuple(raised)


async def test_when_attempts_are_spent_the_last_error_surfaces(autojump_clock: Any) -> None:
    stubs = Stubs()
    last = Answered(500)
    flaky(stubs, [Answered(503), last])
    with pytest.raises(Answered) as caught:
        await stubs.run('<source:flaky id="f"><on-error><retry max="1"/></on-error></source:flaky>')
    assert caught.value is last
    failure = fs.failure_of(last)
    assert failure is not None
    assert failure.attempts == 2


async def test_an_error_that_is_not_retryable_is_not_tried_again(autojump_clock: Any) -> None:
    stubs = Stubs()
    times = flaky(stubs, [Answered(404)])
    with pytest.raises(Answered):
        await stubs.run('<source:flaky id="f"><on-error><retry max="5"/></on-error></source:flaky>')
    assert len(times) == 1


async def test_when_decides_by_the_error(autojump_clock: Any) -> None:
    stubs = Stubs()
    flaky(stubs, [Answered(418), ValueError("again")])
    run = await stubs.run(
        '<source:flaky id="f"><on-error>'
        '<retry max="5" when="error.status == 418 or type == \'ValueError\'"/></on-error></source:flaky>'
    )
    assert run.output == "at last"


async def test_a_cancellation_is_never_retried_and_has_no_fallback(autojump_clock: Any) -> None:
    stubs = Stubs()
    with trio.move_on_after(1) as scope:
        await stubs.run(
            '<source:stub id="a" hangs="true"><on-error><retry max="5" when="true"/>'
            '<fallback node="b"/></on-error></source:stub><source:stub id="b"/>'
        )
    assert scope.cancelled_caught
    assert stubs.events == ["start a", "cancelled a"]


async def test_the_timeout_of_a_node_bounds_each_attempt(autojump_clock: Any) -> None:
    stubs = Stubs()
    began = trio.current_time()
    with pytest.raises(trio.TooSlowError):
        await stubs.run(
            '<source:stub id="a" hangs="true" timeout="2s"><on-error>'
            '<retry max="1" backoff="fixed"/></on-error></source:stub>'
        )
    assert trio.current_time() - began == 2 + 1 + 2


async def test_a_fallback_sees_the_error_and_stands_for_the_node(autojump_clock: Any) -> None:
    run = await Stubs().run(
        """<source:stub id="a" fails="broken"><on-error><fallback node="b"/></on-error></source:stub>
        <transform type="template" id="b" template="{{$error.type}}: {{$error.message}} in {{$error.node}}"/>
        <transform type="template" id="end" template="{{a}}/{{a.status}}"/>"""
    )
    assert run.output == "ValueError: broken in a/success"
    assert run.results["a"].status == "success"
    assert [str(error) for error in run.results["a"].earlier] == ["broken"]


async def test_a_fallback_that_fails_surfaces_its_own_error(autojump_clock: Any) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="second") as caught:
        await stubs.run(
            '<source:stub id="a" fails="first"><on-error><fallback node="b"/></on-error></source:stub>'
            '<source:stub id="b" fails="second"/>'
        )
    assert caught.value is stubs.errors["b"]


async def test_on_timeout_stands_for_a_body_that_took_too_long(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<timeout id="t" duration="2s" on-timeout="late"><source:stub id="a" hangs="true"/></timeout>'
        '<transform type="template" id="late" template="{{$error.type}}"/>'
        '<transform type="template" id="end" template="{{t}}"/>'
    )
    assert run.output == "TooSlowError"
    assert run.duration == 2


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (Answered(429), True),
        (Answered(500), True),
        (Answered(404), False),
        (trio.TooSlowError(), True),
        (ConnectionRefusedError(), True),
        (ValueError(), False),
    ],
)
def test_what_is_retryable(error: Exception, retryable: bool) -> None:
    assert is_retryable(error) is retryable
    assert status_of(error) == getattr(error, "status", None)


def test_full_jitter_takes_a_random_part_of_the_wait() -> None:
    config = RetryConfig(max=3, jitter="full", base="8s")  # type: ignore[arg-type]
    assert delay_of(config, 1, 0.25) == 2
    assert delay_of(config, 2, 0.5) == 8
