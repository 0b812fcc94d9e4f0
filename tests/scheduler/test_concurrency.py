from __future__ import annotations

import contextlib
import math
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import pytest
import trio

from flowscript_trio.scheduler.concurrency import Block
from flowscript_trio.scheduler.feeding import run_each_async
from flowscript_trio.scheduler.passes import counting_passes
from flowscript_trio.scheduler.policy import Policy, Verdict
from flowscript_trio.scheduler.pools import CollectionPool, GraphPool
from flowscript_trio.scheduler.raised import first_of
from flowscript_trio.scheduler.signals import Break, Failed, Signal
from flowscript_trio.scheduler.workers import run_pool
from flowscript_trio.types.results import Cancellation

from scheduling import outcomes, run_virtually


class Board:
    """A block with its events on a board."""

    def __init__(self, jobs: dict[int, Callable[[], Any]], policy: Policy, limit: float) -> None:
        self.jobs = jobs
        self.events: list[str] = []
        self.cancellations: list[Cancellation] = []
        self.policy = policy
        self.limit = limit
        self.block: Block

    async def execute(self, index: int, item: Any, checked: bool) -> Signal | None:
        self.events.append(f"start {index}")
        try:
            found = await self.jobs[index]()
        except trio.Cancelled:
            self.events.append(f"cancelled {index}")
            raise
        except Exception as exc:
            self.events.append(f"failed {index}")
            return Failed(exc)
        self.events.append(f"end {index}")
        return found if isinstance(found, Break) else None

    def open(self, passes: Any, breakable: bool = False) -> Block:
        self.block = Block(
            self.execute,
            lambda index: f"block/{index}",
            self.policy,
            self.limit,
            passes,
            lambda cancellation, _: self.cancellations.append(cancellation),
            (lambda index, cancellation: self.cancellations.append(cancellation))
            if breakable
            else None,
        )
        return self.block

    async def run_each(self) -> Verdict:
        with counting_passes() as passes:
            async with aclosing(one_by_one(len(self.jobs))) as items:
                return await run_each_async(self.open(passes), items)

    async def run_pool(self, breakable: bool = False) -> Verdict:
        with counting_passes() as passes:
            block = self.open(passes, breakable)
            size = len(self.jobs)
            return await run_pool(block, CollectionPool(iter(range(size)), size))


async def one_by_one(count: int) -> AsyncGenerator[int, None]:
    for index in range(count):
        yield index


def after(seconds: float, raising: BaseException | None = None, giving: Any = None) -> Any:
    async def job() -> Any:
        await trio.sleep(seconds)  # virtual
        if raising is not None:
            raise raising
        return giving

    return job


def board(
    jobs: Iterable[Callable[[], Any]], policy: Policy | None = None, limit: float = math.inf
) -> Board:
    listed = dict(enumerate(jobs))
    return Board(listed, policy or Policy(total=len(listed)), limit)


@pytest.mark.parametrize("way", ["run_each", "run_pool"])
def test_all_jobs_run_and_never_more_at_once_than_the_limit(way: str) -> None:
    running = most = 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await trio.sleep(1)
        running -= 1

    async def main() -> float:
        it = board([job] * 10, limit=3)
        assert (await getattr(it, way)()).error is None
        assert it.events.count("end 9") == 1
        assert len(it.events) == 20
        return trio.current_time()

    assert run_virtually(main) - 0 >= 4
    assert most == 3


@pytest.mark.parametrize("way", ["run_each", "run_pool"])
def test_no_more_tasks_exist_than_there_are_tokens(way: str) -> None:
    class Counter(trio.abc.Instrument):
        now = most = 0

        def task_spawned(self, task: trio.lowlevel.Task) -> None:
            if task.name.startswith("block/"):
                self.now += 1
                self.most = max(self.most, self.now)

        def task_exited(self, task: trio.lowlevel.Task) -> None:
            if task.name.startswith("block/"):
                self.now -= 1

    counter = Counter()

    async def main() -> None:
        trio.lowlevel.add_instrument(counter)
        await getattr(board([after(1)] * 50, limit=4), way)()

    run_virtually(main)
    assert counter.most == 4
    assert counter.now == 0


@pytest.mark.parametrize("way", ["run_each", "run_pool"])
def test_a_failing_job_cancels_the_others_and_its_error_is_the_verdict(way: str) -> None:
    error = ValueError("first")

    async def main() -> None:
        it = board([after(9), after(1, raising=error), after(9)])
        verdict = await getattr(it, way)()
        assert verdict.error is error
        assert trio.current_time() - started == 1
        assert sorted(it.events[-2:]) == ["cancelled 0", "cancelled 2"]
        [cancellation] = it.cancellations
        assert cancellation.by == "block/1"
        assert cancellation.reason == "block/1 failed: ValueError"

    async def timed() -> None:
        nonlocal started  # type: ignore[misc]
        started = trio.current_time()
        await main()

    started = 0.0
    run_virtually(timed)


