from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from checking import check_text
from stubs import Stubs


async def test_a_fail_ends_the_run_with_its_message(autojump_clock: Any) -> None:
    stubs = Stubs()
    with pytest.raises(fs.WorkflowFailed) as caught:
        await stubs.run(
            '<source:stub id="a" gives="3"/>'
            '<fail after="a" message="{{a}} is too few" status="409" retryable="false"/>'
        )
    error = caught.value
    assert str(error) == "3 is too few"
    assert (error.type, error.status, error.retryable) == (None, 409, False)
    failure = fs.failure_of(error)
    assert failure is not None
    assert failure.node == "fail@2"


async def test_a_fail_cancels_the_branches_beside_it(autojump_clock: Any) -> None:
    stubs = Stubs()
    with pytest.raises(fs.WorkflowFailed, match="enough"):
        await stubs.run(
            '<parallel id="p"><branch><source:stub id="long" takes="9s"/></branch>'
            '<branch><delay duration="1s"/><fail message="enough"/></branch></parallel>'
        )
    assert stubs.events == ["start long", "cancelled long"]
    assert trio.current_time() == 1


async def test_a_fail_is_skipped_where_its_if_does_not_hold(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<if id="i" condition="true"><then><source:stub id="a" gives="{{1}}"/>'
        '<fail id="f" if="a != 1" message="never"/></then></if>'
    )
    assert run.results["f"].status == "skipped"


async def test_a_handler_sees_what_a_fail_says_of_itself(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<fail id="f" message="later" type="Overloaded" status="503">'
        '<on-error><fallback node="h"/></on-error></fail>'
        '<transform:template id="h" '
        'template="{{[$error.type, $error.message, $error.status, $error.retryable]}}"/>'
    )
    assert run.output == ["Overloaded", "later", 503, True]


@pytest.mark.parametrize(
    ("says", "attempts"),
    [("", 1), ('retryable="true"', 3), ('status="503"', 3), ('status="503" retryable="false"', 1)],
)
async def test_a_fail_is_tried_again_where_it_says_that_this_may_help(
    says: str, attempts: int, autojump_clock: Any
) -> None:
    stubs = Stubs()
    with pytest.raises(fs.WorkflowFailed):
        await stubs.run(
            '<timeout id="t" duration="9h"><source:stub id="s"/>'
            f'<fail message="no" {says}/><on-error><retry max="2"/></on-error></timeout>'
        )
    assert stubs.events.count("start s") == attempts


async def test_a_fail_in_a_tolerant_block_is_tolerated(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<foreach id="each" collection="[1, 2, 3]" tolerate="1">'
        '<fail if="item == 2" message="two"/><source:stub id="s" gives="{{item}}"/></foreach>'
    )
    assert run.output == [1, None, 3]
    assert [branch.status for branch in run.results["each"].branches] == [
        "success", "failed", "success",
    ]  # fmt: skip


async def test_what_a_fail_says_of_a_secret_is_masked(autojump_clock: Any) -> None:
    flow = fs.loads(
        '<workflow name="w"><secret name="T"/>'
        '<fail message="token {{$secrets.T}}" type="Bad {{$secrets.T}}"/></workflow>'
    )
    with pytest.raises(fs.WorkflowFailed) as caught:
        await fs.run(flow, secrets={"T": "hunter2hunter2"})
    assert "hunter2" not in f"{caught.value} {caught.value.type}"


def test_a_fail_without_a_message_is_a_problem() -> None:
    [problem] = check_text("<fail/>").problems
    assert (problem.code, problem.message) == (
        "missing-setting", "<fail> needs the setting 'message'",
    )  # fmt: skip
