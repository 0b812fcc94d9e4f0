"""Owns the tests of what runtimes leave behind: each kind is found in several forms, and whose it is."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import handle
from flowscript_trio.testing import Report, prove

from planting import Fault, found_in

pytestmark = pytest.mark.slow

SEMAPHORE = trio.Semaphore(2)
TENANT: ContextVar[str] = ContextVar("TENANT", default="nobody")
KEPT: list[Any] = []
THREADS: list[tuple[threading.Event, threading.Thread]] = []
STOPS: list[threading.Event] = []


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    for kept in KEPT:
        kept.close()
    KEPT.clear()
    for stop, thread in THREADS:
        stop.set()
        thread.join()
    THREADS.clear()
    for each in STOPS:
        each.set()
    STOPS.clear()
    assert SEMAPHORE.value == 2


async def release_twice(params: fs.ExecutionParams) -> None:
    await SEMAPHORE.acquire()
    try:
        await trio.sleep(1)
    finally:
        SEMAPHORE.release()
        SEMAPHORE.release()  # the fault


async def release_in_and_after_a_block(params: fs.ExecutionParams) -> None:
    async with SEMAPHORE:
        await trio.sleep(1)
        SEMAPHORE.release()  # the fault: the block does it


async def release_twice_in_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(release_twice, params)


async def release_what_was_not_acquired(params: fs.ExecutionParams) -> None:
    try:
        await SEMAPHORE.acquire()
        await trio.sleep(1)
        raise ValueError("broken")
    except ValueError:
        SEMAPHORE.release()
    finally:
        SEMAPHORE.release()  # the fault


async def release_a_shared_one_twice(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", lambda: trio.Semaphore(2))
    async with shared:
        await trio.sleep(1)
        shared.release()  # the fault: the block does it


async def release_one_of_anyio_twice(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", lambda: anyio.Semaphore(2))
    async with shared:
        await trio.sleep(1)
        shared.release()  # the fault: the block does it


async def keep_a_shared_semaphore(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", lambda: trio.Semaphore(5))
    await shared.acquire()
    await trio.sleep(1)
    shared.release()  # the fault: no `finally`


async def keep_a_shared_lock(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", trio.Lock)
    await shared.acquire()
    await trio.sleep(1)
    shared.release()  # the fault: no `finally`


async def keep_a_shared_condition(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", trio.Condition)
    await shared.acquire()
    await trio.sleep(1)
    shared.release()  # the fault: no `finally`


async def keep_a_shared_lock_of_anyio(params: fs.ExecutionParams) -> None:
    shared = await params.run.resource("shared", anyio.Lock)
    await shared.acquire()
    await trio.sleep(1)
    shared.release()  # the fault: no `finally`


async def set_a_variable(params: fs.ExecutionParams) -> None:
    TENANT.set("somebody")  # the fault
    await trio.sleep(1)


async def reset_a_variable_unless_interrupted(params: fs.ExecutionParams) -> None:
    token = TENANT.set("somebody")
    await trio.sleep(1)
    TENANT.reset(token)  # the fault: no `finally`


async def set_a_variable_in_a_context_manager(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        TENANT.set("somebody")  # the fault
        yield

    async with session():
        await trio.sleep(1)


async def leave_a_socket(params: fs.ExecutionParams) -> None:
    KEPT.append(socket.socket())  # the fault
    await trio.sleep(1)


async def leave_a_socket_to_the_collector(params: fs.ExecutionParams) -> None:
    found = socket.socket()  # the fault
    found.settimeout(1)
    await trio.sleep(1)


async def leave_a_socket_of_a_cycle(params: fs.ExecutionParams) -> None:
    found: list[Any] = [socket.socket()]  # the fault
    found.append(found)
    await trio.sleep(1)


async def close_a_socket_unless_interrupted(params: fs.ExecutionParams) -> None:
    found = socket.socket()
    KEPT.append(found)
    await trio.sleep(1)
    found.close()  # the fault: no `finally`


async def leave_a_socket_of_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_a_socket, params)


async def leave_a_file(params: fs.ExecutionParams) -> None:
    KEPT.append(open(__file__))  # noqa: ASYNC230, SIM115
    await trio.sleep(1)


async def leave_a_file_of_a_context_manager(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        found = open(__file__)  # noqa: ASYNC230, SIM115
        yield found
        found.close()  # the fault: no `finally`

    async with opened():
        await trio.sleep(1)


async def leave_a_file_of_a_thread(params: fs.ExecutionParams) -> None:
    KEPT.append(await trio.to_thread.run_sync(open, __file__))  # the fault
    await trio.lowlevel.checkpoint()


async def leave_a_file_of_a_thread_of_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_a_file_of_a_thread, params)


async def leave_a_pipe(params: fs.ExecutionParams) -> None:
    for end in os.pipe():
        KEPT.append(os.fdopen(end, "rb" if len(KEPT) % 2 == 0 else "wb"))
    await trio.sleep(1)


async def leave_a_temporary_file(params: fs.ExecutionParams) -> None:
    descriptor, _ = tempfile.mkstemp()  # the fault: it is never removed
    os.close(descriptor)
    await trio.sleep(1)


async def remove_a_temporary_file_unless_interrupted(params: fs.ExecutionParams) -> None:
    with tempfile.NamedTemporaryFile(delete=False) as found:
        await trio.sleep(1)
    os.unlink(found.name)  # the fault: no `finally`


async def leave_a_temporary_folder_of_a_thread(params: fs.ExecutionParams) -> None:
    await trio.to_thread.run_sync(tempfile.mkdtemp)  # the fault


async def leave_a_temporary_file_of_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_a_temporary_file, params)


async def leave_a_temporary_folder_to_the_collector(params: fs.ExecutionParams) -> None:
    found = tempfile.TemporaryDirectory()
    await trio.sleep(1)
    del found


TOKENS = "tokens come back"


def start_thread() -> None:
    """A thread that works until the test is over."""
    stop = threading.Event()
    THREADS.append((stop, threading.Thread(target=stop.wait, name="left behind")))
    THREADS[-1][1].start()


async def leave_a_thread(params: fs.ExecutionParams) -> None:
    start_thread()  # the fault
    await trio.sleep(1)


async def leave_a_thread_of_a_task(params: fs.ExecutionParams) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_a_thread, params)


async def leave_a_thread_of_a_thread(params: fs.ExecutionParams) -> None:
    await trio.to_thread.run_sync(start_thread)  # the fault
    await trio.sleep(1)


async def leave_a_thread_of_its_own_thread(params: fs.ExecutionParams) -> None:
    first = threading.Thread(target=start_thread)  # the fault
    first.start()
    await trio.to_thread.run_sync(first.join)
    await trio.sleep(1)


async def end_a_thread_unless_interrupted(params: fs.ExecutionParams) -> None:
    start_thread()
    await trio.sleep(1)  # the fault: not in a `try`
    THREADS[-1][0].set()
    await trio.to_thread.run_sync(THREADS[-1][1].join)


def works() -> threading.Event:
    """What a thread of trio's waits for until the test is over."""
    STOPS.append(threading.Event())
    return STOPS[-1]


