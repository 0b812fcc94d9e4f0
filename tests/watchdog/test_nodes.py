"""Owns the tests of the watchdog: nodes block until they were reported, or move a clock of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeStarted, RunWarning
from flowscript_trio.watchdog.watcher import Watcher, sharing_watcher

BOUND = 30
"""Seconds after which a thread that nobody released gives up, and its test fails."""


class Hand(logging.Handler):
    """Takes what the watchdog says, and does something about it on the watchdog's thread."""

    def __init__(self, react: Callable[[str], object] = lambda text: None) -> None:
        super().__init__()
        self.said: list[str] = []
        self.threads: list[threading.Thread] = []
        self._react = react

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        self.threads.append(threading.current_thread())
        self._react(self.said[-1])


@contextmanager
def listening(hand: Hand) -> Iterator[Hand]:
    logger = logging.getLogger("flowscript_trio.watchdog")
    logger.addHandler(hand)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield hand
    finally:
        logger.removeHandler(hand)
        logger.propagate = propagate


@pytest.fixture
def hand() -> Iterator[Hand]:
    with listening(Hand()) as hand:
        yield hand


class Bench:
    """A registry with ``source:work``, which does what its ``does`` names, and a clock moved by hand.

    ``compute(n)`` is a time of n seconds without a checkpoint, at the end of which the watcher looks.
    """

    def __init__(self, **works: Callable[[], Any]) -> None:
        self.time = 0.0
        self.registry = fs.Registry(base=fs.registry)
        self.watcher: Watcher
        self.works = works

        @self.registry.runtime("source:work")
        async def work(params: fs.ExecutionParams) -> Any:
            return await self.works[params.config["does"]]()

    def compute(self, seconds: float, looked_at: bool = True) -> None:
        self.time += seconds
        if looked_at:
            self.watcher.look()

    async def run(self, body: str, watchdog: float | None = 5, **options: Any) -> fs.Run:
        def make() -> Watcher:
            return Watcher(lambda: self.time, threaded=False)

        with sharing_watcher(make) as self.watcher:
            return await fs.run(self.load(body), watchdog=watchdog, **options)

    def load(self, body: str) -> fs.Flow:
        text = f'<workflow name="w">{body}</workflow>'
        return fs.loads(text, name="w.xml", registry=self.registry)


def warnings_in(events: list[Event]) -> list[tuple[str, str]]:
    return [(e.path, e.message) for e in events if isinstance(e, RunWarning)]


# ---- with the thread ----


def blocks_until_it_is_reported(released: threading.Event, ended: list[bool]) -> None:
    ended.append(released.wait(BOUND))


async def test_a_node_is_named_while_it_still_blocks() -> None:
    released, ended = threading.Event(), []

    async def block() -> None:
        blocks_until_it_is_reported(released, ended)

    bench = Bench(block=block)
    hand = Hand(lambda text: released.set() if "'p/0/culprit'" in text else None)
    flow = bench.load(
        '<parallel id="p"><branch>\n<source:work id="culprit" does="block"/></branch></parallel>'
    )
    with listening(hand):
        run = await fs.run(flow, watchdog=0.001)
    assert ended == [True]
    said, thread = next(
        (text, thread)
        for text, thread in zip(hand.said, hand.threads, strict=True)
        if "culprit" in text
    )
    assert thread.name == "flowscript watchdog"
    assert said.startswith("w.xml:2:1: the node 'p/0/culprit' has not reached a checkpoint for ")
    assert "called by blocks_until_it_is_reported" in said
    assert __file__ in said
    assert "trio.lowlevel.checkpoint()" in said
    assert "trio.to_thread.run_sync" in said
    [warned] = [warned for warned in run.warnings if warned.path == "p/0/culprit"]
    assert "held up the program" in warned.message
    assert "blocks_until_it_is_reported" in warned.message
    assert not thread.is_alive()


