"""Owns the tests of a run's events: what is told of a node, when, and to whom."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.execution.delivery import DeliveryTimes
from flowscript_trio.types.events import (
    AttemptFailed,
    AttemptStarted,
    Event,
    NodeEnded,
    TokenAwaited,
    TokenTaken,
)

from stubs import Stubs


async def events_of(body: str, **options: Any) -> list[Event]:
    events: list[Event] = []
    with contextlib.suppress(ValueError):
        await Stubs().run(body, observers=[events.append], **options)
    return events


def told(events: list[Event], *kinds: type[Event]) -> list[tuple[str, str, float]]:
    return [(type(e).__name__, e.path, e.time) for e in events if isinstance(e, kinds)]


RETRIED = """
<source:stub id="a" takes="1s" fails="broken">
  <on-error><retry max="2" base="4s" backoff="fixed" jitter="none" when="true"/></on-error>
</source:stub>
"""


async def test_each_attempt_is_told_with_its_error_and_the_wait_that_follows(
    autojump_clock: MockClock,
) -> None:
    events = await events_of(RETRIED, input={"given": 1})
    began = events[0].time
    attempts = [e for e in events if isinstance(e, (AttemptStarted, AttemptFailed))]
    assert [(type(e).__name__, e.attempt, e.time - began) for e in attempts] == [
        ("AttemptStarted", 1, 0),
        ("AttemptFailed", 1, 1),
        ("AttemptStarted", 2, 5),
        ("AttemptFailed", 2, 6),
        ("AttemptStarted", 3, 10),
    ]
    failed = [e for e in attempts if isinstance(e, AttemptFailed)]
    assert [(str(e.error), e.delay) for e in failed] == [("broken", 4), ("broken", 4)]
    assert all(e.input == {"given": 1} for e in attempts if isinstance(e, AttemptStarted))


async def test_a_skipped_node_makes_no_attempt(autojump_clock: MockClock) -> None:
    events = await events_of('<source:stub id="a" if="false"/>')
    assert [type(e).__name__ for e in events] == [
        "RunStarted",
        "NodeStarted",
        "NodeEnded",
        "RunEnded",
    ]


async def test_a_wait_for_a_token_is_told_and_one_that_is_free_is_not(
    autojump_clock: MockClock,
) -> None:
    limiter = trio.CapacityLimiter(1)
    body = '<source:stub id="a" takes="3s"/><source:stub id="b" takes="1s" after="a"/>'
    assert told(await events_of(body, limiter=limiter), TokenAwaited, TokenTaken) == []
    events = await events_of(
        '<parallel id="p"><branch><source:stub id="a" takes="3s"/></branch>'
        '<branch><source:stub id="b" takes="3s"/></branch></parallel>',
        limiter=limiter,
    )
    began = events[0].time
    waits = told(events, TokenAwaited, TokenTaken)
    assert [(kind, time - began) for kind, _, time in waits] == [
        ("TokenAwaited", 0),
        ("TokenTaken", 3),
    ]
    assert waits[0][1] == waits[1][1]
    assert limiter.borrowed_tokens == 0


async def test_who_is_cancelled_while_it_waits_for_a_token_takes_none(
    autojump_clock: MockClock,
) -> None:
    limiter = trio.CapacityLimiter(1)
    limiter.acquire_on_behalf_of_nowait("another")
    with trio.move_on_after(2):  # virtual
        events: list[Event] = []
        await Stubs().run('<source:stub id="a"/>', limiter=limiter, observers=[events.append])
    assert told(events, TokenAwaited, TokenTaken, NodeEnded) == [
        ("TokenAwaited", "a", events[0].time),
        ("NodeEnded", "a", events[0].time + 2),
    ]
    assert limiter.borrowed_tokens == 1


CLEANED = """
<parallel id="p">
  <branch><source:stub id="a" takes="2s" fails="broken"/></branch>
  <branch><source:stub id="b" hangs="true" cleanup="slow"/></branch>
  <branch><source:shielded id="c"/></branch>
</parallel>
"""


async def test_a_cancelled_node_tells_when_that_was_requested_when_delivered_and_when_it_ended(
    autojump_clock: MockClock,
) -> None:
    stubs = Stubs()

    @stubs.registry.runtime("source:shielded")
    async def shielded(params: fs.ExecutionParams) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(5)  # virtual
        await trio.sleep(5)  # virtual

    events: list[Event] = []
    with pytest.raises(ValueError, match="broken"):
        await fs.run(stubs.load(CLEANED), observers=[events.append])
    began = events[0].time
    times = {}
    for event in events:
        if isinstance(event, NodeEnded) and event.result.status == "cancelled":
            cause = event.result.cancelled_by
            assert cause is not None
            assert cause.by == "p/0"
            assert event.delivered is not None
            times[event.path] = [
                time - began for time in (cause.requested, event.delivered, event.time)
            ]
    # The clean-up of b takes a second; c has shielded itself until 5.
    assert times == {"p/1/b": [2, 2, 3], "p/2/c": [2, 5, 5]}


async def test_what_was_delivered_of_a_timeout_that_was_caught_is_not_taken_for_a_later_cancellation(
    autojump_clock: MockClock,
) -> None:
    events = await events_of(
        '<parallel id="p"><branch><source:stub id="a" takes="9s" fails="broken"/></branch>'
        '<branch><loop id="l" max="9"><timeout id="t" duration="2s" on-timeout="later">'
        '<source:stub id="h" hangs="true"/></timeout></loop></branch></parallel>'
        '<source:stub id="later" takes="1s"/>'
    )
    began = events[0].time
    late = {
        event.path: (event.delivered - began, event.time - began)
        for event in events
        if isinstance(event, NodeEnded) and event.delivered is not None
    }
    assert late["p/1/l"] == (9, 9)


async def test_steps_are_looked_at_only_while_nodes_run_that_are_observed(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0
    look = DeliveryTimes.before_task_step

    def count_and_look(self: DeliveryTimes, task: trio.lowlevel.Task) -> None:
        nonlocal seen
        seen += 1
        look(self, task)

    monkeypatch.setattr(DeliveryTimes, "before_task_step", count_and_look)
    await Stubs().run('<source:stub id="a" takes="1s"/>')
    assert seen == 0
    await events_of('<source:stub id="a" takes="1s"/>')
    known = seen
    assert known > 0
    await trio.sleep(1)  # virtual
    assert seen == known
