"""Owns the test of the example with an approval: answers, no answer in time, and a question that is taken back."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import flowscript_trio as fs

from exampling import EXAMPLES, program

FLOW = fs.load(EXAMPLES / "approval" / "approval.xml")
PROMPT = "Release 1.2: 3 fixes?"


@pytest.mark.parametrize(
    ("action", "outcome"),
    [("approve", "1.2 was released by Ada"), ("later", "put off"), ("reject", "rejected")],
)
async def test_what_is_answered_decides(action: str, outcome: str) -> None:
    example = program("approval")
    desk = example.Desk()
    outcomes = []

    async def release() -> None:
        outcomes.append(await example.release(FLOW, desk, "1.2"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(release)
        await wait_all_tasks_blocked()
        assert list(desk.questions) == [PROMPT]
        await desk.answer(PROMPT, action, "Ada")
    assert outcomes == [outcome]
    assert desk.questions == {}


async def test_where_nobody_answers_for_an_hour_it_is_rejected(autojump_clock: MockClock) -> None:
    example = program("approval")
    desk = example.Desk()
    assert await example.release(FLOW, desk, "1.2") == "nobody answered"
    assert trio.current_time() == 3600
    assert desk.questions == {}


async def test_a_run_that_is_cancelled_takes_its_question_back() -> None:
    example = program("approval")
    desk = example.Desk()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(example.release, FLOW, desk, "1.2")
        await wait_all_tasks_blocked()
        assert list(desk.questions) == [PROMPT]
        nursery.cancel_scope.cancel()
    assert desk.questions == {}
