"""Owns the tests of what a body gives: the output of the last node in document order that ran."""

from __future__ import annotations

from typing import Any

import pytest

from stubs import Stubs

BODIES = [
    pytest.param("<phase name='p'>{}</phase>", id="graph"),
    pytest.param("<if id='i' condition='true'><then>{}</then></if>", id="sequence"),
]


@pytest.mark.parametrize("around", ["{}", *BODIES])
@pytest.mark.parametrize(
    ("nodes", "output"),
    [
        ('<source:stub id="a" gives="A"/><source:stub id="b" gives="B" if="false"/>', "A"),
        ('<source:stub id="a" gives="A"/><delay duration="1s" after="a"/>', "A"),
        ('<source:stub id="a" gives="A"/><fail message="no" if="a == 1"/>', "A"),
        ('<source:stub id="a" gives="A" takes="5s"/><source:stub id="b" gives="B"/>', "B"),
        ('<source:stub id="a" gives="A" if="false"/>', None),
        ('<delay duration="1s"/>', "in"),
        ('<source:stub id="a" gives="A" if="false"/><delay duration="1s" after="a"/>', None),
        ('<source:stub id="a" gives="A"/><if id="none" condition="false"><then/></if>', None),
        ('<source:stub id="a" gives="A"/><source:stub id="b"/>', None),
    ],
)
async def test_the_output_is_that_of_the_last_node_that_ran(
    around: str, nodes: str, output: Any, autojump_clock: Any
) -> None:
    assert (await Stubs().run(around.format(nodes), input="in")).output == output


async def test_a_branch_that_ends_with_a_delay_gives_what_stands_before_it(
    autojump_clock: Any,
) -> None:
    run = await Stubs().run(
        '<parallel id="p" merge="object">'
        '<branch><source:stub id="a" gives="A"/><delay duration="1s"/></branch></parallel>'
    )
    assert run.output == {"a": "A"}


async def test_a_delay_that_stands_in_for_a_node_gives_its_output(autojump_clock: Any) -> None:
    run = await Stubs().run(
        '<source:stub id="a" fails="no"><on-error><fallback node="d"/></on-error></source:stub>'
        '<delay id="d" duration="1s" input="$input"/>',
        input="in",
    )
    assert run.output == "in"


async def test_what_a_goto_passes_over_gives_no_output(autojump_clock: Any) -> None:
    async def decide(prompt: str, actions: Any) -> str:
        return "on"

    run = await Stubs().run(
        '<source:stub id="a" gives="A"/>'
        '<checkpoint id="ask"><action id="on" goto="c"/></checkpoint>'
        '<source:stub id="b" gives="B"/><source:stub id="c" gives="C" if="false"/>',
        decider=decide,
    )
    assert run.output["action"] == "on"
