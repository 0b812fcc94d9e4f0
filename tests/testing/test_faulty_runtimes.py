"""Owns the tests of what proofs say of runtimes: what is wrong is found, what is sound is not accused."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import Report, prove

from stubs import Stubs

pytestmark = pytest.mark.slow

LOCK = trio.Lock()
SEMAPHORE = trio.Semaphore(1)
LIMITER = trio.CapacityLimiter(1)

TWO = """<parallel id="p">
  <branch><source:tried id="x"/></branch>
  <branch><delay id="d" duration="2s"/><source:stub id="y" takes="1s"/></branch>
</parallel>"""


def proved(runtime: Any, text: str = TWO, **options: Any) -> Report:
    stubs = Stubs()
    stubs.registry.runtime("source:tried")(runtime)
    stubs.registry.runtime("source:innocent")(innocent)
    return prove(stubs.load(text), **{"pairs": 20, **options})


async def innocent(params: fs.ExecutionParams) -> int:
    async with LIMITER, LOCK, SEMAPHORE:
        await trio.sleep(1)
    return 1


async def swallow_around_a_nursery(params: fs.ExecutionParams) -> int:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            nursery.start_soon(trio.sleep, 2)
    except* trio.Cancelled:  # the fault
        pass
    return 1


async def swallow_in_a_task(params: fs.ExecutionParams) -> int:
    async def work() -> None:
        with contextlib.suppress(BaseException):  # the fault
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
    return 1


async def swallow_and_wait_again(params: fs.ExecutionParams) -> None:
    with contextlib.suppress(BaseException):  # the fault
        await trio.sleep(1)
    await trio.sleep(1)


async def keep_a_lock(params: fs.ExecutionParams) -> None:
    await LOCK.acquire()
    await trio.sleep(1)
    LOCK.release()  # the fault: no `finally`


async def keep_a_semaphore(params: fs.ExecutionParams) -> None:
    await SEMAPHORE.acquire()
    await trio.sleep(1)
    SEMAPHORE.release()  # the fault: no `finally`


async def keep_a_token_of_nobody(params: fs.ExecutionParams) -> None:
    token = object()
    await LIMITER.acquire_on_behalf_of(token)
    await trio.sleep(1)
    LIMITER.release_on_behalf_of(token)  # the fault: no `finally`


FAULTS = [
    (swallow_around_a_nursery, "nobody swallows cancelled"),
    (swallow_in_a_task, "nobody swallows cancelled"),
    (swallow_and_wait_again, "nobody swallows cancelled"),
    (keep_a_lock, "tokens come back"),
    (keep_a_semaphore, "tokens come back"),
    (keep_a_token_of_nobody, "tokens come back"),
]


@pytest.fixture(autouse=True)
def _nothing_is_left_for_later() -> Iterator[None]:
    yield
    assert not LOCK.locked()
    assert SEMAPHORE.value == 1
    assert LIMITER.borrowed_tokens == 0


@pytest.mark.parametrize(("fault", "promise"), FAULTS, ids=[f.__name__ for f, _ in FAULTS])
def test_a_fault_is_found_and_nobody_else_is_accused(fault: Any, promise: str) -> None:
    text = TWO.replace("source:stub", "source:innocent")
    report = proved(fault, text)
    assert promise in {violation.promise for violation in report.violations}, report.render()
    assert {violation.subject for violation in report.violations} == {"x"}, report.render()
    assert "source:tried ('x')" in report.violations[0].message


async def commit_in_a_nursery(params: fs.ExecutionParams) -> str:
    async def commit() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(commit)
    return "committed"


async def beat_while_it_commits(params: fs.ExecutionParams) -> str:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        nursery.cancel_scope.cancel()
    return "committed"


async def wait_in_clean_up(params: fs.ExecutionParams) -> None:
    async def lines() -> AsyncIterator[int]:
        try:
            await trio.sleep(1)
            yield 1
        finally:
            await trio.lowlevel.checkpoint()

    try:
        async with contextlib.aclosing(lines()) as found:  # type: ignore[type-var]
            async for _ in found:
                await trio.sleep(1)
    finally:
        await trio.lowlevel.checkpoint()


async def race_in_a_nursery(params: fs.ExecutionParams) -> int:
    async def first() -> None:
        await trio.sleep(1)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        nursery.start_soon(trio.sleep, 5)
    return 1


async def give_up_after_a_while(params: fs.ExecutionParams) -> int:
    for seconds in (1, 2, 3):
        with trio.move_on_after(seconds):
            await trio.sleep(5)
    return 1


class Opaque:
    """Equal to nothing but itself."""


async def give_objects(params: fs.ExecutionParams) -> list[Opaque]:
    await trio.sleep(1)
    return [Opaque()]


async def give_a_stream(params: fs.ExecutionParams) -> io.BytesIO:
    await trio.sleep(1)
    return io.BytesIO(b"text")


async def give_an_iterator(params: fs.ExecutionParams) -> Iterator[int]:
    await trio.sleep(1)
    return iter([1, 2, 3])


async def raise_too_slow(params: fs.ExecutionParams) -> None:
    with trio.fail_after(1):
        await trio.sleep(2)


SOUND = [
    commit_in_a_nursery,
    beat_while_it_commits,
    wait_in_clean_up,
    race_in_a_nursery,
    give_up_after_a_while,
    give_objects,
    give_a_stream,
    give_an_iterator,
    raise_too_slow,
]


@pytest.mark.parametrize("runtime", SOUND, ids=[runtime.__name__ for runtime in SOUND])
def test_what_is_sound_is_not_accused(runtime: Any) -> None:
    report = proved(runtime)
    assert report.holds, report.render()


@pytest.mark.parametrize("runtime", [give_objects, give_a_stream, give_an_iterator])
def test_outputs_that_cannot_be_compared_are_said_to_be_unchecked(runtime: Any) -> None:
    report = proved(runtime, pairs=0)
    assert report.unchecked == ("source:tried ('x')",)
    assert "not checked for later changes: the outputs of source:tried ('x')" in report.render()
    assert report.as_dict()["unchecked"] == ["source:tried ('x')"]


async def answer_every_error(params: fs.ExecutionParams) -> int:
    try:
        await trio.sleep(1)
    except Exception:
        return 2
    return 1


def test_what_is_meant_can_be_accepted_and_is_told_apart() -> None:
    report = proved(answer_every_error)
    assert [(v.promise, v.subject) for v in report.violations] == [("no error is lost", "x")]
    report = proved(answer_every_error, accept=[("no error is lost", "x")])
    assert report.holds
    assert [violation.subject for violation in report.accepted] == ["x"]
    assert "accepted: no error is lost: source:tried ('x') caught an error" in report.render()


def test_a_proof_is_not_begun_inside_of_a_trio_program() -> None:
    async def main() -> None:
        prove(Stubs().load('<source:stub id="a"/>'))

    with pytest.raises(RuntimeError, match="starts trio itself"):
        trio.run(main)


def test_a_registry_among_the_options_is_proved_as_well() -> None:
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:stub")(swallow_and_wait_again)
    flow = Stubs().load('<source:stub id="a" takes="1s"/>')
    report = prove(flow, options={"registry": registry}, pairs=0)
    assert "nobody swallows cancelled" in {violation.promise for violation in report.violations}
    with pytest.raises(ValueError, match="one registry"):
        prove(flow, options={"registry": registry}, registry=fs.registry)
    with pytest.raises(ValueError, match="one registry"):
        prove(flow, options=lambda: {"registry": registry})


@pytest.mark.parametrize("block", ["parallel", "foreach"])
def test_a_block_that_is_tried_again_is_not_accused(block: str) -> None:
    attempts = iter(range(10**9))

    async def fail_first(params: fs.ExecutionParams) -> int:
        await trio.sleep(1)
        if next(attempts) % 2 == 0:
            raise ValueError("the first time")
        return 1

    again = '<on-error><retry max="3" when="true" base="1s" jitter="none"/></on-error>'
    body = '<source:tried id="x"/>'
    if block == "parallel":
        tidy = '<finally><source:stub id="tidy" takes="1s"/></finally>'
        text = f'<parallel id="p"><branch>{body}{tidy}</branch>{again}</parallel>'
    else:
        text = f'<foreach id="f" collection="[1]">{body}{again}</foreach>'
    found = {violation.promise for violation in proved(fail_first, text).violations}
    assert found <= {
        "the same seed gives the same events"
    }  # the runtime's own counter sees to that
