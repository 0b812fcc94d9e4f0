from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.runtimes.types import ExecutionParams, NodeRuntime

FLOW = (
    '<workflow name="w"><if id="i" condition="true"><then>'
    '<source:number id="n" add="1"/></then></if></workflow>'
)


def numbers() -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:number")
    async def number(params: ExecutionParams) -> int:
        await trio.sleep(1)
        return int(params.config["add"])

    return registry


def run(registry: fs.Registry, text: str = FLOW) -> fs.Run:
    flow = fs.loads(text, registry=registry)
    return trio.run(fs.run, flow, clock=MockClock(autojump_threshold=0))


def test_a_wrap_is_around_every_call_of_every_runtime_the_last_one_outermost() -> None:
    seen: list[str] = []

    def noting(name: str) -> Any:
        async def around(runtime: NodeRuntime, params: ExecutionParams) -> Any:
            seen.append(f"{name} before {runtime.type}")
            try:
                return await runtime.execute(params)
            finally:
                seen.append(f"{name} after {params.node.id}")

        return around

    assert run(numbers().wrapped(noting("inner")).wrapped(noting("outer"))).output == 1
    assert seen == [
        "outer before control:if",
        "inner before control:if",
        "inner after i",
        "outer after i",
        "outer before source:number",
        "inner before source:number",
        "inner after n",
        "outer after n",
    ]


def test_a_wrap_may_answer_itself_or_ask_again() -> None:
    async def twice(runtime: NodeRuntime, params: ExecutionParams) -> Any:
        if runtime.type.startswith("control:"):
            return await runtime.execute(params)
        return await runtime.execute(params) + await runtime.execute(params)

    async def instead(runtime: NodeRuntime, params: ExecutionParams) -> Any:
        return 7 if runtime.type == "source:number" else await runtime.execute(params)

    done = run(numbers().wrapped(twice))
    assert (done.output, done.duration) == (2, 2.0)
    assert (run(numbers().wrapped(instead)).output, done.results["n"].attempts) == (7, 1)


def test_settings_are_checked_as_without_the_wrap() -> None:
    async def around(runtime: NodeRuntime, params: ExecutionParams) -> Any:
        return await runtime.execute(params)

    wrapped = fs.registry.wrapped(around)
    with pytest.raises(fs.WorkflowInvalid, match="urll"):
        fs.loads(
            '<workflow name="w"><source:http id="a" url="http://x.y" urll="z"/></workflow>',
            registry=wrapped,
        )
    assert wrapped.names() == fs.registry.names()


def test_what_is_registered_in_the_wrapped_registry_is_not_wrapped() -> None:
    seen: list[str] = []

    async def around(runtime: NodeRuntime, params: ExecutionParams) -> Any:
        seen.append(runtime.type)
        return await runtime.execute(params)

    wrapped = numbers().wrapped(around)

    @wrapped.runtime("source:bare")
    async def bare(params: ExecutionParams) -> int:
        return 3

    assert run(wrapped, '<workflow name="w"><source:bare id="b"/></workflow>').output == 3
    assert seen == []


def test_cancellation_reaches_what_is_around_and_the_runtime_inside() -> None:
    unwound: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:waits")
    async def waits(params: ExecutionParams) -> None:
        try:
            await trio.sleep_forever()
        finally:
            unwound.append("inside")

    async def around(runtime: NodeRuntime, params: ExecutionParams) -> Any:
        try:
            return await runtime.execute(params)
        finally:
            unwound.append("around")

    flow = fs.loads(
        '<workflow name="w"><source:waits id="a" timeout="2s"/></workflow>',
        registry=registry.wrapped(around),
    )
    with pytest.raises(trio.TooSlowError):
        trio.run(fs.run, flow, clock=MockClock(autojump_threshold=0))
    assert unwound == ["inside", "around"]
