"""Owns the tests of time limits and waits over several processes: which go on, and which begin anew with each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.events import NodeEnded

from crashing import Crashing


def leave_after(seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def leave(run: fs.Run) -> None:
        await trio.sleep(seconds)  # virtual
        run.leave()

    return leave


GO_ON = {
    "a <timeout>": '<timeout id="t" duration="10s"><source:act id="a" takes="4"/></timeout>',
    "a <parallel>": '<parallel id="t" timeout="10s"><branch><source:act id="a" takes="4"/></branch></parallel>',
    "a <foreach>": '<foreach id="t" collection="[1]" timeout="10s"><source:act id="a" takes="4"/></foreach>',
}


@pytest.mark.parametrize("body", [*GO_ON, "the run"])
@pytest.mark.parametrize(("later", "is_late"), [(3.0, False), (5.0, True)])
def test_time_limits_of_blocks_and_of_the_run_go_on(body: str, later: float, is_late: bool) -> None:
    text = f'<workflow name="w">{GO_ON.get(body, "")}</workflow>'
    if body == "the run":
        text = '<workflow name="w" timeout="10s"><source:act id="a" takes="4"/></workflow>'
    work = Crashing(text)
    assert work.process(during=leave_after(2.5)).run.status == "suspended"
    last = work.process(later=later)
    assert isinstance(last.error, trio.TooSlowError) is is_late
    assert work.world.done == ([] if is_late else ["a"])


@pytest.mark.parametrize("body", [*GO_ON, "the run"])
def test_they_are_applied_once_what_had_ended_inside_was_taken(body: str) -> None:
    """The next node waits for its limit that has passed, and what had ended in time is not undone by that."""
    inner = '<source:act id="a"/><source:act id="b" takes="50" input="a"/>'
    text = f'<workflow name="w">{GO_ON.get(body, "")}</workflow>'
    text = text.replace('<source:act id="a" takes="4"/>', inner)
    if body == "the run":
        text = f'<workflow name="w" timeout="10s">{inner}</workflow>'
    work = Crashing(text)
    work.process(during=leave_after(2.5))
    last = work.process(later=100.0)
    assert isinstance(last.error, trio.TooSlowError)
    assert work.world.done == ["a"]
    ended = [each.result for each in last.events if isinstance(each, NodeEnded)]
    assert [each.status for each in ended if each.id == "a"] == ["success"]


def test_the_limit_of_one_attempt_begins_anew() -> None:
    work = Crashing('<workflow name="w"><source:act id="a" takes="4" timeout="5s"/></workflow>')
    for _ in range(2):
        assert work.process(during=leave_after(3), later=100.0).run.status == "suspended"
    assert work.process(later=100.0).outcome == ("completed", "a")


def test_the_limit_of_clean_up_begins_anew() -> None:
    work = Crashing("""<workflow name="w"><source:act id="a"/>
      <finally timeout="5s"><source:act id="c" takes="4"/></finally></workflow>""")
    for number in range(2):
        assert work.process(during=leave_after(4 - number), later=100.0).run.status == "suspended"
    assert work.process(later=100.0).outcome == ("completed", "a")
    assert work.world.done == ["a", "c"]


@pytest.mark.parametrize(("later", "waited"), [(0.0, 7.5), (5.0, 2.5), (100.0, 0.0)])
def test_the_wait_before_an_attempt_goes_on(later: float, waited: float) -> None:
    work = Crashing("""<workflow name="w"><source:act id="a" fails="no" times="1">
      <on-error><retry max="1" when="true" base="10s" cap="10s"/></on-error></source:act></workflow>""")
    assert work.process(during=leave_after(3.5)).run.status == "suspended"
    last = work.process(later=later)
    assert last.run is not None
    assert last.run.duration == pytest.approx(3.5 + waited + 1)
    assert work.world.done == ["a failed", "a"]