async def abandon_a_thread(params: fs.ExecutionParams) -> None:
    with trio.move_on_after(1):
        await trio.to_thread.run_sync(works().wait, abandon_on_cancel=True)  # the fault


async def abandon_a_thread_of_anyio(params: fs.ExecutionParams) -> None:
    with anyio.move_on_after(1):
        await anyio.to_thread.run_sync(works().wait, abandon_on_cancel=True)  # the fault


async def end_a_thread(params: fs.ExecutionParams) -> None:
    start_thread()
    stop, thread = THREADS[-1]
    try:
        await trio.sleep(1)
    finally:
        stop.set()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(thread.join)


SURPLUS = "nobody releases what it has not taken"
VARIABLE = "context variables are reset"
OPEN = "no file and no socket is left open"
TEMPORARY = "no temporary file is left"

THREAD = "no thread is left"

FAULTS: list[tuple[Fault, str, str]] = [
    (release_twice, SURPLUS, "take it with `async with`"),
    (release_in_and_after_a_block, SURPLUS, "take it with `async with`"),
    (release_twice_in_a_task, SURPLUS, "take it with `async with`"),
    (release_what_was_not_acquired, SURPLUS, "take it with `async with`"),
    (release_a_shared_one_twice, SURPLUS, "take it with `async with`"),
    (release_one_of_anyio_twice, SURPLUS, "take it with `async with`"),
    (keep_a_shared_semaphore, TOKENS, "take it with `async with`"),
    (keep_a_shared_lock, TOKENS, "take it with `async with`"),
    (keep_a_shared_condition, TOKENS, "take it with `async with`"),
    (keep_a_shared_lock_of_anyio, TOKENS, "take it with `async with`"),
    (set_a_variable, VARIABLE, "`reset` it in a `finally`"),
    (reset_a_variable_unless_interrupted, VARIABLE, "`reset` it in a `finally`"),
    (set_a_variable_in_a_context_manager, VARIABLE, "`reset` it in a `finally`"),
    (leave_a_socket, OPEN, "open it with `with`"),
    (leave_a_socket_to_the_collector, OPEN, "open it with `with`"),
    (leave_a_socket_of_a_cycle, OPEN, "open it with `with`"),
    (close_a_socket_unless_interrupted, OPEN, "open it with `with`"),
    (leave_a_socket_of_a_task, OPEN, "open it with `with`"),
    (leave_a_file, OPEN, "open it with `with`"),
    (leave_a_file_of_a_context_manager, OPEN, "open it with `with`"),
    (leave_a_file_of_a_thread, OPEN, "open it with `with`"),
    (leave_a_file_of_a_thread_of_a_task, OPEN, "open it with `with`"),
    (leave_a_pipe, OPEN, "open it with `with`"),
    (leave_a_thread, THREAD, "use trio.to_thread.run_sync"),
    (leave_a_thread_of_a_task, THREAD, "use trio.to_thread.run_sync"),
    (leave_a_thread_of_a_thread, THREAD, "use trio.to_thread.run_sync"),
    (leave_a_thread_of_its_own_thread, THREAD, "use trio.to_thread.run_sync"),
    (end_a_thread_unless_interrupted, THREAD, "use trio.to_thread.run_sync"),
    (abandon_a_thread, THREAD, "without `abandon_on_cancel`"),
    (abandon_a_thread_of_anyio, THREAD, "without `abandon_on_cancel`"),
    (leave_a_temporary_file, TEMPORARY, "remove it in a `finally`"),
    (remove_a_temporary_file_unless_interrupted, TEMPORARY, "remove it in a `finally`"),
    (leave_a_temporary_folder_of_a_thread, TEMPORARY, "remove it in a `finally`"),
    (leave_a_temporary_file_of_a_task, TEMPORARY, "remove it in a `finally`"),
    (leave_a_temporary_folder_to_the_collector, OPEN, "open it with `with`"),
]


