"""Owns the tests of ``stagger``: how long after each other the branches of a block start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from scheduling import outcomes
from stubs import Stubs


class Watch:
    """When each branch of a block started."""

    def __init__(self) -> None:
        self.starts: dict[str, float] = {}

    def __call__(self, event: Any) -> None:
        if type(event).__name__ == "BranchStarted":
            self.starts[event.path] = event.time


def hedged(*takes: str, more: str = "") -> str:
    inner = "".join(
        f'<branch><source:stub id="s{n}" gives="{n}" {one}/></branch>'
        for n, one in enumerate(takes)
    )
    return f'<parallel id="p" stagger="2s" {more}>{inner}</parallel>'


async def test_branches_start_one_after_the_other(autojump_clock: Any) -> None:
    watch = Watch()
    run = await Stubs().run(hedged(*['takes="9s"'] * 3), observers=[watch])
    assert watch.starts == {"p/0": 0, "p/1": 2, "p/2": 4}
    assert run.output == ["0", "1", "2"]
    assert trio.current_time() == 13


async def test_a_hedged_request_is_not_sent_where_the_first_answers_in_time(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    run = await stubs.run(hedged('takes="1s"', 'takes="1s"', more='wait="any"'))
    assert run.output == ["0"]
    assert stubs.events == ["start s0", "end s0"]
    assert trio.current_time() == 1
    assert [branch.started for branch in run.results["p"].branches] == [True, False]


async def test_a_hedged_request_that_is_slow_loses_against_the_next(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(hedged('takes="9s"', 'takes="1s"', 'takes="1s"', more='wait="any"'))
    assert run.output == ["1"]
    assert trio.current_time() == 3
    assert "start s2" not in stubs.events


async def test_the_next_branch_starts_when_the_one_before_has_failed(autojump_clock: Any) -> None:
    watch = Watch()
    await Stubs().run(
        hedged('takes="1s" fails="no"', 'takes="9s"', 'takes="9s"', more='wait="any"'),
        observers=[watch],
    )
    assert watch.starts == {"p/0": 0, "p/1": 1, "p/2": 3}


async def test_an_output_that_is_not_accepted_lets_the_next_branch_start(
    autojump_clock: Any,
) -> None:
    watch = Watch()
    run = await Stubs().run(
        hedged('takes="1s"', 'takes="9s"', more='wait="any" accept="result != \'0\'"'),
        observers=[watch],
    )
    assert watch.starts == {"p/0": 0, "p/1": 1}
    assert run.output == ["1"]


async def test_only_the_failure_of_the_branch_right_before_counts(autojump_clock: Any) -> None:
    watch = Watch()
    await Stubs().run(
        hedged('takes="3s" fails="no"', 'takes="9s"', 'takes="9s"', more='tolerate="1"'),
        observers=[watch],
    )
    assert watch.starts == {"p/0": 0, "p/1": 2, "p/2": 4}


async def test_a_branch_waits_for_its_turn_and_for_a_token(autojump_clock: Any) -> None:
    watch = Watch()
    await Stubs().run(
        hedged('takes="5s"', 'takes="1s"', 'takes="1s"', more='maxConcurrency="1"'),
        observers=[watch],
    )
    assert watch.starts == {"p/0": 0, "p/1": 5, "p/2": 7}


class Numbers:
    """Collections that an application gives: each is walked once."""

    def __init__(self) -> None:
        self.closed = False

    def plain(self) -> Iterator[int]:
        try:
            yield from (1, 2, 3)
        finally:
            self.closed = True

    async def slow(self) -> AsyncIterator[int]:
        try:
            for number in (1, 2, 3):
                await trio.sleep(1)  # virtual
                yield number
        finally:
            self.closed = True


EACH = (
    '<foreach id="f" collection="$input" maxConcurrency="9" stagger="2s">'
    '<source:stub id="s" gives="{{item}}" takes="1s"/></foreach>'
)


@pytest.mark.parametrize(
    ("kind", "starts"), [("list", [0, 2, 4]), ("plain", [0, 2, 4]), ("slow", [1, 3, 5])]
)
async def test_the_iterations_of_a_foreach_start_one_after_the_other(
    kind: str, starts: list[float], autojump_clock: Any
) -> None:
    watch, numbers = Watch(), Numbers()
    given = [1, 2, 3] if kind == "list" else getattr(numbers, kind)()
    run = await Stubs().run(EACH, input=given, observers=[watch])
    assert run.output == [1, 2, 3]
    assert list(watch.starts.values()) == starts
    assert numbers.closed == (kind != "list")


async def test_nothing_is_waited_for_behind_the_last_branch(autojump_clock: Any) -> None:
    await Stubs().run(hedged('takes="1s"', 'takes="1s"'))
    assert trio.current_time() == 3


async def test_a_cancellation_ends_the_wait_for_the_next_branch(autojump_clock: Any) -> None:
    stubs = Stubs()
    with trio.move_on_after(1) as scope:
        await stubs.run(hedged('takes="9s"', 'takes="1s"'))
    assert scope.cancelled_caught
    assert trio.current_time() == 1
    assert stubs.events == ["start s0", "cancelled s0"]


def test_the_block_is_over_at_once_where_the_first_fails_while_the_second_waits() -> None:
    stubs = Stubs()

    async def main() -> tuple[str, float]:
        with pytest.raises(ValueError, match="no") as caught:
            await stubs.run(hedged('takes="1s" fails="no"', 'takes="1s"', 'takes="1s"'))
        return str(caught.value), trio.current_time()

    assert outcomes(main) == {("no", 1.0)}
    assert "end s1" not in stubs.events


async def test_a_break_ends_the_wait_for_the_next_iteration(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<foreach id="f" collection="[1, 2, 3]" maxConcurrency="3" stagger="9s">'
        '<source:stub id="s" gives="{{item}}" takes="1s"/><break/></foreach>'
    )
    assert run.output == [1]
    assert trio.current_time() == 1


async def test_a_stagger_that_cannot_be_is_an_error_of_the_block(autojump_clock: Any) -> None:
    with pytest.raises(fs.SettingError, match="stagger"):
        await Stubs().run(
            '<parallel id="p" stagger="{{sign(-5)}}s"><branch><source:stub id="a"/></branch></parallel>'
        )
