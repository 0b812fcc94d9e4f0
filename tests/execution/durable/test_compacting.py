"""Owns the tests of loops and blocks whose ended rounds and iterations are compacted: they end as they must."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting

from crashing import Crashing, check_every_crash, undisturbed

SHAPES = {
    "foreach": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6,7]" max-concurrency="2" merge="none">
      <source:act id="a" takes="{{item % 3}}"/></foreach><transform:template id="t" template="{{each}} {{a}}"/></workflow>""",
    "foreach with outputs": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6,7]" max-concurrency="3">
      <source:act id="a" takes="{{item % 3}}" gives="{{item * 2}}"/></foreach></workflow>""",
    "foreach that merges": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5]" merge="$branches.map(b =&gt; b + '!')">
      <source:act id="a"/></foreach></workflow>""",
    "foreach in batches": """<workflow name="w"><foreach id="each" collection="range(0, 11)" batch="2" merge="none">
      <source:act id="a"/></foreach></workflow>""",
    "foreach that tolerates": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6]" tolerate="2" merge="none">
      <source:act id="a"/><if id="i" condition="item == 2"><then><source:act id="b" fails="no"/></then></if></foreach>
      <transform:template id="t" template="{{each}} {{each.failures[0].message}} {{a}}"/></workflow>""",
    "foreach that fails": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6]" max-concurrency="2" merge="none">
      <source:act id="a"/><if id="i" condition="item == 5"><then><source:act id="b" fails="no"/></then></if>
      </foreach><finally><source:act id="last"/></finally></workflow>""",
    "foreach that breaks": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6,7,8]" max-concurrency="2">
      <source:act id="a"/><break when="item == 6"/><source:act id="b"/></foreach></workflow>""",
    "foreach that undoes": """<workflow name="w"><foreach id="each" collection="[1,2,3,4]" merge="none">
      <source:act id="a"><compensate><source:act id="u" gives="{{item}}"/></compensate></source:act></foreach>
      <source:act id="c" fails="no"/></workflow>""",
    "foreach tried again": """<workflow name="w"><foreach id="each" collection="[1,2,3,4]" merge="none">
      <source:act id="a"/><if id="i" condition="item == 4"><then><source:act id="b" fails="no" times="1"/></then></if>
      <on-error><retry max="1" when="true" base="1s"/></on-error></foreach></workflow>""",
    "foreach in foreach": """<workflow name="w"><foreach id="o" collection="[1,2,3,4]" merge="none"><foreach id="i" collection="[1,2,3]">
      <source:act id="a" gives="{{item}}"/></foreach><source:act id="b"/></foreach></workflow>""",
    "pure foreach": """<workflow name="w"><foreach id="each" collection="[1,2,3,4,5,6]"><transform:template id="t" template="{{item}}"/></foreach>
      <source:act id="a"/></workflow>""",
    "loop": """<workflow name="w"><set var="sum" value="0"/><loop id="l" max="7"><source:act id="a" gives="{{$iteration}}"/>
      <set var="sum" value="{{sum + a}}"/><transform:template id="t" template="{{t}}{{a}}"/></loop>
      <transform:template id="z" template="{{sum}} {{t}} {{a}}"/></workflow>""",
    "loop until": """<workflow name="w"><loop id="l" max="9" break="$iteration == 5"><source:act id="a"/></loop></workflow>""",
    "loop that breaks": """<workflow name="w"><loop id="l" max="9"><source:act id="a"/><break when="$iteration == 5"/></loop></workflow>""",
    "while by the clock": """<workflow name="w"><while id="l" condition="timestamp(now()) &lt; timestamp('2030-01-01T00:00:06.500Z')" max="50">
      <source:act id="a"/></while></workflow>""",
    "while by chance": """<workflow name="w"><while id="l" condition="random() &lt; 0.8" max="50"><source:act id="a" gives="{{uuid()}}"/></while></workflow>""",
    "loop that tolerates": """<workflow name="w"><loop id="l" max="6"><source:act id="a" fails="no"><on-error><fallback node="f"/></on-error></source:act>
      <source:act id="f"/></loop><transform:template id="t" template="{{a.status}} {{a.error.message}}"/></workflow>""",
    "loop of blocks": """<workflow name="w"><loop id="l" max="4"><parallel id="p" tolerate="1"><branch><source:act id="a"/></branch>
      <branch><source:act id="b" fails="no"/></branch></parallel></loop>
      <transform:template id="t" template="{{p.failures[0].message}} {{p.failures[0].type}} {{b.status}} {{a}}"/></workflow>""",
    "loop in loop": """<workflow name="w"><set var="n" value="0"/><loop id="o" max="3"><loop id="i" max="3"><source:act id="a"/>
      <set var="n" value="{{n + 1}}"/></loop></loop><transform:template id="t" template="{{n}}"/></workflow>""",
    "loop of lists": """<workflow name="w"><loop id="l" max="4"><foreach id="e" collection="[1,2]">
      <source:act id="a" gives="{{item + $iteration}}"/></foreach></loop></workflow>""",
    "loop in foreach": """<workflow name="w"><foreach id="each" collection="[1,2,3]"><loop id="i" max="4"><source:act id="a" gives="{{item + $iteration}}"/>
      </loop></foreach></workflow>""",
    "loop that undoes": """<workflow name="w"><loop id="l" max="4"><source:act id="a"><compensate><source:act id="u"/></compensate></source:act></loop>
      <source:act id="c" fails="no"/></workflow>""",
    "loop with a delay": """<workflow name="w"><loop id="l" max="5"><delay duration="60s"/><source:act id="a"/></loop></workflow>""",
}


@pytest.fixture(params=[2, 5])
def few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", request.param)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_compacted_run_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape])
    whole = undisturbed(SHAPES[shape])
    status, *_, said = whole.outcome
    assert status == "completed" or said == "no"
    compacted = [row for row in whole.store.rows_of("r") if row.kind == "compacted"]
    assert bool(compacted) == ("undoes" not in shape)


@pytest.mark.slow
@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_compacted_run_that_dies_again_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], twice=True)


def _rows(text: str, **options: Any) -> list[Any]:
    return undisturbed(text, **options).store.rows_of("r")


@pytest.mark.parametrize(
    "text",
    [
        '<workflow name="w"><foreach id="e" collection="range(0, {})" merge="none"><source:act id="a"/></foreach></workflow>',
        '<workflow name="w"><foreach id="e" collection="range(0, {})" merge="none"><transform:template id="t" template="x"/></foreach></workflow>',
        '<workflow name="w"><loop id="l" max="{}"><source:act id="a"/></loop></workflow>',
        '<workflow name="w"><loop id="o" max="{}"><loop id="i" max="2"><source:act id="a"/></loop></loop></workflow>',
        '<workflow name="w"><while id="l" condition="$iteration &lt; {} and timestamp(now()) &gt; timestamp(\'2020-01-01T00:00:00Z\')" max="1000"><source:act id="a"/></while></workflow>',
        '<workflow name="w"><loop id="l" max="{}"><source:act id="a" fails="no"><on-error><fallback node="f"/></on-error></source:act><source:act id="f"/></loop></workflow>',
        '<workflow name="w"><loop id="l" max="{}"><delay duration="60s"/></loop></workflow>',
    ],
    ids=["foreach", "pure", "loop", "nested", "clock", "failing", "delay"],
)
def test_the_rows_of_a_run_do_not_grow_with_its_rounds(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    few, many = _rows(text.format(40)), _rows(text.format(400))
    assert max(len(few), len(many)) < 100


def test_the_rows_are_bounded_over_processes_that_do_little_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    work = Crashing(
        '<workflow name="w"><loop id="l" max="60"><source:act id="a"/></loop></workflow>'
    )
    most = 0
    for _ in range(100):
        if not work.process(("after", work.store.commits + 3)).died:
            break
        most = max(most, len(work.store.rows_of("r")))
    else:
        pytest.fail("it never ended")
    assert most < 40


def test_outputs_are_kept_once_and_nothing_else_of_their_iterations() -> None:
    text = '<workflow name="w"><foreach id="e" collection="range(0, 3000)"><source:act id="a" gives="{{item}}"/></foreach></workflow>'
    work = undisturbed(text)
    assert work.outcome == ("completed", list(range(3000)))
    rows = work.store.rows_of("r")
    assert len(rows) < 1_500
    assert sum(row.kind == "compacted" for row in rows) in range(5, 12)


def test_what_cannot_be_kept_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 5)
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("transform:handle", pure=True)
    async def handle(params: fs.ExecutionParams) -> Any:
        return object()

    work = Crashing(
        '<workflow name="w"><loop id="l" max="9"><source:act id="a"/><transform:handle id="h"/></loop>'
        '<foreach id="e" collection="range(0, 9)"><source:act id="b"/><transform:handle id="g"/></foreach>'
        '<set var="x" value="1"/></workflow>'
    )
    work.world.registry.runtime("transform:handle", pure=True)(handle)
    assert work.process().outcome == ("completed", 1)
    assert not [row for row in work.store.rows_of("r") if row.kind == "compacted"]
