"""Random workflows against the model: statuses, output, first error and virtual end time, of every one.

``FLOWSCRIPT_GENERATED=20000`` sets how many; then no feature and no pair of features may occur less than 200
times.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, Phase, given, seed, settings

from flowscript_trio.execution import attempts, blocks, recovery
from flowscript_trio.execution.branches import Branches
from flowscript_trio.execution.frame import Attempt, Outcome
from flowscript_trio.execution.walk import Walk
from flowscript_trio.scheduler.concurrency import Block
from flowscript_trio.scheduler.policy import Tally as BlockTally
from flowscript_trio.scheduler.policy import Verdict

from .features import FEATURES, NEVER, Tally, features_of
from .running import compare
from .runtimes import Leaves
from .shapes import Body, Leaf, Parallel, Workflow
from .strategies import workflows
from planting import plant_attempt

pytestmark = pytest.mark.slow

DEFAULT = 300
COUNT = int(os.environ.get("FLOWSCRIPT_GENERATED", DEFAULT))
ENOUGH = 200
"""How often each feature and each pair occurs in a long run."""
LONG = 20_000
BATCH = 1000


def explore(count: int, shrink: bool = True) -> Tally:
    """Compare so many workflows with the model; the smallest that differs is shown.

    In batches, each with a seed of its own: what hypothesis remembers of one is given back.
    """
    tally = Tally()
    for number, start in enumerate(range(0, count, BATCH)):
        explore_batch(number, min(BATCH, count - start), shrink, tally)
    return tally


def explore_batch(number: int, count: int, shrink: bool, tally: Tally) -> None:
    leaves = Leaves()

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[phase for phase in Phase if shrink or phase is Phase.generate],
    )
    @given(workflows())
    def agree(workflow: Workflow) -> None:
        expected = compare(workflow, leaves)
        features = features_of(workflow, expected.end)
        tally.add(features, expected.status, len(expected.errors) > 1)

    agree()


@pytest.mark.timeout(900 * max(1, COUNT // BATCH))  # a long run is to end as well
def test_generated_workflows_agree_with_the_model() -> None:
    tally = explore(COUNT)
    print("\n" + tally.render())  # noqa: T201
    assert set(tally.features) == set(FEATURES)
    if COUNT >= LONG:
        name, count = tally.rarest
        assert count >= ENOUGH, f"{name} occurred {count} times"


def test_a_tie_that_the_engine_decides_otherwise_is_told() -> None:
    one, two = Leaf("one", 1 << 32, "fail"), Leaf("two", 1 << 32, "fail")
    twins = Parallel("twins", (Body((one,)), Body((two,))), 2, twins=True)
    workflow = Workflow((twins,), ((),), NEVER)
    assert compare(workflow, Leaves()).errors == {"one"}


# ---- the comparison is worth something: faults of the engine do not pass ----


def siblings_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Block, "_cancel_all", lambda self: None)


def last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = BlockTally.conclude

    def last(self: BlockTally, *args: Any, **options: Any) -> Any:
        verdict = conclude(self, *args, **options)
        if verdict is None or verdict.error is None:
            return verdict
        ending = self.failures[-1]
        return replace(verdict, error=ending.error, failed=ending.index)

    monkeypatch.setattr(BlockTally, "conclude", last)


def cancellations_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_attempt = attempts.make_attempt

    async def stubborn(walk: Walk, *args: Any) -> Any:
        try:
            return await make_attempt(walk, *args)
        except trio.Cancelled:
            return await make_attempt(walk, *args)

    plant_attempt(monkeypatch, stubborn)


def time_limits_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = attempts.bounded

    async def late(seconds: float, *args: Any, **options: Any) -> Any:
        return await bounded(seconds + 1, *args, **options)

    monkeypatch.setattr(attempts, "bounded", late)


def outputs_in_order_of_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_counted", lambda branches, verdict, total: [*branches.outputs])


def nothing_is_undone_before_a_block_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(walk: Walk, attempt: Attempt, outcome: Outcome) -> Outcome:
        return outcome

    monkeypatch.setattr(attempts, "without_losers", forget)


def nothing_is_undone_before_a_further_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(*args: Any) -> list[BaseException]:
        return []

    monkeypatch.setattr(recovery, "compensate_inside", forget)


def what_is_late_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def judge(self: Branches, feed: Callable[[], Awaitable[Verdict]]) -> Verdict:
        return await feed()

    monkeypatch.setattr(Branches, "judge", judge)


def an_inner_deadline_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trio, "current_effective_deadline", lambda: inf)


@pytest.mark.breaks_the_engine
@pytest.mark.parametrize(
    "fault",
    [
        nothing_is_undone_before_a_block_goes_on,
        nothing_is_undone_before_a_further_attempt,
        what_is_late_is_kept,
        an_inner_deadline_goes_first,
        siblings_go_on,
        last_error,
        cancellations_are_tried_again,
        time_limits_come_late,
        outputs_in_order_of_their_ends,
    ],
)
def test_a_fault_of_the_engine_does_not_agree_with_the_model(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    with pytest.raises(AssertionError, match="the model has"):
        explore(10 * DEFAULT, shrink=False)  # it ends with the first that differs
