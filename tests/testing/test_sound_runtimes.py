"""Owns the tests of sound runtimes: patterns of trio's and of anyio's that a proof does not accuse."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.from_thread
import anyio.to_thread
import pytest
import trio
import trio.testing

import flowscript_trio as fs

from planting import Fault, found_in

pytestmark = pytest.mark.slow

SEMAPHORE = trio.Semaphore(1)
READY = trio.Semaphore(2)
LOCK = trio.Lock()
LIMITER = trio.CapacityLimiter(1)
TENANT: ContextVar[str] = ContextVar("TENANT", default="nobody")


class Flights:
    """A single-flight cache done right: who is cancelled leaves nothing, and the next one begins anew."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.under_way: dict[str, trio.Event] = {}

    async def get(self, key: str) -> int:
        while key not in self.values:
            if key in self.under_way:
                await self.under_way[key].wait()
                continue
            over = self.under_way[key] = trio.Event()
            try:
                await trio.sleep(1)
                self.values[key] = 1
            finally:
                del self.under_way[key]
                over.set()
        return self.values[key]


FLIGHTS = Flights()


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


async def a_task_group(params: fs.ExecutionParams) -> int:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 1)
        group.start_soon(anyio.sleep, 2)
    return 1


async def a_task_group_that_is_cancelled(params: fs.ExecutionParams) -> int:
    async def first() -> None:
        await anyio.sleep(1)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        group.start_soon(anyio.sleep_forever)
    return 1


async def a_started_task(params: fs.ExecutionParams) -> None:
    async def serve(*, task_status: anyio.abc.TaskStatus[int]) -> None:
        await anyio.sleep(1)
        task_status.started(1)
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        await group.start(serve)
        group.cancel_scope.cancel()


async def connections_of_anyio(params: fs.ExecutionParams) -> bytes:
    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(b"x")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                received = await stream.receive()
            group.cancel_scope.cancel()
    return received


async def limits_of_anyio(params: fs.ExecutionParams) -> None:
    with anyio.move_on_after(1):
        await anyio.sleep_forever()
    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
        await anyio.sleep(2)


async def a_thread_of_anyio(params: fs.ExecutionParams) -> int:
    return await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(anyio.sleep, 0) or 1)


async def a_thread(params: fs.ExecutionParams) -> str:
    return await trio.to_thread.run_sync(lambda: Path(__file__).read_text()[:5])


async def a_file_in_threads(params: fs.ExecutionParams) -> int:
    async with await trio.open_file(__file__) as found:
        return len(await found.readline())


async def a_socket(params: fs.ExecutionParams) -> None:
    left, right = trio.socket.socketpair()
    with left, right:
        await left.send(b"x")
        await right.recv(1)


async def happy_eyeballs(params: fs.ExecutionParams) -> list[int]:
    """As trio.open_tcp_stream does: each attempt has a head start, and the first that succeeds ends the rest."""
    found: list[int] = []

    async def attempt(which: int, failed: trio.Event) -> None:
        if which < 2:
            nursery.start_soon(attempt, which + 1, follows[which + 1])
        with contextlib.suppress(OSError):
            try:
                await trio.sleep(1 + which)
                if which == 0:
                    raise OSError("unreachable")
                found.append(which)
                nursery.cancel_scope.cancel()
            finally:
                failed.set()

    follows = [trio.Event() for _ in range(3)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, 0, follows[0])
    return found


