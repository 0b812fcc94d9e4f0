"""Owns the tests that proofs find nothing where nothing is wrong: every kind of block and of sound runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.options import RunOptions
from flowscript_trio.testing import prove

from stubs import Stubs

pytestmark = pytest.mark.slow


async def own_nursery(params: fs.ExecutionParams) -> list[int]:
    ended: list[int] = []

    async def work(seconds: int) -> None:
        await trio.sleep(seconds)
        ended.append(seconds)

    async with trio.open_nursery() as nursery:
        for seconds in (1, 2):
            nursery.start_soon(work, seconds)
    return ended


async def own_deadline(params: fs.ExecutionParams) -> int:
    with trio.move_on_after(1):
        await trio.sleep(5)
    return 3


async def commit(params: fs.ExecutionParams) -> int:
    await trio.sleep(1)
    with trio.CancelScope(shield=True):
        await trio.sleep(2)
    await trio.sleep(1)
    return 4


async def in_a_thread(params: fs.ExecutionParams) -> int:
    return await trio.to_thread.run_sync(lambda: 5)


async def own_channel(params: fs.ExecutionParams) -> list[int]:
    send, receive = trio.open_memory_channel[int](0)

    async def produce() -> None:
        async with send:
            for number in range(3):
                await send.send(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        async with receive:
            return [number async for number in receive]
    raise AssertionError


RUNTIMES = {
    "nursery": own_nursery,
    "moveon": own_deadline,
    "shield": commit,
    "thread": in_a_thread,
    "channel": own_channel,
}
DOCUMENTS = {
    "hedged requests": """
        <parallel id="p" stagger="2s" wait="any" accept="result != '0'">
          <branch><source:stub id="a" gives="0" takes="1s"/></branch>
          <branch><source:stub id="b" gives="1" takes="9s"/></branch>
          <branch><source:stub id="c" gives="2" takes="3s"/></branch>
        </parallel>""",
    "iterations that are paced and judged": """
        <foreach id="f" collection="[1, 2, 3]" stagger="2s" maxConcurrency="2" tolerate="1"
                 accept="result != 2"><source:stub id="a" gives="{{item}}" takes="3s"/></foreach>""",
    "a return": """
        <source:stub id="a" takes="1s"/>
        <if id="i" condition="a == null">
          <then><source:stub id="b" takes="1s"/><return value="7"/></then>
        </if>
        <source:stub id="c"/>
        <finally><source:stub id="f" takes="1s"/></finally>""",
    "a fail that is tried again and handled": """
        <timeout id="t" duration="9s">
          <source:stub id="a" takes="1s"/><fail message="x" status="503"/>
          <on-error>
            <retry when="$attempt == 2" max="1" backoff="fixed" base="3s"/>
            <retry max="2" base="1s"/><fallback node="h"/>
          </on-error>
        </timeout>
        <source:stub id="h" takes="1s"/>""",
    "runtimes with nurseries, shields and deadlines of their own": """
  <parallel id="p" maxConcurrency="3">
    <branch><source:nursery id="n"/></branch>
    <branch><source:moveon id="m"/></branch>
    <branch><source:shield id="s"/></branch>
    <branch><source:channel id="r"/></branch>
  </parallel>
""",
    "runtimes in threads": """
  <parallel id="p">
    <branch>
      <source:thread id="t"/>
      <source:stub id="a" takes="1s"/>
    </branch>
    <branch><source:thread id="u"/></branch>
  </parallel>
""",
    "timeouts in timeouts, and retries": """
  <timeout id="o" duration="5s" >
    <timeout id="i" duration="2s">
      <source:stub id="x" takes="1s" timeout="1500ms">
        <on-error><retry max="1" when="true" base="1s"/></on-error>
      </source:stub>
      <source:stub id="y" takes="1s"/>
    </timeout>
    <source:stub id="z" takes="1s"/>
  </timeout>
""",
    "a handler of a timeout": """
  <timeout id="o" duration="2s" on-timeout="h">
    <source:stub id="x" takes="3s"/>
  </timeout>
  <source:stub id="h" takes="1s"/>
  <source:stub id="w" after="o" takes="1s"/>
""",
    "iterations that are broken out of": """
  <foreach id="f" collection="[1,2,3,4,5,6]" maxConcurrency="3">
    <source:stub id="x" takes="{{item}}s"/>
    <break when="item == 2"/>
    <source:stub id="y" takes="1s" cleanup="slow"/>
  </foreach>