@pytest.mark.parametrize("way", ["run_each", "run_pool"])
def test_of_the_errors_of_one_pass_the_first_in_document_order_surfaces(way: str) -> None:
    async def main() -> str:
        jobs = [after(9), *(after(1, raising=ValueError(str(i))) for i in range(1, 6)), after(9)]
        verdict = await getattr(board(jobs), way)()
        return str(verdict.error)

    assert outcomes(main, 1000) == {"1"}


def test_an_error_of_a_later_pass_is_never_first() -> None:
    async def main() -> str:
        async def late() -> None:
            await trio.sleep(1)
            await trio.lowlevel.checkpoint()
            raise ValueError("late")

        verdict = await board([late, after(1, raising=ValueError("soon"))]).run_each()
        return str(verdict.error)

    assert outcomes(main) == {"soon"}


def test_the_winners_of_a_race_are_those_of_the_earliest_pass_in_document_order() -> None:
    async def main() -> tuple[int, ...] | None:
        jobs = [after(9), *([after(1)] * 5), after(0.5)]
        verdict = await board(jobs, Policy(need=3, total=7)).run_each()
        return verdict.winners

    assert outcomes(main, 500) == {(6, 1, 2)}


def test_a_race_goes_on_until_too_few_are_left_and_then_the_first_error_surfaces() -> None:
    async def main() -> tuple[str, float]:
        started = trio.current_time()
        jobs = [after(3, raising=ValueError("b")), after(1, raising=ValueError("a")), after(9)]
        verdict = await board(jobs, Policy(need=2, total=3)).run_each()
        return str(verdict.error), trio.current_time() - started

    assert outcomes(main) == {("a", 3)}


def test_tolerated_failures_do_not_fail_the_block_and_one_more_does() -> None:
    async def main(fails: int) -> str | None:
        jobs = [*(after(i + 1, raising=ValueError(str(i))) for i in range(fails)), after(20)]
        verdict = await board(jobs, Policy(tolerate=2, total=len(jobs))).run_each()
        return None if verdict.error is None else str(verdict.error)

    assert run_virtually(lambda: main(2)) is None
    assert run_virtually(lambda: main(3)) == "0"


def test_without_fail_fast_all_finish_and_the_first_error_surfaces() -> None:
    async def main() -> None:
        it = board([after(2), after(1, raising=ValueError("x"))], Policy(fail_fast=False, total=2))
        verdict = await it.run_each()
        assert str(verdict.error) == "x"
        assert it.events[-1] == "end 0"
        assert not it.cancellations

    run_virtually(main)


def test_a_waiting_sibling_is_told_within_two_passes_of_the_error() -> None:
    async def main() -> int:
        told = failed = 0
        with counting_passes() as passes:

            async def hang() -> None:
                nonlocal told
                try:
                    await trio.sleep_forever()
                finally:
                    told = passes.now

            async def fail() -> None:
                nonlocal failed
                await trio.sleep(1)
                failed = passes.now
                raise ValueError

            it = board([hang] * 100 + [fail] + [hang] * 100)
            await it.run_each()
        return told - failed

    assert outcomes(main) == {2}


def test_an_error_travels_up_one_pass_a_level_where_nobody_has_to_be_cancelled() -> None:
    async def main() -> int:
        with counting_passes() as passes:

            def nest(depth: int) -> Any:
                async def job() -> None:
                    if depth == 0:
                        nonlocal failed  # type: ignore[misc]
                        failed = passes.now
                        raise ValueError
                    verdict = await board([nest(depth - 1)]).run_each()
                    raise verdict.error or AssertionError

                return job

            failed = 0
            await board([nest(5)]).run_each()
            return passes.now - failed

    assert outcomes(main, 50) == {6}


def test_no_job_is_started_once_cancellation_was_requested() -> None:
    async def main() -> None:
        it = board([after(1, raising=ValueError()), *[after(1)] * 20], limit=2)
        await it.run_each()
        assert sorted(e for e in it.events if e.startswith("start")) == ["start 0", "start 1"]

    for seed in range(100):
        run_virtually(main, seed)


def test_cancellation_from_outside_reaches_every_job_and_passes_on() -> None:
    async def main() -> None:
        it = board([after(9)] * 5, limit=2)
        with trio.move_on_after(1) as scope:
            await it.run_each()
        assert scope.cancelled_caught
        assert sorted(it.events) == ["cancelled 0", "cancelled 1", "start 0", "start 1"]
        assert not it.cancellations

    run_virtually(main)


