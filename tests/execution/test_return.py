from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from checking import check_text, waits_of
from stubs import Stubs


async def test_a_return_ends_the_run_with_its_value_and_skips_what_follows(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<source:stub id="a" gives="{{[]}}"/>'
        '<if id="none" condition="length(a) == 0"><then>'
        '<return id="r" value="{{ {found: 0} }}"/><source:stub id="late"/></then></if>'
        '<source:stub id="b"/><source:stub id="c" after="b"/>'
        '<output><set field="x" value="1"/></output>'
    )
    assert run.status == "completed"
    assert run.output == {"found": 0}
    assert stubs.events == ["start a", "end a"]
    assert {name: run.results[name].status for name in ("r", "late", "b", "c")} == {
        "r": "success", "late": "skipped", "b": "skipped", "c": "skipped",
    }  # fmt: skip


async def test_without_a_return_taken_everything_runs(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run('<return if="false" value="1"/><source:stub id="b" gives="{{2}}"/>')
    assert run.output == 2


@pytest.mark.parametrize(
    ("value", "output"),
    [('value="7"', 7), ('value="7" type="string"', "7"), ("", None), ('value="{{1 + 1}}"', 2)],
)
async def test_the_value_of_a_return_is_read_as_that_of_a_set(
    value: str, output: Any, autojump_clock: Any
) -> None:
    assert (await Stubs().run(f"<return {value}/>")).output == output


async def test_what_may_return_waits_for_all_before_it_and_all_behind_it_wait(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<source:stub id="slow" takes="5s"/><return value="done"/><source:stub id="b"/>'
    )
    assert run.output == "done"
    assert stubs.events == ["start slow", "end slow"]
    assert trio.current_time() == 5


def test_a_node_that_names_a_return_as_its_handler_is_a_barrier() -> None:
    waits = waits_of(
        '<source:stub id="a"/><source:stub id="b"><on-error><fallback node="r"/></on-error></source:stub>'
        '<source:stub id="c"/><return id="r" value="{{$error.message}}"/>'
    )
    assert waits == {"a": [], "b": ["a"], "c": ["b"], "r": []}


def test_a_block_that_holds_a_return_at_any_depth_is_a_barrier() -> None:
    waits = waits_of(
        '<source:stub id="a"/>'
        '<timeout id="t" duration="1s"><if id="i" condition="true"><then><return/></then></if></timeout>'
        '<source:stub id="c"/>'
    )
    assert waits == {"a": [], "t": ["a"], "c": ["t"]}


async def test_a_return_as_a_handler_ends_the_document(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<source:stub id="a" fails="no"><on-error><fallback node="r"/></on-error></source:stub>'
        '<source:stub id="b"/><return id="r" value="{{$error.message}}"/>'
    )
    assert run.output == "no"
    assert stubs.events == ["start a", "fail a"]
    assert run.status == "completed"


@pytest.mark.parametrize(
    "block",
    [
        '<loop id="x" max="3">{}</loop>',
        '<while id="x" condition="true">{}</while>',
        '<timeout id="x" duration="9s">{}</timeout>',
        '<phase name="x">{}</phase>',
        '<branch id="x"><case when="true">{}</case></branch>',
        '<if id="x" condition="false"><then><set var="n" value="1"/></then><else>{}</else></if>',
    ],
)
async def test_a_return_leaves_every_block_around_it(block: str, autojump_clock: Any) -> None:
    stubs = Stubs()
    inner = '<source:stub id="a"/><return value="{{42}}"/><source:stub id="b"/>'
    run = await stubs.run(block.format(inner) + '<source:stub id="c"/>')
    assert run.output == 42
    assert stubs.events == ["start a", "end a"]
    assert run.results["c"].status == "skipped"


async def test_finally_runs_after_a_return_and_compensations_do_not(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<source:stub id="a"><compensate><source:stub id="undo"/></compensate></source:stub>'
        '<phase name="p"><return value="{{1}}"/><source:stub id="b"/>'
        '<finally><source:stub id="inner"/></finally></phase>'
        '<finally><source:stub id="outer"/></finally>'
        '<on-workflow-error><source:stub id="bad"/></on-workflow-error>'
    )
    assert run.output == 1
    ran = [event for event in stubs.events if event.startswith("start")]
    assert ran == ["start a", "start inner", "start outer"]


async def test_a_finally_that_fails_goes_before_a_return(autojump_clock: Any) -> None:
    with pytest.raises(ValueError, match="broken"):
        await Stubs().run(
            '<return value="1"/><finally><source:stub id="f" fails="broken"/></finally>'
        )


async def test_a_return_ends_only_the_document_that_it_stands_in(
    tmp_path: Path, autojump_clock: Any
) -> None:
    (tmp_path / "inner.xml").write_text(
        '<workflow name="inner"><param name="n"/>'
        '<return if="n == 1" value="one"/><transform:template id="t" template="many"/></workflow>'
    )
    (tmp_path / "outer.xml").write_text(
        '<workflow name="outer"><call id="x" workflow="inner.xml" n="{{1}}"/>'
        '<call id="y" workflow="inner.xml" n="{{2}}"/>'
        '<include id="z" workflow="inner.xml"><bind key="n" value="1"/></include>'
        '<output><set field="all" value="{{[x, y, z]}}"/></output></workflow>'
    )
    run = await fs.run(fs.load(tmp_path / "outer.xml"))
    assert run.output == {"all": ["one", "many", "one"]}


async def test_a_return_is_cancelled_as_any_node(autojump_clock: Any) -> None:
    with trio.move_on_after(1) as scope:
        await Stubs().run('<source:stub id="a" takes="2s"/><return value="1"/>')
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '<parallel id="p"><branch><return/></branch></parallel>',
            "a return cannot leave a parallel",
        ),
        (
            '<foreach id="f" collection="[1]"><if id="i" condition="true"><then><return/></then></if>'
            "</foreach>",
            "a return cannot leave a foreach",
        ),
        (
            '<parallel id="p"><branch><source:stub id="a"><on-error><fallback node="r"/></on-error>'
            '</source:stub></branch></parallel><return id="r"/>',
            "a return cannot leave a parallel",
        ),
        (
            '<source:stub id="a"/><finally><if id="i" condition="true"><then><return/></then></if></finally>',
            "a return is not allowed in clean-up",
        ),
        (
            '<source:stub id="a"><compensate><return/></compensate></source:stub>',
            "a return is not allowed in clean-up",
        ),
        (
            '<source:stub id="a"/><on-workflow-error><return/></on-workflow-error>',
            "a return is not allowed in clean-up",
        ),
    ],
)
def test_a_return_where_it_cannot_leave_is_a_problem(body: str, message: str) -> None:
    found = [(p.code, p.message) for p in check_text(body).problems if p.severity == "error"]
    assert found == [("misplaced-return", message)]