async def short_shielded_clean_up(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    finally:
        with trio.move_on_after(5, shield=True):
            await trio.sleep(2)


async def close_at_the_end(params: fs.ExecutionParams) -> None:
    first, second = trio.open_memory_channel[int](0)
    try:
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            await first.aclose()  # it is closed, and nothing follows
            raise
    finally:
        if params.node is not None:
            await second.aclose()


async def shielded_clean_up_of_a_manager(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def session() -> AsyncIterator[None]:
        try:
            yield
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
                await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        async with session():
            await trio.sleep(1)
        nursery.cancel_scope.cancel()


async def generators_that_are_closed(params: fs.ExecutionParams) -> int:
    async def lines(path: str) -> AsyncIterator[str]:
        with open(path) as found:  # noqa: ASYNC230 (a file may be held across a yield)
            for line in found:
                await trio.lowlevel.checkpoint()
                yield line

    async with contextlib.aclosing(lines(__file__)) as found:  # type: ignore[type-var]
        async for line in found:
            await trio.sleep(1)
            return len(line)
    return 0


async def a_generator_that_leaves_its_nursery_first(params: fs.ExecutionParams) -> list[int]:
    async def pages() -> AsyncIterator[int]:
        for page in range(2):
            async with LOCK, trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 1)
            with trio.move_on_after(1):
                await trio.sleep_forever()
            yield page

    found = []
    async with contextlib.aclosing(pages()) as all_pages:  # type: ignore[type-var]
        async for page in all_pages:
            await trio.sleep(1)
            found.append(page)
    return found


async def a_safe_channel_over_a_nursery(params: fs.ExecutionParams) -> list[int]:
    @trio.as_safe_channel
    async def lines() -> AsyncGenerator[int, None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            with trio.move_on_after(5):
                for number in range(2):
                    await trio.sleep(1)
                    yield number

    async with lines() as found:
        return [number async for number in found]


async def a_context_manager_over_a_nursery(params: fs.ExecutionParams) -> None:
    @asynccontextmanager
    async def background() -> AsyncIterator[None]:
        async with LOCK, trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            yield
            nursery.cancel_scope.cancel()

    async with background():
        await trio.sleep(1)


async def give_up_after_a_while(params: fs.ExecutionParams) -> bool:
    with trio.move_on_after(1) as scope:
        await trio.sleep_forever()
    return scope.cancelled_caught


async def clean_up_with_an_error_that_is_handled(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    finally:
        try:
            raise OSError("already closed")
        except OSError:
            pass


async def translate_errors_but_no_cancellation(params: fs.ExecutionParams) -> None:
    try:
        await trio.sleep(1)
    except Exception as exc:
        raise ValueError("translated") from exc


async def translate_errors_of_a_nursery(params: fs.ExecutionParams) -> None:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            nursery.start_soon(translate_errors_but_no_cancellation, params)
    except* Exception as group:
        raise ValueError("translated") from group


async def translate_errors_of_a_task_group(params: fs.ExecutionParams) -> None:
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 1)
            group.start_soon(translate_errors_but_no_cancellation, params)
    except ExceptionGroup as exc:  # with a Cancelled in it, it is none
        raise ExceptionGroup("translated", [ValueError("one")]) from exc


async def errors_that_are_collected(params: fs.ExecutionParams) -> None:
    errors: list[Exception] = []

    async def try_it() -> None:
        try:
            await trio.sleep(1)
        except Exception as exc:
            errors.append(exc)

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(try_it)
    if errors:
        raise ExceptionGroup("several", errors)


async def a_memory_channel(params: fs.ExecutionParams) -> int:
    send, receive = trio.open_memory_channel[int](0)

    async def produce() -> None:
        async with send:
            for number in range(2):
                await send.send(number)
                await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        async with receive:
            return len([number async for number in receive])


async def a_variable_that_is_reset(params: fs.ExecutionParams) -> None:
    token = TENANT.set("somebody")
    try:
        await trio.sleep(1)
    finally:
        TENANT.reset(token)


async def a_variable_of_a_task_and_decimals(params: fs.ExecutionParams) -> Decimal:
    async def work() -> None:
        TENANT.set("a task of its own has a context of its own")
        await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
    return Decimal(1) / 3  # Python keeps its precision in a context variable, set when it is read


async def single_flight(params: fs.ExecutionParams) -> int:
    FLIGHTS.values.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(FLIGHTS.get, "a")
        nursery.start_soon(FLIGHTS.get, "a")
    return await FLIGHTS.get("a")


async def what_is_shared_in_turn(params: fs.ExecutionParams) -> None:
    async with LIMITER, SEMAPHORE:
        await trio.sleep(1)
    await SEMAPHORE.acquire()
    try:
        await trio.sleep(1)
    finally:
        SEMAPHORE.release()


async def a_semaphore_from_hand_to_hand(params: fs.ExecutionParams) -> None:
    async def work() -> None:
        async with READY:
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(work)


def one_at_a_time() -> trio.Semaphore:
    return trio.Semaphore(1)


class Pool:
    """Connections of which fewer are let out than there might be: what it does with its semaphore is its own."""

    def __init__(self) -> None:
        self.slots = trio.Semaphore(5)
        self.slots.acquire_nowait()

    async def use(self) -> None:
        async with self.slots:
            await trio.sleep(1)
            if self.slots.value:
                self.slots.acquire_nowait()  # one fewer from now on, as the peer of a connection may ask


async def shared_resources_in_turn(params: fs.ExecutionParams) -> None:
    for factory in (trio.Lock, anyio.Lock, trio.Condition, one_at_a_time, Pool):
        shared: Any = await params.run.resource(factory.__name__ + factory.__module__, factory)
        if isinstance(shared, Pool):
            await shared.use()
        else:
            async with shared:
                await trio.sleep(1)


class Line:
    """A line to the other side, which takes a moment to be opened, and another one to be hung up."""


@asynccontextmanager
async def a_line() -> AsyncIterator[Line]:
    await trio.sleep(0.5)
    try:
        yield Line()
    finally:
        with trio.move_on_after(1, shield=True):
            await trio.sleep(0.25)


async def a_resource_that_says_goodbye(params: fs.ExecutionParams) -> None:
    await params.run.resource("line", a_line)
    await trio.sleep(1)


async def temporary_files(params: fs.ExecutionParams) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as found:
        found.write(b"x")
        await trio.sleep(1)
    descriptor, path = tempfile.mkstemp()
    try:
        os.close(descriptor)
        await trio.sleep(1)
    finally:
        os.unlink(path)


async def a_connection(params: fs.ExecutionParams) -> None:
    with contextlib.closing(socket.socket()) as found:
        found.setblocking(False)
        await trio.sleep(1)


async def cancel_and_collect(params: fs.ExecutionParams) -> list[Any]:
    """A race inside of a node: the first one ends the others, and each says how it ended."""
    ended: list[Any] = []

    async def compete(seconds: float) -> None:
        try:
            await trio.sleep(seconds)
            ended.append(seconds)
            nursery.cancel_scope.cancel()
        except trio.Cancelled:
            ended.append(None)
            raise

    async with trio.open_nursery() as nursery:
        for seconds in (1, 1, 2):
            nursery.start_soon(compete, seconds)
    return sorted(ended, key=str)


async def tell_a_peer_the_deadline(params: fs.ExecutionParams) -> float:
    """As gRPC does: the peer is told how much time is left, and the call waits for it."""
    left = trio.current_effective_deadline() - trio.current_time()
    await trio.sleep(min(1, left))
    return left


async def close_streams_forcefully(params: fs.ExecutionParams) -> bytes:
    """Its scope takes a ``Cancelled``, and no error that is raised in its place."""
    near, far = trio.testing.memory_stream_pair()
    try:
        try:
            await near.send_all(b"x")
            return bytes(await far.receive_some(1))
        finally:
            await trio.aclose_forcefully(near)
    finally:
        await trio.aclose_forcefully(far)


SOUND: list[Fault] = [
    close_streams_forcefully,
    a_task_group,
    a_task_group_that_is_cancelled,
    a_started_task,
    connections_of_anyio,
    limits_of_anyio,
    a_thread_of_anyio,
    a_thread,
    a_file_in_threads,
    a_socket,
    happy_eyeballs,
    short_shielded_clean_up,
    close_at_the_end,
    shielded_clean_up_of_a_manager,
    generators_that_are_closed,
    a_generator_that_leaves_its_nursery_first,
    a_safe_channel_over_a_nursery,
    a_context_manager_over_a_nursery,
    give_up_after_a_while,
    clean_up_with_an_error_that_is_handled,
    a_memory_channel,
    a_variable_that_is_reset,
    a_variable_of_a_task_and_decimals,
    single_flight,
    what_is_shared_in_turn,
    shared_resources_in_turn,
    a_resource_that_says_goodbye,
    a_semaphore_from_hand_to_hand,
    temporary_files,
    a_connection,
    cancel_and_collect,
    tell_a_peer_the_deadline,
]

BOTH = """<parallel id="p">
  <branch><source:tried id="x" timeout="30s"/></branch>
  <branch><delay id="d" duration="2s"/><source:tried id="z"/></branch>
  <branch><source:innocent id="y"/></branch>
</parallel>"""


@pytest.mark.parametrize("runtime", SOUND, ids=[runtime.__name__ for runtime in SOUND])
def test_a_sound_runtime_is_not_accused(runtime: Fault) -> None:
    report = found_in(runtime, BOTH)
    assert report.holds, report.render()
    assert "completed" in report.undisturbed


TRANSLATORS: list[Fault] = [
    translate_errors_but_no_cancellation,
    translate_errors_of_a_nursery,
    translate_errors_of_a_task_group,
    errors_that_are_collected,
]


@pytest.mark.parametrize("runtime", TRANSLATORS, ids=[each.__name__ for each in TRANSLATORS])
def test_an_error_that_is_translated_is_not_taken_for_a_cancellation_that_is_replaced(
    runtime: Fault,
) -> None:
    report = found_in(runtime, BOTH)
    assert report.holds, report.render()
