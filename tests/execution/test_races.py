from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from stubs import Stubs


@pytest.mark.parametrize(
    ("collection", "given"), [("[1, 2]", None), ("$input", "generator"), ("[]", None)]
)
async def test_a_race_over_too_few_items_is_an_error(
    collection: str, given: str | None, autojump_clock: Any
) -> None:
    items = (n for n in (1, 2)) if given else None
    with pytest.raises(
        fs.SettingError, match="'each' waits for 3 of its branches to succeed, and has"
    ):
        await Stubs().run(
            f'<foreach id="each" collection="{collection}" wait="n(3)" maxConcurrency="2">'
            '<source:stub id="s"/></foreach>',
            input=items,
        )


async def test_a_computed_k_larger_than_the_number_of_branches_is_an_error_before_any_starts(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(fs.SettingError, match="'p' waits for 2 of its branches"):
        await stubs.run(
            '<parallel id="p" wait="n({{1 + 1}})"><branch><source:stub id="s"/></branch></parallel>'
        )
    assert stubs.events == []


async def test_the_winners_of_a_foreach_stand_in_the_order_in_which_they_finished(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<foreach id="each" collection="[3, 1, 2, 9]" wait="n(2)" maxConcurrency="unlimited">'
        '<source:stub id="s" takes="{{item}}s" gives="{{item}}"/></foreach>'
        '<transform type="template" id="end" template="{{[each, s]}}"/>'
    )
    assert run.output == [[1, 2], 2]


async def test_a_race_that_is_cancelled_while_it_cancels_its_losers_says_by_whom(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        """<parallel id="p" wait="any">
          <branch><foreach id="f" collection="[1, 9]" wait="any" maxConcurrency="2">
            <source:stub id="a" takes="{{item}}s" cleanup="slow"/></foreach></branch>
          <branch><source:stub id="b" takes="1.5s"/></branch>
        </parallel>"""
    )
    [inner] = run.record["p/0/f[1]/a"]
    assert inner.cancelled_by is not None
    assert inner.cancelled_by.by == "p/0/f[0]"
    outer = run.results["f"]
    assert outer.status == "cancelled"
    assert outer.cancelled_by is not None
    assert outer.cancelled_by.by == "p/1"


async def test_a_race_that_times_out_while_it_cancels_its_losers_says_so(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    run = await stubs.run(
        """<timeout id="t" duration="1.5s" on-timeout="late">
          <foreach id="f" collection="[1, 9]" wait="any" maxConcurrency="2">
            <source:stub id="a" takes="{{item}}s" cleanup="slow"/></foreach>
        </timeout>
        <source:stub id="late"/>"""
    )
    outer = run.results["f"]
    assert outer.cancelled_by is not None
    assert outer.cancelled_by.reason == "t timed out"


async def test_a_race_that_is_cancelled_from_outside_while_it_cancels_its_losers_says_so(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    flow = stubs.load(
        """<foreach id="f" collection="[1, 9]" wait="any" maxConcurrency="2">
          <source:stub id="a" takes="{{item}}s" cleanup="slow"/></foreach>"""
    )
    async with trio.open_nursery() as nursery:
        run = await nursery.start(fs.run, flow)
        await trio.sleep(1.5)  # virtual
        nursery.cancel_scope.cancel("the application stops")
    outer = run.results["f"].cancelled_by
    assert (outer.by, outer.reason) == (None, "cancelled from outside: the application stops")
