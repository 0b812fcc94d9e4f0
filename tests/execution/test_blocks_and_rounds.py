"""Owns the tests of what bodies give and where they end: merged outputs, inputs, breaks and too many rounds."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import assert_checkpoints

import flowscript_trio as fs

from stubs import Stubs


async def test_objects_are_merged_and_a_later_branch_overrides_an_earlier_one() -> None:
    run = await Stubs().run(
        '<parallel id="p" merge="object">'
        '<branch><source:stub id="a" gives="{{{x: 1, y: 1}}}"/></branch>'
        '<branch><source:stub id="b" gives="{{{y: 2}}}"/></branch>'
        '<branch><source:stub id="c" gives="{{3}}"/></branch></parallel>'
    )
    assert run.output == {"x": 1, "y": 2, "c": 3}


async def test_the_input_of_a_block_is_that_of_the_nodes_in_it() -> None:
    run = await Stubs().run(
        '<source:stub id="a" gives="{{7}}"/>'
        '<timeout id="t" duration="5s" input="a">'
        '<transform:template id="said" template="{{input}}"/></timeout>'
    )
    assert run.output == 7


async def test_a_while_that_goes_on_beyond_its_max_fails() -> None:
    with pytest.raises(fs.FlowScriptError, match="'w' is still true after 2 rounds"):
        await Stubs().run('<while id="w" condition="true" max="2"><source:stub id="a"/></while>')


async def test_a_break_in_a_phase_leaves_the_loop_around_it() -> None:
    stubs = Stubs()
    run = await stubs.run(
        '<loop id="l" max="5"><phase name="ph"><source:stub id="a" gives="{{1}}"/>'
        '<break after="a"/></phase><source:stub id="never"/></loop>'
    )
    assert run.results["l"].status == "success"
    ran = [each.id for each in run.record if each.status == "success"]
    assert ran.count("a") == 1
    assert "never" not in ran


async def test_a_break_in_an_iteration_leaves_the_loop_that_it_names() -> None:
    run = await Stubs().run(
        '<loop id="outer" max="5"><foreach id="each" collection="[1, 2]">'
        '<source:stub id="a"/><break loop="outer"/></foreach><source:stub id="never"/></loop>'
    )
    ran = [each.id for each in run.record if each.status == "success"]
    assert ran.count("a") == 1
    assert "outer" in ran
    assert "never" not in ran


async def test_a_timeout_block_that_its_own_limit_ends_says_which(autojump_clock: Any) -> None:
    with pytest.raises(trio.TooSlowError, match="'t' took longer than 1 s"):
        await Stubs().run(
            '<timeout id="t" duration="5s" timeout="1s"><source:stub id="a" takes="9s"/></timeout>'
        )
    assert trio.current_time() == 1


async def test_a_run_in_which_nothing_waits_is_a_checkpoint_all_the_same() -> None:
    flow = fs.loads('<workflow name="w"><set if="false" var="x" value="1"/></workflow>')
    with assert_checkpoints():
        await fs.run(flow)


async def test_an_open_circuit_that_outlasts_the_time_left_leads_to_the_fallback_at_once(
    autojump_clock: Any,
) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:down")
    async def down(params: fs.ExecutionParams) -> Any:
        raise ConnectionRefusedError

    flow = fs.loads(
        """<workflow name="w"><limit name="api" breaker="1 in 1m, 30s"/>
        <timeout id="t" duration="10s"><source:down id="a" limit="api">
          <on-error><retry max="3" base="1s"/><fallback node="b"/></on-error></source:down></timeout>
        <transform:template id="b" template="from the cache"/></workflow>""",
        registry=registry,
    )
    run = await fs.run(flow)
    assert run.results["a"].output == "from the cache"
    assert trio.current_time() == 1  # the wait of the retry; 30 s would end after the deadline


async def test_more_values_than_are_remembered_are_shown_without_secrets() -> None:
    nodes = "".join(
        f'<transform:template id="n{number}" format="json" '
        f"template='{{&quot;key&quot;: &quot;{{{{$secrets.KEY}}}}&quot;}}'/>"
        for number in range(40)
    )
    flow = fs.loads(f'<workflow name="w"><secret name="KEY"/>{nodes}</workflow>')
    seen: list[Any] = []
    await fs.run(flow, secrets={"KEY": "do-not-tell-2471"}, observers=[seen.append])
    said = repr(seen)
    assert "n39" in said
    assert "***" in said
    assert "do-not-tell-2471" not in said
