from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.events import BranchEnded, Event, NodeEnded

from stubs import Stubs


async def test_a_finally_runs_after_success_failure_and_cancellation(autojump_clock: Any) -> None:
    body = """<parallel id="p"><branch><source:stub id="a" {settings}/>
      <finally><source:stub id="clean" takes="1s"/></finally></branch></parallel>"""
    for settings in ("", 'fails="x"', 'hangs="true"'):
        stubs = Stubs()
        try:
            with trio.move_on_after(5):
                await stubs.run(body.format(settings=settings))
        except ValueError:
            assert settings == 'fails="x"'
        assert stubs.events[-1] == "end clean", settings


async def test_a_finally_is_bounded_by_its_timeout(autojump_clock: Any) -> None:
    stubs = Stubs()
    began = trio.current_time()
    with pytest.raises(ValueError, match="first"):
        await stubs.run("""<parallel id="p"><branch><source:stub id="a" fails="first"/>
          <finally timeout="2s"><source:stub id="clean" hangs="true"/></finally></branch></parallel>""")
    assert trio.current_time() - began == 2


async def test_an_error_in_a_finally_surfaces_only_if_nothing_else_does(
    autojump_clock: Any,
) -> None:
    body = """<parallel id="p"><branch><source:stub id="a" {settings}/>
      <finally><source:stub id="clean" fails="in finally"/></finally></branch></parallel>"""
    with pytest.raises(ValueError, match="in finally"):
        await Stubs().run(body.format(settings=""))
    with pytest.raises(ValueError, match="first") as caught:
        await Stubs().run(body.format(settings='fails="first"'))
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert [str(other.error) for other in failure.others] == ["in finally"]


FLOW = """
<source:stub id="a"><compensate><source:stub id="undo-a"/></compensate></source:stub>
<source:stub id="b" after="a"><compensate><source:stub id="undo-b"/></compensate></source:stub>
<source:stub id="c" after="b" {settings}><compensate><source:stub id="undo-c"/></compensate></source:stub>
<on-workflow-error><transform:stub id="report" gives="{{{{$error.message}}}}"/></on-workflow-error>
<finally><source:stub id="last"/></finally>
"""


def began(stubs: Stubs) -> list[str]:
    return [event.removeprefix("start ") for event in stubs.events if event.startswith("start ")]


async def test_a_failure_is_compensated_in_reverse_then_reported_then_finished(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with pytest.raises(ValueError, match="broken") as caught:
        await stubs.run(FLOW.format(settings='fails="broken"'))
    assert began(stubs) == ["a", "b", "c", "undo-b", "undo-a", "report", "last"]
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.record.latest["report"].output == "broken"


async def test_a_cancelled_run_is_compensated_and_finished_but_reports_no_error(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    with trio.move_on_after(1) as scope:
        await stubs.run(FLOW.format(settings='hangs="true"'))
    assert scope.cancelled_caught
    assert began(stubs) == ["a", "b", "c", "undo-b", "undo-a", "last"]


async def test_a_run_that_succeeds_is_only_finished(autojump_clock: Any) -> None:
    stubs = Stubs()
    run = await stubs.run(FLOW.format(settings='gives="out"'))
    assert began(stubs) == ["a", "b", "c", "last"]
    assert run.output == "out"


async def test_the_timeout_of_a_run_is_an_error_that_is_compensated(autojump_clock: Any) -> None:
    stubs = Stubs()
    flow = stubs.load(FLOW.format(settings='hangs="true"'), timeout="3s")
    with pytest.raises(trio.TooSlowError, match="'test' took longer than 3 s"):
        await fs.run(flow)
    assert began(stubs) == ["a", "b", "c", "undo-b", "undo-a", "report", "last"]


async def test_a_cancellation_right_after_the_last_node_is_compensated_as_well(
    autojump_clock: Any,
) -> None:
    stubs = Stubs()
    flow = stubs.load(FLOW.format(settings='takes="1s"'))
    with trio.CancelScope() as scope:

        def cancel(event: Event) -> None:
            if isinstance(event, NodeEnded) and event.path == "c":
                scope.cancel()

        await fs.run(flow, observers=[cancel])
    assert scope.cancelled_caught
    assert began(stubs) == ["a", "b", "c", "undo-c", "undo-b", "undo-a", "last"]


async def nurse(params: fs.ExecutionParams) -> None:
    """A runtime with a nursery of its own: under a cancellation a group of Cancelled leaves it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.sleep_forever)


def nursing(body: str) -> fs.Flow:
    stubs = Stubs()
    stubs.registry.runtime("source:nurse")(nurse)
    return stubs.load(body)


async def test_a_branch_ends_also_where_a_group_of_cancelled_leaves_its_node(
    autojump_clock: Any,
) -> None:
    flow = nursing('<parallel id="p"><branch><source:nurse id="n"/></branch></parallel>')
    events: list[Event] = []
    with trio.move_on_after(1):
        await fs.run(flow, observers=[events.append])
    (ended,) = [event for event in events if isinstance(event, BranchEnded)]
    assert ended.status == "cancelled"


async def test_an_error_of_finally_surfaces_in_the_place_of_a_group_of_cancelled(
    autojump_clock: Any,
) -> None:
    flow = nursing("""<timeout id="t" duration="9s"><source:nurse id="n"/>
      <finally><source:stub id="f" fails="in finally"/></finally></timeout>""")
    with pytest.raises(ValueError, match="in finally"), trio.move_on_after(1):
        await fs.run(flow)
