"""Owns the tests that kill a run at every commit for what the language has beside blocks and nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flowscript_trio.types.decisions import Action

from crashing import check_every_crash

SHAPES = {
    "several retries": """<workflow name="w"><source:act id="a" fails="no" times="3"><on-error>
      <retry max="1" when="error.message == 'yes'" base="1s"/><retry max="2" when="error.message == 'no'" base="1s"/>
      <retry max="5" when="true" base="2s"/></on-error></source:act></workflow>""",
    "on-timeout of a block that compensates": """<workflow name="w"><timeout id="t" duration="8s" on-timeout="h">
      <source:act id="a"><compensate><source:act id="ua"/></compensate></source:act><source:act id="b" takes="90"/></timeout>
      <source:act id="h"/><source:act id="z" after="t" fails="no"/></workflow>""",
    "timeout of a run": """<workflow name="w" timeout="3s"><source:act id="a"/><source:act id="b" takes="9" after="a"/>
      <finally><source:act id="f"/></finally></workflow>""",
    "hedge": """<workflow name="w"><parallel id="p" wait="any" stagger="2s">
      <branch><source:act id="a" takes="9"/></branch><branch><source:act id="b" takes="3"/></branch>
      <branch><source:act id="c" takes="9"/></branch></parallel><source:act id="z" input="p"/></workflow>""",
    "tolerate with computing nodes": """<workflow name="w"><parallel id="p" tolerate="2">
      <branch><source:act id="a" fails="no"/><transform:template id="t" template="x"/></branch>
      <branch><transform:template id="u" template="u"/><source:act id="b" takes="2"/></branch>
      <branch><source:act id="c" takes="3" fails="no"/></branch></parallel>
      <source:act id="z" after="p" gives="{{p}} {{p.failures}} {{t.status}}"/></workflow>""",
    "a race of iterations": """<workflow name="w"><foreach id="e" collection="[5,1,3,2]" wait="n(2)" max-concurrency="4">
      <transform:template id="t" template="{{item}}"/><source:act id="a" takes="{{t}}" gives="{{item}}"/>
      <transform:template id="u" template="{{a}}"/></foreach></workflow>""",
    "keep of iterations": """<workflow name="w"><foreach id="e" collection="[1,9,2,9]" max-concurrency="4" timeout="4s"
      on-timeout="keep"><source:act id="a" takes="{{item}}" gives="{{item}}"/></foreach>
      <source:act id="z" input="e"/></workflow>""",
    "return in a race": """<workflow name="w"><phase name="p"><source:act id="a"/></phase><if id="i" condition="a == 'a'">
      <then><return value="{{a}}"/></then></if><phase name="q"><source:act id="b"/></phase></workflow>""",
    "fail": """<workflow name="w"><source:act id="a"><compensate><source:act id="ua"/></compensate></source:act>
      <if id="i" condition="a == 'a'"><then><fail message="so {{a}}" type="Odd" status="418"/></then></if>
      <on-workflow-error><source:act id="w1"/></on-workflow-error></workflow>""",
    "fail that is handled": """<workflow name="w"><if id="i" condition="true"><then><source:act id="a"/><fail message="so"/></then>
      <on-error><fallback node="h"/></on-error></if><source:act id="h" gives="{{a}}"/>
      <source:act id="z" after="i" gives="{{i}} {{i.error.message}}"/></workflow>""",
    "while with now": """<workflow name="w"><set var="n" value="{{0}}"/>
      <while id="l" condition="n &lt; 3 &amp;&amp; timestamp(now()) &lt; timestamp('2031-01-01T00:00:00Z')" max="9">
      <source:act id="a"/><set var="n" value="{{n + 1}}"/></while><source:act id="z" gives="{{n}}" after="l"/></workflow>""",
    "loop with a break inside": """<workflow name="w"><loop id="l" max="9"><source:act id="a"/>
      <if id="i" condition="$iteration == 2"><then><break/></then></if><transform:template id="t" template="{{a}}"/></loop>
      </workflow>""",
    "decided around what had ended": """<workflow name="w"><parallel id="p" wait="any">
      <branch><foreach id="e" collection="[1,2,9]"><if id="i" condition="true"><then>
        <transform:template id="t" template="{{item}}"/></then></if><source:act id="a" takes="{{t}}"/>
        <transform:template id="u" template="{{t}}"/></foreach><finally><source:act id="f"/></finally></branch>
      <branch><source:act id="b" takes="5"/></branch></parallel></workflow>""",
    "decided around loops": """<workflow name="w"><parallel id="p">
      <branch><loop id="l" max="9"><transform:template id="t" template="x"/><source:act id="a"/>
        <if id="i" condition="false"><then><source:act id="n"/></then></if></loop><finally><source:act id="f"/></finally></branch>
      <branch><source:act id="b" takes="3" fails="no"/></branch></parallel></workflow>""",
    "compensation of iterations": """<workflow name="w"><foreach id="e" collection="[1,2,3]" max-concurrency="2">
      <source:act id="a"><compensate><source:act id="u" gives="{{item}}"/></compensate></source:act></foreach>
      <source:act id="z" after="e" fails="no"/></workflow>""",
}
DOCUMENTS = {
    "include": """<workflow name="w"><include id="c" workflow="part.xml"/><source:act id="z" input="c"/></workflow>""",
    "call": """<workflow name="w"><call id="c" workflow="part.xml"><arg name="who" value="me"/></call>
      <source:act id="z" input="c"/></workflow>""",
    "a document for each item": """<workflow name="w"><foreach id="e" collection="[1,2,3]" max-concurrency="2">
      <call id="c" workflow="part.xml"/></foreach><source:act id="z" input="e"/></workflow>""",
    "a document that loses": """<workflow name="w"><parallel id="p" wait="any"><branch><include id="c" workflow="part.xml"/></branch>
      <branch><source:act id="b"/><source:act id="b2" takes="0.5"/></branch></parallel></workflow>""",
    "a document that is tried again": """<workflow name="w"><parallel id="p"><branch><call id="c" workflow="part.xml"/></branch>
      <branch><source:act id="b" takes="5" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
}
PART = """<workflow name="part"><parallel id="p"><branch><source:act id="x"/><transform:template id="t" template="{{x}}"/></branch>
  <branch><source:act id="y" takes="2"/></branch></parallel><finally><source:act id="f"/></finally></workflow>"""
