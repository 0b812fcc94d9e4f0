"""Owns the tests of paces over several processes: what was given is given at once, and time goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from crashing import Crashing, check_every_crash

SHAPES = {
    "stagger": """<workflow name="w"><foreach id="e" collection="[1,2,3,4]" max-concurrency="3" stagger="2s">
      <source:act id="a" takes="3" gives="{{item}}"/></foreach></workflow>""",
    "stagger of branches": """<workflow name="w"><parallel id="p" wait="any" stagger="2s">
      <branch><source:act id="a" takes="9"/><finally><source:act id="fa"/></finally></branch>
      <branch><source:act id="b" takes="3"/></branch><branch><source:act id="c" takes="9"/></branch>
      <branch><source:act id="d" takes="9"/></branch></parallel></workflow>""",
    "stagger of what fails": """<workflow name="w"><parallel id="p" wait="any" stagger="20s">
      <branch><source:act id="a" fails="no"/></branch><branch><source:act id="b" fails="no"/></branch>
      <branch><source:act id="c"/></branch></parallel></workflow>""",
    "throttle": """<workflow name="w"><foreach id="e" collection="[1,2,3,4]" throttle="2s">
      <source:act id="a" gives="{{item}}"><compensate><source:act id="u"/></compensate></source:act></foreach>
      <source:act id="z" after="e" fails="no"/></workflow>""",
    "throttle and stagger": """<workflow name="w"><foreach id="e" collection="[1,2,3]" max-concurrency="2"
      throttle="2s" stagger="3s" batch="2"><source:act id="a" gives="{{item}}"/></foreach></workflow>""",
    "debounce": """<workflow name="w"><foreach id="e" collection="[1,2,3]" debounce="2s">
      <source:act id="a" gives="{{item}}"/></foreach></workflow>""",
    "a break": """<workflow name="w"><foreach id="e" collection="[1,2,3,4]" max-concurrency="4" throttle="1s">
      <source:act id="a" takes="4" gives="{{item}}"/><break when="item == 2"/><source:act id="b"/>
      </foreach></workflow>""",
    "a failure": """<workflow name="w"><foreach id="e" collection="[1,2,3,4]" max-concurrency="4" throttle="1s">
      <if id="i" condition="item == 2"><then><source:act id="f" takes="2" fails="no"/></then></if>
      <timeout id="t" duration="50s"><source:act id="a" takes="9"/>
        <finally><source:act id="c"/></finally></timeout>
      </foreach></workflow>""",
    "tries of the block": """<workflow name="w"><foreach id="e" collection="[1,2]" throttle="2s">
      <source:act id="a" fails="no" times="1"/><on-error><retry max="2" when="true" base="1s"/></on-error>
      </foreach></workflow>""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_block_with_a_pace_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_block_with_a_pace_that_dies_again_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], twice=True)


def _leaving(seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def leave(run: fs.Run) -> None:
        await trio.sleep(seconds)
        run.leave()

    return leave


def _starting(crashing: Crashing) -> list[float]:
    """Notes by the wall clock, in seconds since the beginning, when ``source:note`` begins."""
    times: list[float] = []

    @crashing.world.registry.runtime("source:note")
    async def note(params: fs.ExecutionParams) -> Any:
        times.append(crashing.world.offset + trio.current_time())
        await trio.sleep(0.5)

    return times


@pytest.mark.parametrize("pace", ["stagger", "throttle"])
@pytest.mark.parametrize(("left_at", "later", "expected"), [(12, 0, 20), (12, 3, 20), (12, 30, 42)])
def test_a_pace_goes_on_by_the_wall_clock(
    pace: str, left_at: float, later: float, expected: float
) -> None:
    crashing = Crashing(
        f"""<workflow name="w"><foreach id="e" collection="[1,2,3,4]" {pace}="10s">
          <source:note id="a"/></foreach></workflow>"""
    )
    times = _starting(crashing)
    crashing.process(during=_leaving(left_at))
    assert times == [0, 10]
    last = crashing.process(later=later)
    assert last.run is not None
    assert last.run.status == "completed"
    assert times == [0, 10, expected, expected + 10]
