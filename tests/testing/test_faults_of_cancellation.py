"""Owns the tests of the faults around cancellation that a proof finds in runtimes, each in several forms."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any

import anyio
import pytest
import trio

import flowscript_trio as fs

from planting import Fault, found_in

pytestmark = pytest.mark.slow

LOCK = trio.Lock()
STORED: dict[str, BaseException] = {}


@pytest.fixture(autouse=True)
def _nothing_is_stored() -> Iterator[None]:
    STORED.clear()
    yield
    STORED.clear()


class OtherError(Exception):
    """What is raised in the place of Cancelled."""


async def replace(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except BaseException:  # the fault
        raise OtherError("stopped") from None


async def replace_with_a_cause(params: fs.ExecutionParams) -> None:
    def fail(exc: BaseException) -> None:
        raise OtherError("stopped") from exc

    try:
        await trio.sleep(1)
    except BaseException as exc:  # the fault
        fail(exc)


async def replace_with_a_group(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except BaseException:  # the fault
        raise ExceptionGroup("stopped", [OtherError("stopped")]) from None


async def replace_with_a_nested_group(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except trio.Cancelled:  # the fault
        inner = ExceptionGroup("inner", [OtherError("stopped"), ValueError("as well")])
        raise BaseExceptionGroup("outer", [inner, OtherError("stopped")]) from None


async def replace_with_a_group_with_a_cause(params: fs.ExecutionParams) -> None:
    def fail(exc: BaseException) -> None:
        raise ExceptionGroup("stopped", [OtherError("stopped")]) from exc

    try:
        await trio.sleep(1)
    except BaseException as exc:  # the fault
        fail(exc)


async def replace_with_a_group_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(replace_with_a_group, params)


async def replace_the_group_of_a_nursery(params: fs.ExecutionParams) -> None:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
    except BaseException:  # the fault
        raise OtherError("stopped") from None


async def replace_the_group_of_a_task_group_by_its_cause(params: fs.ExecutionParams) -> None:
    def fail(exc: BaseException) -> None:
        raise OtherError("stopped") from exc

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 1)
    except BaseException as exc:  # the fault
        fail(exc)


async def replace_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(replace, params)


async def replace_in_a_context_manager(params: fs.ExecutionParams) -> None:
    @contextmanager
    def translated() -> Iterator[None]:
        try:
            yield
        except BaseException:  # the fault
            raise OtherError("stopped") from None

    with translated():
        await trio.sleep(1)


async def replace_on_the_way_out(params: fs.ExecutionParams) -> None:
    class Translated:
        def __enter__(self) -> None:
            pass

        def __exit__(
            self,
            kind: type[BaseException] | None,
            exc: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            if exc is not None:  # the fault
                raise OtherError("stopped")

    with Translated():
        await trio.sleep(1)


async def swallow_and_fail_later(params: fs.ExecutionParams) -> None:
    failed = False
    try:
        await trio.sleep(1)
    except BaseException:  # the fault
        failed = True
    if failed:
        raise OtherError("stopped")


async def close_two_things_in_turn(params: fs.ExecutionParams) -> None:
    first, second = trio.open_memory_channel[int](0)
    try:
        await trio.sleep(1)
    finally:
        await first.aclose()
        await second.aclose()  # the fault: it is not reached


async def reach_a_checkpoint_before_the_end_of_clean_up(params: fs.ExecutionParams) -> None:
    first, second = trio.open_memory_channel[int](0)
    try:
        await trio.sleep(1)
    except BaseException:
        if params.node is not None:
            await trio.lowlevel.checkpoint()
        first.close()  # the fault: it is not reached
        second.close()
        raise


async def clean_up_unshielded(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    finally:
        await trio.sleep(1)  # the fault


async def clean_up_within_an_unshielded_limit(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except trio.Cancelled:
        with trio.move_on_after(5):  # the fault: no shield
            await trio.sleep(1)
        raise


async def clean_up_unshielded_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clean_up_unshielded, params)


async def clean_up_unshielded_in_a_context_manager(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        try:
            yield
        finally:
            async with LOCK:  # the fault
                pass

    async with session():
        await trio.sleep(1)


async def clean_up_unshielded_in_a_generator(params: fs.ExecutionParams) -> None:
    async def lines() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await trio.sleep(1)  # the fault

    async with contextlib.aclosing(lines()) as found:  # type: ignore[type-var]
        async for _ in found:
            await trio.sleep(1)


async def clean_up_for_an_hour(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    finally:
        with trio.CancelScope(shield=True):  # the fault: no limit
            await trio.sleep(3600)


async def clean_up_for_an_hour_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clean_up_for_an_hour, params)


async def clean_up_for_an_hour_in_a_context_manager(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        try:
            yield
        finally:
            with trio.move_on_after(3600, shield=True):  # the fault: too long
                await trio.sleep_forever()

    async with session():
        await trio.sleep(1)


async def clean_up_for_ever(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except trio.Cancelled:
        with trio.CancelScope(shield=True):  # the fault: what if nobody sets it?
            await trio.Event().wait()
        raise


async def clean_up_for_ever_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clean_up_for_ever, params)


async def work_for_ever_under_a_shield(params: fs.ExecutionParams) -> None:
    await trio.sleep(1)
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def work_for_an_hour_under_a_shield(params: fs.ExecutionParams) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(3600)


async def poll_for_cancellation(params: fs.ExecutionParams) -> int:
    done = 0
    while done < 3 and trio.current_effective_deadline() > trio.current_time():  # the fault
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        done += 1
    return done


async def poll_for_cancellation_in_a_task(params: fs.ExecutionParams) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(poll_for_cancellation, params)
    return 1


async def poll_for_a_deadline_that_is_kept(params: fs.ExecutionParams) -> int:
    deadline = trio.current_effective_deadline()
    done = 0
    while done < 3 and trio.current_time() < deadline:  # the fault
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        done += 1
    return done


async def raise_what_was_stored(params: fs.ExecutionParams) -> int:
    if "failed" in STORED:
        raise STORED["failed"]  # the fault: it may be Cancelled
    try:
        await trio.sleep(1)
    except BaseException as exc:
        STORED["failed"] = exc
        raise
    return 1


async def raise_what_was_stored_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(raise_what_was_stored, params)


async def raise_what_was_stored_in_a_nursery(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 1)
        await raise_what_was_stored(params)


async def swallow_in_a_generator(params: fs.ExecutionParams) -> int:
    async def lines() -> AsyncIterator[int]:
        for number in range(3):
            with contextlib.suppress(BaseException):  # the fault
                await trio.sleep(1)
            yield number

    async with contextlib.aclosing(lines()) as found:  # type: ignore[type-var]
        return len([number async for number in found])


async def swallow_in_a_generator_of_a_task(params: fs.ExecutionParams) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(swallow_in_a_generator, params)
    return 1


async def swallow_at_the_yield(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        with contextlib.suppress(BaseException):  # the fault
            yield

    async with session():
        await trio.sleep(1)


def holding(manager: Any) -> Fault:
    """A runtime whose generator stands in ``async with`` or ``with`` at its yield."""

    async def lines() -> AsyncIterator[int]:
        made = manager()
        if hasattr(made, "__aenter__"):
            async with made:
                yield 1
        else:
            with made:
                yield 1

    async def hold(params: fs.ExecutionParams) -> None:
        async with contextlib.aclosing(lines()) as found:  # type: ignore[type-var]
            async for _ in found:
                await trio.sleep(1)

    return hold


async def hold_a_lock_by_hand(params: fs.ExecutionParams) -> None:
    async def lines() -> AsyncIterator[int]:
        await LOCK.acquire()
        try:
            yield 1
        finally:
            LOCK.release()

    async with contextlib.aclosing(lines()) as found:  # type: ignore[type-var]
        async for _ in found:
            await trio.sleep(1)


async def hold_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holding(trio.open_nursery), params)


async def give_a_stream_that_swallows(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        for number in range(3):
            with contextlib.suppress(BaseException):  # the fault
                await trio.sleep(1)
            yield number

    return lines()


async def give_a_stream_that_ends_when_cancelled(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        with contextlib.suppress(BaseException):  # the fault
            yield 1
            await trio.sleep(1)

    return lines()


async def give_a_stream_that_replaces(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        yield 1
        await replace(params)

    return lines()


async def give_a_stream_with_unshielded_clean_up(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        yield 1
        await clean_up_unshielded(params)

    return lines()


async def give_a_stream_that_holds(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        async with LOCK:
            yield 1

    return lines()


async def give_a_sound_stream(params: fs.ExecutionParams) -> AsyncIterator[int]:
    async def lines() -> AsyncIterator[int]:
        try:
            for number in range(2):
                await trio.sleep(1)
                yield number
        finally:
            with trio.move_on_after(5, shield=True):
                await trio.sleep(1)

    return lines()


REPLACED = "cancelled is not replaced"
CUT = "clean up is not cut short"
HELD_UP = "nobody holds up a cancellation"
LATE = "what comes too late is no success"
STRAY = "no stored cancelled is raised again"
SWALLOWED = "nobody swallows cancelled"
YIELDS = "nothing is held across a yield"

FAULTS: list[tuple[str, Fault, str, str]] = [
    ("replace", replace, REPLACED, "let it pass"),
    ("replace with a cause", replace_with_a_cause, REPLACED, "let it pass"),
    ("replace in a task", replace_in_a_task, REPLACED, "let it pass"),
    ("replace with a group", replace_with_a_group, REPLACED, "let it pass"),
    ("replace with a nested group", replace_with_a_nested_group, REPLACED, "let it pass"),
    ("replace with a caused group", replace_with_a_group_with_a_cause, REPLACED, "let it pass"),
    ("replace with a group in a task", replace_with_a_group_in_a_task, REPLACED, "let it pass"),
    ("replace a nursery's group", replace_the_group_of_a_nursery, REPLACED, "let it pass"),
    (
        "replace a task group's group",
        replace_the_group_of_a_task_group_by_its_cause,
        REPLACED,
        "let it pass",
    ),
    ("replace in a context manager", replace_in_a_context_manager, REPLACED, "let it pass"),
    ("replace on the way out", replace_on_the_way_out, REPLACED, "let it pass"),
    ("swallow and fail", swallow_and_fail_later, SWALLOWED, "let it pass"),
    ("close in turn", close_two_things_in_turn, CUT, "shield=True"),
    ("a checkpoint before the end", reach_a_checkpoint_before_the_end_of_clean_up, CUT, "shield"),
    ("unshielded", clean_up_unshielded, CUT, "shield=True"),
    ("unshielded limit", clean_up_within_an_unshielded_limit, CUT, "shield=True"),
    ("unshielded in a task", clean_up_unshielded_in_a_task, CUT, "shield=True"),
    ("unshielded in a manager", clean_up_unshielded_in_a_context_manager, CUT, "shield=True"),
    ("unshielded in a generator", clean_up_unshielded_in_a_generator, CUT, "shield=True"),
    ("an hour", clean_up_for_an_hour, HELD_UP, "bound what is shielded"),
    ("an hour in a task", clean_up_for_an_hour_in_a_task, HELD_UP, "bound what is shielded"),
    ("an hour in a manager", clean_up_for_an_hour_in_a_context_manager, HELD_UP, "bound what is"),
    ("an hour of work", work_for_an_hour_under_a_shield, HELD_UP, "bound what is shielded"),
    ("poll", poll_for_cancellation, LATE, "do not poll"),
    ("poll in a task", poll_for_cancellation_in_a_task, LATE, "do not poll"),
    ("poll a deadline", poll_for_a_deadline_that_is_kept, LATE, "do not poll"),
    ("stored", raise_what_was_stored, STRAY, "do the work again"),
    ("stored in a task", raise_what_was_stored_in_a_task, STRAY, "do the work again"),
    ("stored in a nursery", raise_what_was_stored_in_a_nursery, STRAY, "do the work again"),
    ("swallow in a generator", swallow_in_a_generator, SWALLOWED, "let it pass"),
    ("swallow in a generator of a task", swallow_in_a_generator_of_a_task, SWALLOWED, "let it"),
    ("swallow at the yield", swallow_at_the_yield, SWALLOWED, "let it pass"),
    ("hold a nursery", holding(trio.open_nursery), YIELDS, "before each yield"),
    ("hold a task group", holding(anyio.create_task_group), YIELDS, "before each yield"),
    ("hold a lock", holding(lambda: LOCK), YIELDS, "before each yield"),
    ("hold a scope", holding(lambda: trio.move_on_after(9)), YIELDS, "before each yield"),
    ("hold a limit", holding(lambda: trio.fail_after(9)), YIELDS, "before each yield"),
    ("hold a lock by hand", hold_a_lock_by_hand, YIELDS, "before each yield"),
    ("hold in a task", hold_in_a_task, YIELDS, "before each yield"),
]


@pytest.mark.parametrize(
    ("fault", "promise", "advice"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_fault_is_found_under_its_own_promise_and_nobody_else_is_accused(
    fault: Fault, promise: str, advice: str
) -> None:
    report = found_in(fault)
    found = [violation for violation in report.violations if violation.promise == promise]
    assert found, report.render()
    assert {violation.subject for violation in report.violations} == {"x"}, report.render()
    assert "source:tried ('x')" in found[0].message
    assert advice in found[0].message


@pytest.mark.parametrize("crash", [False, True], ids=["disturbed", "crashed"])
@pytest.mark.parametrize(
    "fault", [clean_up_for_ever, clean_up_for_ever_in_a_task, work_for_ever_under_a_shield]
)
def test_a_wait_under_a_shield_that_never_ends_is_found_and_does_not_hold_up_the_proof(
    fault: Fault, crash: bool
) -> None:
    report = found_in(fault, crash=crash)
    if crash:  # a dead process cleans nothing up, and is not waited for
        assert report.holds == (fault is not work_for_ever_under_a_shield), report.render()
        return
    assert {(each.promise, each.subject) for each in report.violations} == {
        ("every run ends", "p/0/x")
    }, report.render()
    assert "waits without end although it is cancelled" in report.violations[0].message
    assert "shield=True" in report.violations[0].message


async def abandon_a_generator_over_a_nursery(params: fs.ExecutionParams) -> None:
    async def lines() -> AsyncIterator[int]:
        async with trio.open_nursery() as nursery:  # the fault: trio closes it in another task
            nursery.start_soon(trio.sleep, 1)
            yield 1

    async for _ in lines():
        await trio.sleep(1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_generator_that_can_never_be_closed_does_not_hold_up_the_proof() -> None:
    report = found_in(abandon_a_generator_over_a_nursery)
    assert YIELDS in {violation.promise for violation in report.violations}, report.render()
    assert {violation.subject for violation in report.violations} == {"x"}, report.render()


STREAMS: list[tuple[Fault, str]] = [
    (give_a_stream_that_swallows, SWALLOWED),
    (give_a_stream_that_ends_when_cancelled, SWALLOWED),
    (give_a_stream_that_replaces, REPLACED),
    (give_a_stream_with_unshielded_clean_up, CUT),
    (give_a_stream_that_holds, YIELDS),
]
OVER_A_STREAM = """<source:tried id="x"/>
<foreach id="f" collection="x"><source:innocent id="y"/></foreach>"""


@pytest.mark.parametrize(("fault", "promise"), STREAMS, ids=[f.__name__ for f, _ in STREAMS])
def test_a_fault_of_a_generator_that_the_engine_walks_is_that_of_the_node_that_gave_it(
    fault: Fault, promise: str
) -> None:
    report = found_in(fault, OVER_A_STREAM)
    assert promise in {violation.promise for violation in report.violations}, report.render()
    assert {violation.subject for violation in report.violations} == {"x"}, report.render()


def test_a_sound_generator_that_the_engine_walks_is_not_accused() -> None:
    report = found_in(give_a_sound_stream, OVER_A_STREAM)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"


def test_a_cut_clean_up_is_told_with_its_place() -> None:
    report = found_in(clean_up_unshielded)
    (found,) = [violation for violation in report.violations if violation.promise == CUT]
    assert "clean_up_unshielded (test_faults_of_cancellation.py, line " in found.message