CHECKPOINTS = {
    "goto": """<workflow name="w"><source:act id="a"/><checkpoint id="c" prompt="Go?"><action id="skip" goto="z"/></checkpoint>
      <source:act id="b"/><source:act id="z" gives="{{c.action}} {{b.status}}"/></workflow>""",
    "in a loop": """<workflow name="w"><loop id="l" max="2"><checkpoint id="c" prompt="Go?"><action id="skip"/></checkpoint>
      <source:act id="a"/></loop></workflow>""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_element_survives_the_death_of_its_process(shape: str) -> None:
    check_every_crash(SHAPES[shape])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_an_element_survives_another_death(shape: str) -> None:
    check_every_crash(SHAPES[shape], twice=True)


@pytest.mark.parametrize("shape", DOCUMENTS)
def test_a_document_that_is_run_survives_the_death_of_its_process(
    shape: str, tmp_path: Path
) -> None:
    (tmp_path / "part.xml").write_text(PART)
    (tmp_path / "w.xml").write_text(DOCUMENTS[shape])
    check_every_crash(tmp_path / "w.xml")


@pytest.mark.parametrize("shape", CHECKPOINTS)
def test_a_checkpoint_survives_the_death_of_its_process(shape: str) -> None:
    async def decide(prompt: str, actions: Sequence[Action]) -> str:
        return "skip"

    check_every_crash(CHECKPOINTS[shape], decider=decide)