async def test_a_watcher_that_found_trio_idle_is_woken_by_the_next_step() -> None:
    idle, released, ended = threading.Event(), threading.Event(), []

    class Watching(Watcher):
        def look(self) -> float | None:
            wait = super().look()
            if wait is None:
                idle.set()
            return wait

    async def block() -> None:
        idle.clear()
        assert await trio.to_thread.run_sync(idle.wait, BOUND)
        blocks_until_it_is_reported(released, ended)

    bench = Bench(block=block)
    hand = Hand(lambda text: released.set() if "'x'" in text else None)
    with listening(hand), sharing_watcher(Watching):
        await fs.run(bench.load('<source:work id="x" does="block"/>'), watchdog=0.001)
    assert ended == [True]


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
async def test_no_thread_and_no_instrument_is_left_however_a_run_ends(end: str) -> None:
    seen: list[tuple[threading.Thread, Watcher]] = []

    async def succeed() -> None:
        [thread] = watchers()
        with sharing_watcher() as watcher:
            seen.append((thread, watcher))

    async def fail() -> None:
        await succeed()
        raise ValueError(end)

    async def cancel() -> None:
        await succeed()
        scope.cancel()
        await trio.sleep_forever()

    bench = Bench(succeed=succeed, fail=fail, cancel=cancel)
    flow = bench.load(f'<source:work id="x" does="{end}"/>')
    with trio.CancelScope() as scope:
        try:
            await fs.run(flow, watchdog=60)
        except ValueError:
            assert end == "fail"
    [(thread, watcher)] = seen
    assert not thread.daemon
    assert not thread.is_alive()
    with pytest.raises(KeyError):
        trio.lowlevel.remove_instrument(watcher)
    with sharing_watcher() as another:
        assert another is not watcher
    assert watchers() == []


async def test_runs_side_by_side_share_one_thread() -> None:
    counts: list[int] = []

    async def count() -> None:
        await trio.testing.wait_all_tasks_blocked()
        counts.append(len(watchers()))

    flow = Bench(count=count).load('<source:work id="x" does="count"/>')
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(partial(fs.run, flow, watchdog=60))
    assert counts == [1] * 5
    assert watchers() == []


async def test_a_run_without_a_watchdog_starts_no_thread_and_has_no_observer(hand: Hand) -> None:
    found: list[object] = []

    def make() -> Watcher:
        made = Watcher(threaded=False)
        found.append(made)
        return made

    async def look() -> None:
        with sharing_watcher(make) as watcher:
            assert found == [watcher]  # there was none
        assert watchers() == []

    async with fs.open_run(Bench(look=look).load('<source:work id="x" does="look"/>')) as run:
        await run.wait()
        assert run._context.observers == ()
    assert len(found) == 1
    assert hand.said == []


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "flowscript watchdog"]


# ---- with a clock that is moved by hand ----


async def test_a_node_that_reaches_checkpoints_is_not_named(hand: Hand) -> None:
    async def work() -> None:
        for _ in range(10):
            bench.compute(4.9)
            await trio.lowlevel.checkpoint()

    bench = Bench(work=work)
    run = await bench.run('<source:work id="x" does="work"/>')
    assert hand.said == []
    assert run.warnings == []


async def test_a_node_is_named_once_and_a_warning_follows_when_it_goes_on(hand: Hand) -> None:
    events: list[Event] = []

    async def work() -> None:
        bench.compute(4.9)
        assert hand.said == []
        for _ in range(3):
            bench.compute(1)
            assert len(hand.said) == 1
        assert warnings_in(events) == []
        await trio.lowlevel.checkpoint()
        assert len(warnings_in(events)) == 1

    bench = Bench(work=work)
    run = await bench.run('<source:work id="x" does="work"/>', observers=[events.append])
    [said] = hand.said
    assert "w.xml:1:20: the node 'x' has not reached a checkpoint for 5.900 s" in said
    assert "called by work (" in said
    [(path, message)] = warnings_in(events)
    assert path == "x"
    assert message.startswith("the node 'x' held up the program for 7.900 s")
    assert [(warned.path, warned.message) for warned in run.warnings] == [(path, message)]