""",
    "phases and a race": """
  <phase name="one">
    <source:stub id="a" takes="1s"/>
    <source:stub id="b" takes="2s"/>
    <finally><source:stub id="t" takes="1s"/></finally>
  </phase>
  <phase name="two">
    <source:stub id="c" takes="1s"/>
    <parallel id="q" wait="any">
      <branch><source:stub id="d" takes="1s"/></branch>
      <branch><source:stub id="e" takes="1s"/></branch>
    </parallel>
  </phase>
  <source:stub id="z" after="q" takes="1s"/>
""",
    "a failure that is tolerated": """
  <parallel id="p" tolerate="1">
    <branch><source:stub id="a" takes="1s" fails="x"/></branch>
    <branch><source:stub id="b" takes="2s"/></branch>
    <branch><source:stub id="c" takes="3s" cleanup="fail"/></branch>
  </parallel>
  <source:stub id="z" after="p" takes="1s"/>
""",
    "failures that are waited for, and masked": """
  <parallel id="p" fail-fast="false">
    <branch><source:stub id="a" takes="1s" fails="x"/></branch>
    <branch><source:stub id="b" takes="2s"/></branch>
    <branch><source:stub id="c" takes="3s" cleanup="mask"/></branch>
  </parallel>
""",
    "rounds with blocks in them": """
  <loop id="l" max="3">
    <source:stub id="a" takes="1s"/>
    <parallel id="p">
      <branch><source:stub id="b" takes="1s"/></branch>
      <branch><source:stub id="c" takes="1s"/></branch>
    </parallel>
    <source:stub id="d" takes="1s"/>
  </loop>
  <while id="w" condition="$iteration &lt; 2">
    <source:stub id="e" takes="1s"/>
  </while>
  <source:stub id="z" after="l" takes="1s"/>
""",
    "a block that is tried again and has a fallback": """
  <parallel id="p">
    <branch><source:stub id="a" takes="1s" fails="x"/></branch>
    <branch><source:stub id="b" takes="2s"/></branch>
    <on-error>
      <retry max="1" when="true" base="1s"/>
      <fallback node="h"/>
    </on-error>
  </parallel>
  <source:stub id="h" takes="1s"/>
  <source:stub id="z" after="p" takes="1s"/>
""",
    "compensations with blocks, and every kind of clean-up": """
  <source:stub id="a" takes="1s">
    <compensate>
      <parallel id="cp">
        <branch><source:stub id="u1" takes="1s"/></branch>
        <branch><source:stub id="u2" takes="2s"/></branch>
      </parallel>
    </compensate>
  </source:stub>
  <parallel id="p" after="a">
    <branch>
      <source:stub id="b" takes="1s">
        <compensate><source:stub id="ub" takes="1s"/></compensate>
      </source:stub>
      <finally><source:stub id="fb" takes="1s"/></finally>
    </branch>
    <branch><source:stub id="c" takes="3s" fails="end"/></branch>
  </parallel>
  <on-workflow-error><source:stub id="owe" takes="1s"/></on-workflow-error>
  <finally><source:stub id="fin" takes="1s"/></finally>
""",
    "a checkpoint that goes on elsewhere": """
  <source:stub id="a" takes="1s"/>
  <checkpoint id="ask" prompt="go?" timeout="5s">
    <action id="skip" label="skip" goto="end"/>
  </checkpoint>
  <source:stub id="mid" takes="1s"/>
  <source:stub id="end" takes="1s"/>
""",
    "nodes that are skipped, choices, variables, delays": """
  <source:stub id="a" takes="1s" if="false"/>
  <if id="i" condition="true">
    <then><source:stub id="b" takes="1s"/></then>
  </if>
  <branch id="br">
    <case when="true"><source:stub id="c" takes="1s"/></case>
    <default><source:stub id="d" takes="1s"/></default>
  </branch>
  <set var="x" value="{{b}}"/>
  <delay id="dl" duration="2s"/>
""",
    "a limiter over the run": """
  <parallel id="p">
    <branch><source:stub id="a" takes="1s"/></branch>
    <branch><source:stub id="b" takes="1s"/></branch>
    <branch><source:stub id="c" takes="1s" cleanup="slow"/></branch>
  </parallel>
""",
    "a phase that is tried again and has a fallback": """
  <phase name="ph">
    <source:stub id="a" takes="1s" fails="x"/>
    <source:stub id="b" takes="2s"/>
    <on-error>
      <retry max="1" when="true" base="1s"/>
      <fallback node="h"/>
    </on-error>
  </phase>
  <source:stub id="h" takes="1s"/>
