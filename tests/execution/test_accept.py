"""Owns the tests of ``accept``: which outputs of branches a block takes."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from checking import check_text
from scheduling import outcomes
from stubs import Stubs


def branches(*written: str) -> str:
    return "".join(f"<branch>{one}</branch>" for one in written)


def stub(name: str, gives: Any, takes: int = 0, more: str = "") -> str:
    return f'<source:stub id="{name}" gives="{{{{{gives}}}}}" takes="{takes}s" {more}/>'


async def test_the_first_accepted_output_wins_a_race(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<parallel id="p" wait="any" accept="result.score &gt; 5">'
        + branches(
            stub("quick", "{score: 1}", 1),
            stub("right", "{score: 9}", 2),
            stub("slow", "{score: 9}", 9),
        )
        + "</parallel>"
    )
    assert run.output == [{"score": 9}]
    assert trio.current_time() == 2
    found = {branch.index: branch for branch in run.results["p"].branches}
    assert [found[index].status for index in range(3)] == ["failed", "success", "cancelled"]
    assert isinstance(found[0].error, fs.NotAccepted)
    assert str(found[0].error) == "the output of p/0 was not accepted"


async def test_an_output_that_is_not_accepted_fails_its_block(autojump_clock: Any) -> None:
    stubs = Stubs()
    with pytest.raises(fs.NotAccepted, match="the output of p/1 was not accepted") as caught:
        await stubs.run(
            '<parallel id="p" accept="result != 2">'
            + branches(stub("a", 1, 1), stub("b", 2, 2), stub("c", 3, 9))
            + "</parallel>"
        )
    assert "cancelled c" in stubs.events
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert (failure.path, failure.branch) == ("p/1/@accept", "p/1")
    assert any("accept of 'p'" in note and "failed for p/1" in note for note in failure.notes)


async def test_what_is_not_accepted_may_be_tolerated(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<foreach id="f" collection="[1, 2, 3]" tolerate="1" maxConcurrency="3" accept="result != 2">'
        '<source:stub id="s" gives="{{item}}"/></foreach>'
    )
    assert run.output == [1, None, 3]


async def test_the_nodes_of_a_branch_that_is_not_accepted_are_null_after_the_block(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<parallel id="p" tolerate="1" accept="result != 2">'
        + branches(stub("a", 1), stub("b", 2))
        + '</parallel><transform:template id="t" template="{{[a, b, p]}}"/>'
    )
    assert run.output == [1, None, [1, None]]


async def test_what_succeeded_in_a_branch_that_is_not_accepted_is_compensated(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    await stubs.run(
        '<parallel id="p" tolerate="1" accept="result != 2">'
        + branches(
            stub("a", 1),
            '<source:stub id="b" gives="{{2}}"><compensate><source:stub id="undo"/></compensate></source:stub>',
        )
        + '</parallel><source:stub id="after" after="p"/>'
    )
    assert stubs.events.index("end undo") < stubs.events.index("start after")


async def test_accept_sees_the_scope_of_the_block(autojump_clock: Any) -> None:
    run = await Stubs().run(
        stub("least", 2)
        + '<parallel id="p" wait="any" accept="result &gt;= least">'
        + branches(stub("a", 1, 1), stub("b", 3, 2))
        + "</parallel>"
    )
    assert run.output == [3]


async def test_an_accept_that_fails_is_the_error_of_its_branch(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<foreach id="f" collection="[1, 0]" tolerate="1" accept="1 / result &gt; 0">'
        '<source:stub id="s" gives="{{item}}"/></foreach>'
    )
    assert run.output == [1, None]
    [failed] = [branch for branch in run.results["f"].branches if branch.status == "failed"]
    assert isinstance(failed.error, fs.EvaluationError)


async def test_where_none_is_accepted_the_first_refusal_surfaces_and_the_fallback_runs(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<parallel id="p" wait="any" accept="false">'
        + branches(stub("a", 1, 2), stub("b", 2, 1))
        + '<on-error><fallback node="h"/></on-error></parallel>'
        '<transform:template id="h" template="{{$error.type}}: {{$error.message}}"/>'
    )
    assert run.output == "NotAccepted: the output of p/1 was not accepted"


async def test_accept_is_judged_again_in_each_attempt_of_the_block(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<parallel id="p" accept="$attempt == 2">'
        + branches(stub("a", 1))
        + '<on-error><retry when="error.type == \'NotAccepted\'" base="1s"/></on-error></parallel>'
    )
    assert run.output == [1]
    assert run.results["p"].attempts == 2


def test_a_refusal_and_an_error_of_one_pass_are_decided_by_document_order() -> None:
    stubs = Stubs()

    async def main() -> str:
        with pytest.raises((fs.NotAccepted, ValueError)) as caught:
            await stubs.run(
                '<parallel id="p" accept="result != 1">'
                + branches(stub("a", 1, 1), '<source:stub id="b" takes="1s" fails="b"/>')
                + "</parallel>"
            )
        return str(caught.value)

    assert outcomes(main, 50) == {"the output of p/0 was not accepted"}


def test_accept_cannot_see_the_nodes_of_the_branches() -> None:
    codes = {
        problem.code
        for problem in check_text(
            '<parallel id="p" accept="a == 1"><branch><source:stub id="a"/></branch></parallel>'
        ).problems
    }
    assert codes == {"own-node"}


async def test_what_ends_after_the_deadline_of_a_block_that_keeps_is_not_kept_though_accepted(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<parallel id="p" timeout="2s" on-timeout="keep" tolerate="2" accept="result != 1">'
        + branches(stub("a", 1, 1), stub("b", 2, 1), stub("c", 3, 5))
        + "</parallel>"
    )
    assert run.output == [None, 2, None]
