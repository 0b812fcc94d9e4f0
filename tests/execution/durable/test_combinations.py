"""Owns the tests that prove documents in which many elements meet: wherever their processes die, all is promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting, leaves
from flowscript_trio.testing import prove

from crashing import World

PART = """<workflow name="part"><parallel id="q" wait="any">
  <branch><source:act id="x" takes="2"/><finally><source:act id="xf"/></finally></branch>
  <branch><source:act id="y"><compensate><source:act id="uy"/></compensate></source:act></branch></parallel>
  <finally><source:act id="pf"/></finally></workflow>"""
DOCUMENTS = {
    "race of calls, tried again": """<workflow name="w"><parallel id="p" tolerate="1"><branch><include id="i" workflow="part.xml"/></branch><branch><call id="c" workflow="part.xml"/></branch>
      <branch><source:act id="bad" takes="3" fails="no" times="1"/><source:act id="b2" takes="0.5" fails="no" times="1"/></branch><branch><source:act id="bad2" takes="2.5" fails="no" times="1"/></branch><on-error><retry max="2" when="true" base="2s" jitter="full"/></on-error></parallel>
      <source:act id="z" input="p"/><finally><source:act id="last"/></finally></workflow>""",
    "foreach of races": """<workflow name="w"><foreach id="e" collection="range(0,5)" max-concurrency="2" tolerate="2"><parallel id="p" wait="any" accept="result != 'a'"><branch><source:act id="a"/></branch>
      <branch><source:act id="b" takes="{{1 + item}}" fails="{{item == 3 ? 'no' : ''}}"><on-error><retry max="1" when="true" base="1s"/></on-error></source:act></branch><branch><delay duration="30s"/><source:act id="c"/><finally><source:act id="cl"/></finally></branch></parallel></foreach>
      <transform:template id="t" after="e" template="{{e}}"/></workflow>""",
    "graph with limits": """<workflow name="w" timeout="60s"><source:act id="a"/><source:act id="b" takes="2"/><timeout id="t" duration="4s" on-timeout="h" after="a"><source:act id="c" takes="3"><compensate><source:act id="uc"/></compensate></source:act><source:act id="d" takes="9"/><finally><source:act id="tf"/></finally></timeout>
      <source:act id="h"/><parallel id="k" timeout="3s" on-timeout="keep" after="b"><branch><source:act id="k1"/></branch><branch><source:act id="k2" takes="9"/><finally><source:act id="kf"/></finally></branch></parallel><source:act id="z" input="t, k" fails="end"/>
      <on-workflow-error><source:act id="oe"/></on-workflow-error><finally><source:act id="last"/></finally></workflow>""",
    "checkpoint in loops": """<workflow name="w"><loop id="l" max="3"><checkpoint id="c" prompt="go {{$iteration}}" timeout="20s" default="approve"/><parallel id="p" wait="any"><branch><source:act id="a"/></branch><branch><source:act id="b" takes="5"><compensate also="begun"><source:act id="ub"/></compensate></source:act></branch></parallel>
      <set var="n" value="{{$iteration}}"/></loop><source:act id="x" fails="no" after="l"><on-error><fallback node="f"/></on-error></source:act><source:act id="f"/><return value="{{n}}" after="x"/></workflow>""",
    "breaks": """<workflow name="w"><foreach id="e" collection="[3,1,2,5,4]" max-concurrency="3"><phase name="q"><source:act id="a" takes="{{item}}"/><finally><source:act id="af"/></finally></phase><if id="i" condition="item == 2"><then><break/></then></if><source:act id="b"><compensate><source:act id="ub"/></compensate></source:act></foreach>
      <source:act id="z" after="e" fails="no"/></workflow>""",
    "nested retries": """<workflow name="w"><parallel id="o"><branch><parallel id="i"><branch><source:act id="a"><compensate><source:act id="ua"/></compensate></source:act></branch><branch><source:act id="b" takes="2" fails="no" times="1"/></branch><on-error><retry max="1" when="true" base="1s"/></on-error></parallel><source:act id="c" fails="late" times="1"/></branch>
      <branch><source:act id="d" takes="1"/><finally><source:act id="df" takes="2"/></finally></branch><on-error><retry max="1" when="true" base="1s"/><fallback node="h"/></on-error></parallel><source:act id="h"/><source:act id="z" input="o"/></workflow>""",
    "fail once": """<workflow name="w"><parallel id="p" fail-fast="false" tolerate="1"><branch><source:act id="a" on-crash="fail" takes="2"><on-error><fallback node="h"/></on-error></source:act></branch><branch><source:act id="b" takes="3" on-crash="fail"><compensate also="begun"><source:act id="ub"/></compensate></source:act></branch></parallel><source:act id="h"/><source:act id="z" input="p"/></workflow>""",
}  # fmt: skip


async def decide(prompt: str, actions: Any) -> str:
    await trio.sleep(3)  # virtual
    return "approve"


@pytest.mark.slow
@pytest.mark.parametrize("nodes", ["act", "half of them only read", "act, and are compacted"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_promised_holds_where_many_elements_meet(
    name: str, nodes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "read" in nodes:
        monkeypatch.setattr(
            leaves, "_is_repeatable", lambda step, config: crc32(step.label.encode()) % 2
        )
    if "compacted" in nodes:
        monkeypatch.setattr(compacting, "MOST_ROWS", 3)
    (tmp_path / "part.xml").write_text(PART)
    (tmp_path / "w.xml").write_text(DOCUMENTS[name])
    flow = fs.load(tmp_path / "w.xml", registry=World().registry)
    report = prove(flow, crash=True, pairs=40, options=lambda: fs.RunOptions(decider=decide))
    assert report.holds, report.render()
