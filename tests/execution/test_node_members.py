"""Owns the tests of what expressions see of a node beside its output: ``status``, ``error``, ``failures``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from stubs import Stubs


async def told(body: str, *names: str, **options: Any) -> list[Any]:
    """What the last node of a workflow sees of the names, once all before it has ended."""
    seen = ", ".join(names)
    body += f'<phase name="last"><transform:template id="end" template="{{{{[{seen}]}}}}"/></phase>'
    output: list[Any] = (await Stubs().run(body, **options)).output
    return output


async def test_the_status_of_nodes_that_ran_failed_or_were_skipped(autojump_clock: Any) -> None:
    assert await told(
        '<source:stub id="a"/><source:stub id="b" if="false"/>'
        '<source:stub id="c" fails="no"><on-error><fallback node="h"/></on-error></source:stub>'
        '<source:stub id="h" gives="instead"/>',
        *("a.status", "b.status", "c.status", "c.error.message", "c.error.type", "c", "a.error"),
    ) == ["success", "skipped", "success", "no", "ValueError", "instead", None]


async def test_the_error_of_a_fail_has_its_type_and_status(autojump_clock: Any) -> None:
    assert await told(
        '<fail id="f" message="m" type="Odd" status="409">'
        '<on-error><fallback node="h"/></on-error></fail><source:stub id="h"/>',
        "f.error",
    ) == [{"type": "Odd", "message": "m", "status": 409}]


async def test_the_nodes_of_a_side_that_is_not_taken_are_skipped(autojump_clock: Any) -> None:
    assert await told(
        '<if id="i" condition="true"><then><source:stub id="a"/></then>'
        '<else><source:stub id="b"/></else></if>'
        '<branch id="x"><case when="false"><if id="j" condition="true"><then><source:stub id="c"/></then>'
        "</if></case></branch>",
        *("a.status", "b.status", "c.status", "j.status", "b"),
    ) == ["success", "skipped", "skipped", "skipped", None]


async def test_the_nodes_inside_a_block_that_is_skipped_are_skipped(autojump_clock: Any) -> None:
    assert await told(
        '<timeout id="t" duration="1s" if="false"><source:stub id="a"/></timeout>',
        *("t.status", "a.status"),
    ) == ["skipped", "skipped"]


async def test_what_a_break_leaves_out_is_skipped(autojump_clock: Any) -> None:
    assert await told(
        '<loop id="l" max="2"><source:stub id="a"/><break/><source:stub id="b"/></loop>',
        *("a.status", "b.status"),
    ) == ["success", "skipped"]


async def test_what_a_goto_passes_over_is_skipped(autojump_clock: Any) -> None:
    async def decide(prompt: str, actions: Any) -> str:
        return "on"

    assert await told(
        '<checkpoint id="ask"><action id="on" goto="c"/></checkpoint>'
        '<timeout id="t" duration="1s"><source:stub id="b"/></timeout><source:stub id="c"/>',
        *("t.status", "b.status", "c.status"),
        decider=decide,
    ) == ["skipped", "skipped", "success"]


async def test_of_a_race_the_losers_say_how_they_ended(autojump_clock: Any) -> None:
    assert await told(
        '<parallel id="p" wait="any">'
        '<branch><source:stub id="first" gives="1"/><source:stub id="slow" takes="9s"/>'
        '<source:stub id="never"/></branch>'
        '<branch><source:stub id="quick" takes="1s" gives="2"/></branch>'
        '<branch><source:stub id="bad" fails="no"/><source:stub id="behind"/></branch></parallel>',
        *("first.status", "slow.status", "never.status", "quick.status", "bad.status"),
        *("behind.status", "bad.error.message", "first", "quick"),
    ) == [
        "success", "cancelled", "cancelled", "success", "failed", "cancelled", "no", None, "2",
    ]  # fmt: skip


async def test_of_branches_that_never_started_the_nodes_are_cancelled(autojump_clock: Any) -> None:
    assert await told(
        '<parallel id="p" wait="any" maxConcurrency="1"><branch><source:stub id="a"/></branch>'
        '<branch><source:stub id="b"/></branch></parallel>',
        "b.status",
    ) == ["cancelled"]


async def test_after_a_foreach_the_statuses_are_those_of_the_last_iteration(
    autojump_clock: Any,
) -> None:
    body = (
        '<foreach id="f" collection="{}" tolerate="9" maxConcurrency="{}"><source:stub id="a"/>'
        '<source:stub id="b" fails="{{{{item == 3 ? \'no\' : null}}}}"/><source:stub id="c"/></foreach>'
    )
    for limit in (1, 3):
        assert await told(body.format([1, 2, 3], limit), "a.status", "b.status", "c.status") == [
            "success", "failed", "cancelled",
        ]  # fmt: skip
        assert await told(body.format([3, 2, 1], limit), "a.status", "b.status", "c.status") == [
            "success", "success", "success",
        ]  # fmt: skip
    assert await told(body.format([], 1), "a.status") == ["skipped"]


async def test_the_failures_that_a_foreach_tolerates_say_item_and_error(
    autojump_clock: Any,
) -> None:
    [failures, output] = await told(
        '<foreach id="f" collection="[1, 2, 3]" tolerate="2">'
        '<fail if="item != 2" message="{{item}} is odd" type="Odd" status="422"/>'
        '<source:stub id="s" gives="{{item}}"/></foreach>',
        *("f.failures", "f"),
    )
    assert output == [None, 2, None]
    assert failures == [
        {"index": 0, "item": 1, "type": "Odd", "message": "1 is odd", "status": 422},
        {"index": 2, "item": 3, "type": "Odd", "message": "3 is odd", "status": 422},
    ]


async def test_the_failures_of_a_parallel_have_no_item_and_null_for_what_has_no_status(
    autojump_clock: Any,
) -> None:
    assert await told(
        '<parallel id="p" tolerate="1"><branch><source:stub id="a"/></branch>'
        '<branch><source:stub id="b" fails="no"/></branch></parallel>',
        *("p.failures", "a.failures"),
    ) == [
        [{"index": 1, "item": None, "type": "ValueError", "message": "no", "status": None}],
        [],
    ]


async def test_a_member_of_the_output_goes_before_that_of_the_node(autojump_clock: Any) -> None:
    assert await told(
        '<source:stub id="a" gives="{{ {status: \'mine\', failures: 7} }}"/>',
        *("a.status", "a.failures"),
    ) == ["mine", 7]


@pytest.mark.parametrize(
    ("fails", "statuses"),
    [
        ("", ["success", "success", "success", "skipped"]),
        ('fails="no"', ["success", "failed", "cancelled", "cancelled"]),
    ],
)
@pytest.mark.parametrize("around", ["{}", '<timeout id="t" duration="9h">{}</timeout>'])
async def test_clean_up_sees_what_began_what_failed_and_what_did_not_begin(
    around: str, fails: str, statuses: list[str], autojump_clock: Any
) -> None:
    seen: list[Any] = []
    stubs = Stubs()

    @stubs.registry.runtime("sink:see")
    async def see(params: fs.ExecutionParams) -> None:
        await trio.lowlevel.checkpoint()
        seen.extend(params.config["all"])

    body = around.format(
        f'<source:stub id="a"/><source:stub id="b" after="a" {fails}/>'
        '<source:stub id="c" after="b"/><if id="i" after="c" condition="false">'
        '<then><source:stub id="d"/></then></if>'
        '<finally><sink:see id="s" all="{{[a.status, b.status, c.status, d.status]}}"/></finally>'
    )
    with suppress(ValueError):
        await stubs.run(body)
    assert seen == statuses
