from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.decisions import Action
from flowscript_trio.types.events import Event, RunWarning

LIMITS = {
    "node": '<source:late id="n" how="{how}" timeout="2s"/>',
    "timeout": '<timeout id="n" duration="2s"><source:late id="inner" how="{how}"/></timeout>',
    "parallel": '<parallel id="n" timeout="2s"><branch><source:late id="inner" how="{how}"/></branch></parallel>',
    "foreach": '<foreach id="n" collection="[1]" timeout="2s"><source:late id="inner" how="{how}"/></foreach>',
    "if": '<if id="n" condition="true" timeout="2s"><then><source:late id="inner" how="{how}"/></then></if>',
    "clean-up": '<delay duration="1s"/><finally timeout="2s"><source:late id="inner" how="{how}"/></finally>',
}
WAYS = ("shields", "blocks", "swallows", "ties")


def registry(clock: MockClock) -> fs.Registry:
    """With ``source:late``, which ends normally at 2 s or later, or with an error of its own, as told."""
    own = fs.Registry(base=fs.registry)

    @own.runtime("source:late")
    async def late(params: fs.ExecutionParams) -> str:
        how = params.config["how"]
        if how == "ties":
            await trio.sleep(2)  # virtual
        elif how == "blocks":
            await trio.lowlevel.checkpoint()
            clock.jump(3)
        elif how == "swallows":
            with suppress(trio.Cancelled):
                await trio.sleep_forever()
        else:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)  # virtual
        if how == "fails":
            raise ValueError("its own")
        return "late"

    return own


def load(clock: MockClock, body: str, more: str = "") -> fs.Flow:
    return fs.loads(f'<workflow name="w"{more}>{body}</workflow>', registry=registry(clock))


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("limit", LIMITS)
async def test_what_ends_after_its_deadline_is_too_slow(
    autojump_clock: MockClock, limit: str, how: str
) -> None:
    with pytest.raises(trio.TooSlowError, match="took longer than 2 s"):
        await fs.run(load(autojump_clock, LIMITS[limit].format(how=how)))


@pytest.mark.parametrize("how", WAYS)
async def test_a_run_that_ends_after_its_deadline_is_too_slow(
    autojump_clock: MockClock, how: str
) -> None:
    flow = load(autojump_clock, f'<source:late id="n" how="{how}"/>', ' timeout="2s"')
    with pytest.raises(trio.TooSlowError, match="'w' took longer than 2 s"):
        await fs.run(flow)


@pytest.mark.parametrize("limit", LIMITS)
async def test_an_error_of_its_own_stays_the_error_after_the_deadline(
    autojump_clock: MockClock, limit: str
) -> None:
    with pytest.raises(ValueError, match="its own"):
        await fs.run(load(autojump_clock, LIMITS[limit].format(how="fails")))


@pytest.mark.parametrize("how", WAYS)
async def test_an_answer_after_the_deadline_of_a_checkpoint_is_not_taken(
    autojump_clock: MockClock, how: str
) -> None:
    async def decide(prompt: str, actions: Sequence[Action]) -> str:
        if how == "blocks":
            autojump_clock.jump(3)
        elif how == "ties":
            await trio.sleep(2)  # virtual
        elif how == "swallows":
            with trio.move_on_after(9):
                try:
                    await trio.sleep_forever()
                except trio.Cancelled:
                    return "reject"
        else:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)  # virtual
        return "reject"

    flow = load(autojump_clock, '<checkpoint id="ask" prompt="?" timeout="2" default="approve"/>')
    run = await fs.run(flow, decider=decide)
    assert run.output["action"] == "approve"
    assert run.output["timed_out"]


OUTER = {
    "timeout": '<timeout id="outer" duration="{seconds}s">{body}</timeout>',
    "parallel": '<parallel id="outer" timeout="{seconds}s"><branch>{body}</branch></parallel>',
    "if": '<if id="outer" condition="true" timeout="{seconds}s"><then>{body}</then></if>',
}