async def test_what_nobody_could_look_at_is_reported_when_it_is_over(hand: Hand) -> None:
    async def work() -> None:
        bench.compute(7, looked_at=False)  # as C code does that keeps the interpreter to itself
        await trio.lowlevel.checkpoint()
        bench.compute(1)

    bench = Bench(work=work)
    run = await bench.run('<source:work id="x" does="work"/>')
    assert [said.partition(" without")[0] for said in hand.said] == [
        "w.xml:1:20: the node 'x' held up the program for 7.000 s"
    ]
    assert len(run.warnings) == 1


async def test_a_node_that_ends_without_a_checkpoint_is_reported_when_it_ends(hand: Hand) -> None:
    events: list[Event] = []

    async def work() -> None:
        bench.compute(7, looked_at=False)

    bench = Bench(work=work)
    await bench.run('<source:work id="x" does="work"/>', observers=[events.append])
    names = [type(event).__name__ for event in events]
    assert names.index("RunWarning") == names.index("NodeEnded") - 1


async def test_the_time_of_one_node_is_not_counted_for_the_next(hand: Hand) -> None:
    async def first() -> None:
        await trio.lowlevel.checkpoint()
        bench.compute(3)

    async def second() -> None:
        bench.compute(3)

    bench = Bench(first=first, second=second)
    body = '<source:work id="x" does="first"/><source:work id="y" does="second"/>'
    await bench.run(f'<parallel id="p"><branch>{body}</branch></parallel>')
    assert hand.said == []


async def test_the_time_of_a_block_is_not_counted_for_its_first_node(hand: Hand) -> None:
    def linger(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.path == "block":
            bench.compute(3)

    async def work() -> None:
        bench.compute(3)

    bench = Bench(work=work)
    body = '<if id="block" condition="true"><then><source:work id="x" does="work"/></then></if>'
    await bench.run(body, observers=[linger])
    assert hand.said == []


async def test_what_blocks_outside_of_the_nodes_is_the_run(hand: Hand) -> None:
    class Slow:
        async def aclose(self) -> None:
            bench.compute(6)

    bench = Bench()

    @bench.registry.runtime("source:open")
    async def open_it(params: fs.ExecutionParams) -> None:
        await params.run.resource("slow", Slow)

    events: list[Event] = []
    run = await bench.run('<source:open id="x"/>', observers=[events.append])
    [said] = hand.said
    assert said.startswith("the run, outside of its nodes, has not reached a checkpoint")
    assert "called by aclose (" in said
    assert [warned.path for warned in run.warnings] == [""]
    assert [type(event).__name__ for event in events[-2:]] == ["RunWarning", "RunEnded"]


async def test_the_time_of_the_caller_is_not_counted_for_the_run(hand: Hand) -> None:
    async def work() -> None:
        bench.compute(3)

    bench = Bench(work=work)
    with sharing_watcher(partial(Watcher, lambda: bench.time, threaded=False)) as bench.watcher:
        bench.compute(6)
        run = await fs.run(bench.load('<source:work id="x" does="work"/>'), watchdog=5)
        bench.compute(6)
        await trio.lowlevel.checkpoint()
    assert hand.said == []
    assert run.warnings == []


async def test_the_tasks_that_a_runtime_starts_are_those_of_its_node(hand: Hand) -> None:
    async def inner() -> None:
        bench.compute(6)

    async def middle() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inner)

    async def work() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(middle)

    bench = Bench(work=work)
    await bench.run('<loop id="l" max="1"><source:work id="x" does="work"/></loop>')
    [said] = hand.said
    assert "the node 'l[0]/x' has" in said
    assert "called by inner (" in said


async def test_tasks_that_are_not_of_the_run_are_not_named(hand: Hand) -> None:
    async def work() -> None:
        going.set()
        await done.wait()

    async def mine() -> None:
        await going.wait()
        bench.compute(6)
        await trio.lowlevel.checkpoint()
        bench.compute(6, looked_at=False)
        done.set()

    going, done = trio.Event(), trio.Event()
    bench = Bench(work=work)
    async with trio.open_nursery() as nursery:  # of the very task that awaits the run
        nursery.start_soon(mine)
        run = await bench.run('<source:work id="x" does="work"/>')
    assert hand.said == []
    assert run.warnings == []


