from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

from stubs import Stubs

INNER = '<set var="v" value="inside"/><source:stub id="a" gives="a"/>'
FAILS = '<source:stub id="bad" takes="1s" fails="bad"/>'
HANDLED = '<on-error><fallback node="spare"/></on-error>'


@pytest.mark.parametrize(
    "block",
    [
        f'<parallel id="b">{HANDLED}<branch>{INNER}</branch><branch>{FAILS}</branch></parallel>',
        f'<foreach id="b" collection="[1]">{HANDLED}{INNER}{FAILS}</foreach>',
        f'<if id="b" condition="true"><then>{INNER}{FAILS}</then>{HANDLED}</if>',
        f'<branch id="b"><case when="true">{INNER}{FAILS}</case>{HANDLED}</branch>',
        f'<loop id="b" max="2">{HANDLED}{INNER}{FAILS}</loop>',
        f'<while id="b" condition="$iteration &lt; 1">{HANDLED}{INNER}{FAILS}</while>',
        f'<timeout id="b" duration="1h">{HANDLED}{INNER}{FAILS}</timeout>',
        f'<timeout id="b" duration="1ms" on-timeout="spare">{INNER}{FAILS}</timeout>',
        f'<if id="b" condition="true"><then><if id="i" condition="true"><then>{INNER}</then></if>{FAILS}'
        f"</then>{HANDLED}</if>",
    ],
)
async def test_of_a_block_that_failed_nothing_is_published(block: str, autojump_clock: Any) -> None:
    run = await Stubs().run(f"""
        <set var="v" value="before"/>{block}<source:stub id="spare" gives="instead"/>
        <transform type="template" id="end" template="{{{{[b, a, a.status, v]}}}}"/>""")
    assert run.output == ["instead", None, None, "before"]
    assert run.record.latest["a"].output == "a"


async def test_of_a_block_that_is_complete_everything_is_published(autojump_clock: Any) -> None:
    run = await Stubs().run(f"""
        <set var="v" value="before"/>
        <if id="b" condition="true"><then>{INNER}</then></if>
        <transform type="template" id="end" template="{{{{[b, a, a.status, v]}}}}"/>""")
    assert run.output == ["a", "a", "success", "inside"]


async def test_of_a_race_only_the_winners_are_published(autojump_clock: Any) -> None:
    run = await Stubs().run("""<parallel id="p" wait="any">
        <branch><source:stub id="first" gives="1"/><source:stub id="slow" takes="9s"/></branch>
        <branch><source:stub id="quick" takes="1s" gives="2"/></branch>
      </parallel>
      <transform type="template" id="end" template="{{[p, first, slow, quick]}}"/>""")
    assert run.output == [["2"], None, None, "2"]


async def test_of_those_that_end_in_one_pass_only_the_winner_is_published(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run("""<parallel id="p" wait="any">
        <branch><source:stub id="first" takes="1s" gives="1"/></branch>
        <branch><source:stub id="second" takes="1s" gives="2"/></branch>
      </parallel>
      <transform type="template" id="end" template="{{[p, first, second]}}"/>""")
    assert [branch.status for branch in run.results["p"].branches] == ["success", "success"]
    assert run.output == [["1"], "1", None]


async def test_what_an_iteration_sets_ends_with_it(autojump_clock: Any) -> None:
    run = await Stubs().run("""<set var="v" value="0"/>
      <foreach id="each" collection="[1, 2, 3]">
        <set var="v" value="{{v + item}}"/><source:stub id="s" gives="{{v}}"/>
      </foreach>
      <transform type="template" id="end" template="{{[each, v]}}"/>""")
    assert run.output == [[1, 2, 3], 0]


async def test_a_record_knows_the_paths_that_it_has() -> None:
    flow = fs.loads(
        '<workflow name="w"><phase name="p"><set var="v" value="1"/></phase></workflow>'
    )
    run = await fs.run(flow)
    [inner] = [result.path for result in run.record if result.path.startswith("p/")]
    assert inner in run.record
    assert "p" in run.record
    assert "q" not in run.record
