"""Owns the tests that no warning on a record shows a secret, whoever it comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.events import NodeEnded

SECRET = "do-not-tell-2471"
FLOW = """<workflow name="w"><secret name="KEY"/>
  <source:act id="a" key="{{$secrets.KEY}}"/></workflow>"""


def registry_of(act: Any) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:act")(act)
    return registry


def said_in(record: fs.Record) -> str:
    said = "\n".join(warned.message for warned in record.warnings)
    assert SECRET not in said
    assert "***" in said
    return said


async def test_the_key_of_a_resource_that_is_given_up_is_masked(autojump_clock: Any) -> None:
    @asynccontextmanager
    async def slow() -> AsyncIterator[int]:
        yield 1
        await trio.sleep(3600)

    async def act(params: fs.ExecutionParams) -> int:
        return await params.run.resource(f"login {params.config['key']}", slow)

    flow = fs.loads(FLOW, registry=registry_of(act))
    run = await fs.run(flow, secrets={"KEY": SECRET})
    assert "closing the resource" in said_in(run.record)


async def test_what_a_second_observer_raises_is_masked() -> None:
    async def act(params: fs.ExecutionParams) -> int:
        return 1

    def fails(event: Any) -> None:
        if isinstance(event, NodeEnded):
            raise ValueError(SECRET)

    def fails_too(event: Any) -> None:
        fails(event)

    flow = fs.loads(FLOW, registry=registry_of(act))
    with pytest.raises(ValueError, match=r"\*\*\*") as caught:
        await fs.run(flow, secrets={"KEY": SECRET}, observers=[fails, fails_too])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert "an observer raised" in said_in(failure.record)


async def test_what_an_observer_raises_beside_an_error_is_masked() -> None:
    async def act(params: fs.ExecutionParams) -> int:
        raise KeyError("gone")

    def fails(event: Any) -> None:
        if isinstance(event, NodeEnded):
            raise ValueError(SECRET)

    flow = fs.loads(FLOW, registry=registry_of(act))
    with pytest.raises(KeyError, match="gone") as caught:
        await fs.run(flow, secrets={"KEY": SECRET}, observers=[fails])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert "an observer raised" in said_in(failure.record)


def test_warnings_come_to_the_record_at_one_place() -> None:
    sources = Path(fs.__file__).parent
    makers = [
        path.relative_to(sources).as_posix()
        for path in sources.rglob("*.py")
        if "Warned(" in path.read_text(encoding="utf-8")
    ]
    assert makers == ["execution/record.py"]