async def test_each_run_has_a_limit_of_its_own(hand: Hand) -> None:
    async def work() -> None:
        bench.compute(6)

    bench = Bench(work=work)
    limits = {"five": 5.0, "ten": 10.0, "none": None}
    with sharing_watcher(partial(Watcher, lambda: bench.time, threaded=False)) as bench.watcher:
        async with trio.open_nursery() as nursery:
            for name, limit in limits.items():
                flow = bench.load(f'<source:work id="{name}" does="work"/>')
                nursery.start_soon(partial(fs.run, flow, watchdog=limit))
    [said] = hand.said
    assert "'five'" in said


@pytest.mark.parametrize(("own", "named"), [(5, "'inner'"), (None, "'outer'")])
async def test_a_run_in_a_node_of_another_is_named_by_its_own_watchdog_if_it_has_one(
    hand: Hand, own: float | None, named: str
) -> None:
    async def nest() -> None:
        await fs.run(bench.load('<source:work id="inner" does="work"/>'), watchdog=own)

    async def work() -> None:
        bench.compute(6)

    bench = Bench(nest=nest, work=work)
    await bench.run('<source:work id="outer" does="nest"/>')
    [said] = hand.said
    assert named in said


async def test_secrets_are_not_in_what_it_says(hand: Hand) -> None:
    async def work() -> None:
        bench.compute(6)

    bench = Bench(work=work)
    run = await bench.run('<source:work id="hunter2" does="work"/>', secrets={"s": "hunter2"})
    assert ["hunter2" in said for said in hand.said] == [False]
    assert ["hunter2" in warned.message for warned in run.warnings] == [False]


async def test_an_observer_that_raises_fails_the_run_and_not_the_watch(hand: Hand) -> None:
    def refuse(event: Event) -> None:
        if isinstance(event, RunWarning):
            raise LookupError("refused")

    async def work() -> None:
        bench.compute(6)
        await trio.lowlevel.checkpoint()

    bench = Bench(work=work)
    with pytest.raises(LookupError, match="refused"):
        await bench.run('<source:work id="x" does="work"/>', observers=[refuse])


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan"), True, "5s"])
def test_a_limit_that_is_no_time_is_refused(wrong: Any) -> None:
    flow = Bench().load('<delay id="d" duration="1s"/>')
    with pytest.raises(fs.InputError, match="expected a number of seconds above 0"):
        trio.run(partial(fs.run, flow, watchdog=wrong))


# ---- looks at errors ----


class Slow(Exception):
    """An error whose text takes long; ``bench`` is where."""

    bench: Bench
    looks = 0

    def __str__(self) -> str:
        if Slow.looks == 0:
            self.bench.compute(6)
        Slow.looks += 1
        return "slow"


RETRIES = (
    '<source:work id="a" does="fail"><on-error><retry max="1" when="error.status == 3"/></on-error>'
    "</source:work>"
)
TOLERATED = (
    '<parallel id="p" tolerate="1"><branch><source:work id="a" does="fail"/></branch></parallel>'
    '<transform:template id="t" after="p" template="{{a.error.message}}"/>'
)
FALLBACK = (
    '<source:work id="a" does="fail"><on-error><fallback node="b"/></on-error></source:work>'
    '<source:work id="b" does="fail"/>'
)


@pytest.mark.parametrize(("body", "path"), [(RETRIES, "a"), (TOLERATED, "p/0/a"), (FALLBACK, "a")])
async def test_a_look_at_an_error_is_named_by_the_node_that_raised_it(
    hand: Hand, body: str, path: str
) -> None:
    async def fail() -> None:
        raise Slow

    Slow.bench, Slow.looks = Bench(fail=fail), 0
    events: list[Event] = []
    with suppress(Slow):
        await Slow.bench.run(body, observers=[events.append])
    assert Slow.looks
    [said] = hand.said
    assert (
        f"a look at the Slow of the node {path!r} has not reached a checkpoint for 6.000 s" in said
    )
    assert "It is at" in said
    assert "__str__" in said
    assert "Ctrl-C interrupts it" in said
    [(of, message)] = warnings_in(events)
    assert of == path
    assert message.startswith(f"a look at the Slow of the node {path!r} held up the program")