def test_an_error_under_a_cancellation_from_outside_surfaces_in_its_place() -> None:
    async def main() -> str:
        async def fail_in_cleanup() -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("in clean-up")

        with trio.move_on_after(1):
            verdict = await board([after(9), fail_in_cleanup, after(9)]).run_each()
        return str(verdict.error)

    assert outcomes(main) == {"in clean-up"}


def test_it_surfaces_although_a_job_that_swallowed_the_cancellation_would_have_won_the_race() -> (
    None
):
    async def main() -> str:
        async def swallow() -> None:
            with contextlib.suppress(trio.Cancelled):
                await trio.sleep_forever()

        async def fail_in_long_cleanup() -> None:
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(5)  # virtual
                raise ValueError("in clean-up")

        with trio.move_on_after(1):
            jobs = [fail_in_long_cleanup, swallow, after(9)]
            verdict = await board(jobs, Policy(need=1, total=3)).run_each()
        return str(verdict.error)

    assert outcomes(main, 50) == {"in clean-up"}


def test_a_tolerated_error_of_before_does_not_turn_a_cancellation_into_failure() -> None:
    async def main() -> None:
        jobs = [after(1, raising=ValueError()), after(9), after(9)]
        with trio.move_on_after(2) as scope:
            await board(jobs, Policy(need=1, total=3)).run_each()
        assert scope.cancelled_caught

    run_virtually(main)


def test_a_job_that_breaks_cancels_those_of_a_higher_index_only() -> None:
    async def main() -> tuple[int | None, tuple[str, ...]]:
        jobs = [after(3), after(1, giving=Break()), after(9), after(2), after(1)]
        it = board(jobs, limit=4)
        verdict = await it.run_pool(breakable=True)
        assert verdict.error is None
        return it.block.lowest_break, tuple(sorted(it.events))

    [(lowest, events)] = outcomes(main)
    assert lowest == 1
    assert events == tuple(
        sorted(
            f"{what} {index}"
            for what, indices in {"start": "0123", "end": "01", "cancelled": "23"}.items()
            for index in indices
        )
    )


def test_an_error_of_the_collection_is_the_blocks_own_and_is_never_tolerated() -> None:
    def items() -> Iterable[int]:
        yield 0
        yield 1
        raise LookupError("no more")

    async def main() -> str:
        with counting_passes() as passes:
            it = board([after(5), after(5)], Policy(tolerate=5), limit=10)
            verdict = await run_pool(it.open(passes), CollectionPool(items(), None))
        return str(verdict.error)

    assert outcomes(main, 50) == {"no more"}


def test_an_async_collection_is_asked_for_an_item_only_when_there_is_a_token() -> None:
    asked: list[float] = []

    async def items() -> AsyncIterator[int]:
        for index in range(4):
            asked.append(trio.current_time())
            yield index

    async def main() -> None:
        start = trio.current_time()
        with counting_passes() as passes:
            it = board([after(1)] * 4, limit=2)
            verdict = await run_each_async(it.open(passes), items())
        assert verdict.error is None
        assert [time - start for time in asked] == [0, 0, 1, 1]

    run_virtually(main)


def test_an_async_collection_that_fails_cancels_the_jobs() -> None:
    async def items() -> AsyncIterator[int]:
        yield 0
        await trio.sleep(1)
        raise LookupError("gone")

    async def main() -> None:
        with counting_passes() as passes:
            it = board([after(9)], limit=5)
            verdict = await run_each_async(it.open(passes), items())
        assert str(verdict.error) == "gone"
        assert it.events == ["start 0", "cancelled 0"]

    run_virtually(main)


def test_a_graph_runs_by_data_flow_and_nothing_waits_for_what_it_does_not_depend_on() -> None:
    async def main() -> tuple[str, ...]:
        # 0 → 2, 1 → 3; 0 is slow, 1 is quick
        it = board([after(5), after(1), after(1), after(1)])
        with counting_passes() as passes:
            pool = GraphPool([0, 0, 1, 1], [[2], [3], [], []])
            await run_pool(it.open(passes), pool)
        return tuple(it.events[2:])

    [events] = outcomes(main, 50)
    assert events == ("end 1", "start 3", "end 3", "end 0", "start 2", "end 2")