""",
    "a race in a race": """
  <parallel id="p" wait="any">
    <branch>
      <parallel id="q" wait="any">
        <branch><source:stub id="a" takes="2s"/></branch>
        <branch><source:stub id="b" takes="3s" cleanup="fail"/></branch>
      </parallel>
    </branch>
    <branch><source:stub id="c" takes="5s" cleanup="slow"/></branch>
  </parallel>
  <source:stub id="e" takes="1s" after="p"/>
""",
    "a block that waits for all that is left": """
  <parallel id="p" fail-fast="false" merge="object">
    <branch><source:stub id="a" takes="1s" fails="a"/></branch>
    <branch><source:stub id="b" takes="2s" fails="b"/></branch>
    <branch><source:stub id="c" takes="3s"/></branch>
  </parallel>
""",
    "a share of failures that is tolerated": """
  <foreach id="f" collection="[1, 2, 3, 4]" maxConcurrency="3" tolerate="50%">
    <if id="i" condition="{{item == 2}}">
      <then><source:stub id="x" takes="1s" fails="two"/></then>
      <else><source:stub id="y" takes="{{item}}s"/></else>
    </if>
  </foreach>
""",
    "variables of rounds and choices": """
  <loop id="l" max="3">
    <set var="n" value="{{$iteration}}"/>
    <if id="i" condition="{{n == 1}}">
      <then><set var="m" value="{{n}}"/><source:stub id="a" takes="1s"/></then>
      <else><source:stub id="b" takes="1s"/></else>
    </if>
    <source:stub id="c" takes="1s"/>
  </loop>
  <source:stub id="d" takes="1s" after="l"/>
""",
    "iterations that are tried again, stood in for and raced": """
  <foreach id="f" collection="[1, 2, 3]" maxConcurrency="2" wait="n(2)">
    <source:stub id="a" takes="{{item}}s" timeout="2500ms">
      <on-error><retry max="1" when="true" base="500ms" jitter="full"/><fallback node="h"/></on-error>
    </source:stub>
  </foreach>
  <source:stub id="h" takes="1s"/>
""",
}


async def decide(*asked: Any) -> str:
    await trio.sleep(2)
    return "skip"


def options() -> RunOptions:
    """The arguments of a run; the limiter is its own."""
    return RunOptions(decider=decide, limiter=trio.CapacityLimiter(2), seed=0)


@pytest.mark.parametrize("limited", [False, True], ids=["", "limited"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_proof_finds_nothing_where_nothing_is_wrong(name: str, limited: bool) -> None:
    stubs = Stubs()
    for kind, runtime in RUNTIMES.items():
        stubs.registry.runtime(f"source:{kind}")(runtime)
    flow = stubs.load(DOCUMENTS[name])
    report = prove(flow, options=options if limited else {"decider": decide}, pairs=20)
    assert report.holds, report.render()
    assert report.points > 20


PART = """<workflow name="part" timeout="30s">
  <source:stub id="one" takes="1s"><compensate><sink:stub id="undo" takes="1s"/></compensate></source:stub>
  <parallel id="q">
    <branch><source:stub id="two" takes="1s" cleanup="slow"/></branch>
    <branch><source:stub id="three" takes="2s"/></branch>
  </parallel>
  <finally><sink:stub id="close" takes="1s"/></finally>
</workflow>"""


@pytest.mark.parametrize("how", ["include", "call"])
@pytest.mark.parametrize("fails", ["", 'fails="x"'], ids=["", "fails"])
def test_a_document_that_runs_another_one_holds(how: str, fails: str, tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(PART)
    body = f'<{how} id="i" workflow="part.xml"/><source:stub id="after" takes="1s" {fails}/>'
    text = f'<workflow name="w">{body}</workflow>'
    flow = fs.loads(text, registry=Stubs().registry, base=tmp_path)
    report = prove(flow, pairs=30)
    assert report.holds, report.render()


def test_what_waits_for_the_application_around_it_holds() -> None:
    opened: list[trio.Event] = []

    @asynccontextmanager
    async def application() -> AsyncIterator[None]:
        opened.append(trio.Event())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(open_later)
            yield
            nursery.cancel_scope.cancel()

    async def open_later() -> None:
        await trio.sleep(2)
        opened[-1].set()

    async def wait(params: fs.ExecutionParams) -> None:
        await opened[-1].wait()

    stubs = Stubs()
    stubs.registry.runtime("source:door")(wait)
    flow = stubs.load(
        '<parallel id="p"><branch><source:door id="a" timeout="5s"/></branch>'
        '<branch><source:stub id="b" takes="3s"/></branch></parallel>'
    )
    report = prove(flow, pairs=30, around=application)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"
