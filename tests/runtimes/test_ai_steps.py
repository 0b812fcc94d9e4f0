"""Owns the tests of how long an answer is judged on trio's thread."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import trio
from trio.testing import Sequencer

from flowscript_trio.runtimes.ai import steps
from flowscript_trio.runtimes.ai.answering import judge
from flowscript_trio.runtimes.ai.schema import OutputSchema
from flowscript_trio.runtimes.ai.steps import HERE, run_in_steps, step

DEEP = {"$defs": {"d0": {"type": "string"}}, "anyOf": [{"$ref": "#/$defs/d12"}]}
for number in range(12):
    inner = {"$ref": f"#/$defs/d{number}"}
    DEEP["$defs"][f"d{number + 1}"] = {"anyOf": [inner, inner, inner]}  # type: ignore[index]

LONG = [
    ("{a: number[]}", {"a": [1] * HERE}),
    ({"type": "object", "properties": {"a": {"items": {"type": "number"}}}}, {"a": [1] * HERE}),
    ({"type": "array", "items": {"minimum": 0}}, [1] * HERE),
    ({"type": "array", "contains": {"type": "string"}}, [*[1] * HERE, "x"]),
    (
        {"type": "object", "propertyNames": {"pattern": "^a"}},
        {f"a{number}": 1 for number in range(HERE)},
    ),
    pytest.param(DEEP, 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("schema", "value"), LONG)
async def test_an_answer_of_many_steps_is_judged_in_a_thread(schema: Any, value: Any) -> None:
    threads: set[int] = set()
    output = OutputSchema(schema)

    def work() -> tuple[Any, list[str]]:
        threads.add(threading.get_ident())
        return judge(json.dumps(value), output)

    _, problems = await run_in_steps(work)
    assert len(threads) == 2, "it was begun here, and ended in a thread"
    assert bool(problems) == (schema is DEEP)


async def test_a_short_answer_is_judged_without_a_thread() -> None:
    here = threading.get_ident()
    assert await run_in_steps(threading.get_ident) == here
    output = OutputSchema({"type": "array", "items": {"type": "number"}})
    seen: list[int] = []

    def work() -> list[str]:
        seen.append(threading.get_ident())
        return output.problems([1, "x"])

    assert len(await run_in_steps(work)) == 1
    assert seen == [here]


async def test_the_judging_in_a_thread_ends_when_it_is_cancelled() -> None:
    ended = threading.Event()
    begun = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def endless() -> None:
        if steps._steps.asks:
            token.run_sync_soon(begun.set)
        try:
            while True:
                step()
        finally:
            if steps._steps.asks:
                ended.set()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_in_steps, endless)
            await begun.wait()
            assert not ended.is_set()
            nursery.cancel_scope.cancel()
    assert ended.is_set()


async def test_two_answers_at_once_count_for_themselves() -> None:
    order = Sequencer()

    async def judged(place: int) -> None:
        async with order(place):
            pass
        assert await run_in_steps(lambda: [step() for _ in range(HERE)]) == [None] * HERE

    async with trio.open_nursery() as nursery:
        for place in range(3):
            nursery.start_soon(judged, place)


async def test_an_error_comes_out_as_it_is_and_bounds_nothing_afterwards() -> None:
    def fail() -> None:
        for _ in range(HERE + 1):
            step()
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await run_in_steps(fail)
    for _ in range(3 * HERE):
        step()