@pytest.mark.parametrize(("limit", "last"), [(math.inf, 2.0), (2, 3.0)])
def test_of_nodes_that_become_ready_together_as_many_start_as_there_are_tokens(
    limit: float, last: float
) -> None:
    async def main() -> float:
        # 0 → 1, 2, 3
        it = board([after(1)] * 4, limit=limit)
        began = trio.current_time()
        with counting_passes() as passes:
            await run_pool(it.open(passes), GraphPool([0, 1, 1, 1], [[1, 2, 3], [], [], []]))
        return trio.current_time() - began

    assert outcomes(main, 50) == {last}


@pytest.mark.parametrize(
    ("dependents", "lasts"),
    [
        ([[3], [3, 4], [5], [6], [6], [6], []], [0] * 7),
        (
            [[], [2], [], []],
            [1, 2, 0, 0],
        ),  # a worker looks for a job in the pass in which 2 becomes ready
        ([[], [2], [], [], []], [1, 2, 3, 0, 0]),
    ],
)
def test_the_start_of_a_graphs_nodes_follows_from_passes_and_not_from_chance(
    dependents: list[list[int]], lasts: list[int]
) -> None:
    waits = [sum(index in each for each in dependents) for index in range(len(lasts))]

    async def main() -> tuple[tuple[int, int], ...]:
        with counting_passes() as passes:
            begun: list[tuple[int, int]] = []
            first = passes.now

            async def execute(index: int, item: Any, checked: bool) -> None:
                begun.append((passes.now - first, index))
                for _ in range(lasts[index]):
                    await trio.lowlevel.checkpoint()

            block = Block(execute, str, Policy(), 2, passes, lambda *_: None)
            await run_pool(block, GraphPool(waits, dependents))
        return tuple(sorted(begun))

    assert len(outcomes(main, 300)) == 1


def test_an_interrupt_surfaces_bare_before_any_error() -> None:
    async def main() -> None:
        jobs = [after(1, raising=ValueError()), after(1, raising=KeyboardInterrupt())]
        await board(jobs).run_each()

    for seed in range(20):
        with pytest.raises(KeyboardInterrupt):
            run_virtually(main, seed)


def test_first_of_a_group_is_the_interrupt_then_the_error() -> None:
    interrupt = SystemExit()
    error = ValueError()
    assert (
        first_of(BaseExceptionGroup("", [error, BaseExceptionGroup("", [interrupt])])) is interrupt
    )
    assert first_of(ExceptionGroup("", [error])) is error


def test_ctrl_c_in_a_job_cancels_the_others_and_returns_every_token() -> None:
    async def main() -> None:
        async def raise_signal() -> None:
            await trio.sleep(1)
            signal.raise_signal(signal.SIGINT)
            await trio.sleep(5)

        it = board([after(9), raise_signal, after(9)], limit=3)
        try:
            await it.run_each()
        finally:
            assert it.block.tokens.limiter.borrowed_tokens == 0

    with pytest.raises(KeyboardInterrupt):
        run_virtually(main)


@pytest.mark.parametrize(("limit", "borrowed"), [(2, 2), (math.inf, 0)])
def test_a_limiter_keeps_books_only_where_there_is_a_limit(limit: float, borrowed: int) -> None:
    seen: list[float] = []

    async def main() -> None:
        async def look() -> None:
            await trio.sleep(1)
            seen.append(it.block.tokens.limiter.borrowed_tokens)

        it = board([look, look], limit=limit)
        await it.run_pool()
        assert it.block.tokens.limiter.borrowed_tokens == 0

    run_virtually(main)
    assert seen[0] == borrowed


@pytest.mark.parametrize("way", ["run_each", "run_pool"])
def test_a_settled_block_stays_so_when_it_is_cancelled_from_outside_while_its_last_job_ends(
    way: str,
) -> None:
    """That its feed still waited for a token makes no difference."""

    async def shielded() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(9)

    async def main() -> None:
        it = board([shielded, after(1), after(1)], Policy(need=1, total=3), limit=2)
        verdict: Verdict | None = None
        with trio.move_on_after(5) as scope:
            verdict = await getattr(it, way)()
        assert scope.cancel_called
        assert verdict is not None
        assert (trio.current_time(), verdict.winners) == (9, (1,))
        assert sorted(it.events[:2]) == ["start 0", "start 1"]
        assert it.events[2:] == ["end 1", "end 0"]

    run_virtually(main)


def test_a_cancellation_from_outside_that_meets_the_feed_alone_passes_on() -> None:
    async def main() -> None:
        async def none_yet() -> AsyncGenerator[int, None]:
            await trio.sleep(9)
            yield 0

        it = board([after(1)], limit=2)
        with counting_passes() as passes, trio.move_on_after(5) as scope:
            async with aclosing(none_yet()) as items:
                await run_each_async(it.open(passes), items)
        assert scope.cancelled_caught
        assert it.events == []

    run_virtually(main)