@pytest.mark.parametrize(
    ("fault", "promise", "advice"),
    [
        # To look for whoever is left, all garbage is collected, which takes long in a large session.
        pytest.param(*each, marks=[pytest.mark.slow] if each[1] in (OPEN, TEMPORARY) else [])
        for each in FAULTS
    ],
    ids=[f.__name__ for f, *_ in FAULTS],
)
def test_what_is_left_is_found_under_its_own_promise_and_nobody_else_is_accused(
    fault: Fault, promise: str, advice: str
) -> None:
    report = found_in(fault)
    found = [violation for violation in report.violations if violation.promise == promise]
    assert found, report.render()
    assert {violation.subject for violation in report.violations} == {"x"}, report.render()
    assert "source:tried ('x')" in found[0].message
    assert advice in found[0].message


def test_a_thread_that_its_node_waits_for_is_not_accused() -> None:
    report = found_in(end_a_thread)
    assert not report.violations, report.render()


def test_a_variable_is_named_as_people_find_it() -> None:
    (found,) = found_in(set_a_variable).violations
    assert f"{__name__}.TENANT" in found.message


def proved_with_an_observer_that_sets_a_variable() -> Report:
    def observe(event: fs.Event) -> None:
        if event.path == "":
            TENANT.set("an observer")

    flow = fs.loads('<workflow name="w"><delay id="d" duration="1s"/></workflow>')
    return prove(flow, options={"observers": [observe]}, pairs=0)


def test_a_variable_that_an_observer_sets_for_the_run_is_not_accused() -> None:
    report = proved_with_an_observer_that_sets_a_variable()
    assert report.holds, report.render()


@pytest.mark.breaks_the_engine
def test_a_variable_that_is_left_in_the_caller_s_context_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handle, "InContext", lambda walk, context: walk)
    report = proved_with_an_observer_that_sets_a_variable()
    (found,) = report.violations
    assert (found.promise, found.subject) == (VARIABLE, f"{__name__}.TENANT")
    with contextlib.suppress(LookupError):
        TENANT.set("nobody")