@pytest.mark.parametrize("seconds", [1, 2])
@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("limit", [name for name in LIMITS if name != "clean-up"])
@pytest.mark.parametrize("how", ["shields", "blocks"])
async def test_an_outer_deadline_goes_before_an_inner_one(
    autojump_clock: MockClock, how: str, limit: str, outer: str, seconds: int
) -> None:
    inner = LIMITS[limit].format(how=how)
    flow = load(autojump_clock, OUTER[outer].format(body=inner, seconds=seconds))
    with pytest.raises(trio.TooSlowError, match=f"'outer' took longer than {seconds} s"):
        await fs.run(flow)


@pytest.mark.parametrize("how", ["shields", "blocks"])
async def test_a_deadline_of_the_application_goes_before_one_inside(
    autojump_clock: MockClock, how: str
) -> None:
    flow = load(autojump_clock, LIMITS["node"].format(how=how))
    with trio.move_on_after(1) as scope:
        await fs.run(flow)
    assert scope.cancelled_caught


async def test_an_inner_deadline_that_passes_alone_is_the_inner_one(
    autojump_clock: MockClock,
) -> None:
    inner = LIMITS["node"].format(how="shields")
    flow = load(autojump_clock, OUTER["timeout"].format(body=inner, seconds=5))
    with pytest.raises(trio.TooSlowError, match="'n' took longer than 2 s"):
        await fs.run(flow)


async def test_clean_up_that_is_too_slow_says_so_under_a_cancellation_too(
    autojump_clock: MockClock,
) -> None:
    body = """<delay duration="9s"/><finally timeout="2s"><source:late id="inner" how="shields"/></finally>"""
    with trio.move_on_after(1), pytest.raises(trio.TooSlowError, match="clean-up"):
        await fs.run(load(autojump_clock, body))


@pytest.mark.parametrize("how", WAYS)
async def test_a_node_that_is_too_slow_is_tried_again(autojump_clock: MockClock, how: str) -> None:
    body = f"""<source:late id="n" how="{how}" timeout="2s">
      <on-error><retry max="2" base="1s"/><fallback node="f"/></on-error></source:late>
      <transform:template id="f" template="instead"/>"""
    run: Any = await fs.run(load(autojump_clock, body))
    assert run.output == "instead"
    assert run.results["n"].attempts == 3


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('<fail message="first"/><finally timeout="2s">{}</finally>', "@finally"),
        (
            '<fail message="first"/><on-workflow-error timeout="2s">{}</on-workflow-error>',
            "@on-workflow-error",
        ),
        (
            '<set var="x" value="1"><compensate timeout="2s">{}</compensate></set><fail message="first"/>',
            "set@1/@compensate",
        ),
        (
            '<timeout id="t" duration="1h"><fail message="first"/><finally timeout="2s">{}</finally></timeout>',
            "t/@finally",
        ),
    ],
)
async def test_clean_up_that_is_too_slow_behind_an_error_is_on_the_record_and_seen(
    autojump_clock: MockClock, body: str, path: str, how: str
) -> None:
    heard: list[Event] = []
    flow = load(autojump_clock, body.format(f'<source:late id="inner" how="{how}"/>'))
    with pytest.raises(fs.WorkflowFailed, match="first") as caught:
        await fs.run(flow, observers=[heard.append])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert [(type(other.error), other.path) for other in failure.others] == [
        (trio.TooSlowError, path)
    ]
    said = [event for event in heard if isinstance(event, RunWarning)]
    assert [event.path for event in said] == [path]
    assert "took longer than 2 s" in said[0].message


async def test_clean_up_whose_settings_fail_and_that_is_too_slow_is_on_the_record_once(
    autojump_clock: MockClock,
) -> None:
    heard: list[Event] = []
    body = '<fail message="first"/><finally timeout="{{$input}}"><delay id="d" duration="1h"/></finally>'
    with pytest.raises(fs.WorkflowFailed, match="first") as caught:
        await fs.run(load(autojump_clock, body), input="soon", observers=[heard.append])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    [kept] = [result for result in failure.record if result.path == "@finally"]
    assert "soon" in str(kept.error)
    said = [event.message for event in heard if isinstance(event, RunWarning)]
    assert len(said) == 2
    assert "the settings of <finally>" in said[0]
    assert "took longer than 10 s" in said[1]
