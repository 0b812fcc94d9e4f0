"""Owns tests that a run leaves nothing to the garbage collector: what it read goes with its last user."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.scheduler.concurrency import Block

pytestmark = pytest.mark.slow

STEP = '<set var="a" value="{{$input}}"/>'


class Rows(list[int]):
    """A list that can be referred to weakly."""


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "body",
    [
        STEP,
        f'<parallel id="p"><branch>{STEP}</branch><branch>{STEP}</branch></parallel>',
        f'<parallel id="p" wait="any"><branch>{STEP}</branch><branch><delay duration="1h"/></branch></parallel>',
        f'<foreach id="e" collection="$input">{STEP}</foreach>',
        f'<foreach id="e" collection="$input" batch="2" merge="none">{STEP}</foreach>',
        f'<foreach id="e" collection="$input" stagger="1s">{STEP}</foreach>',
        '<foreach id="e" collection="$input"><break when="item == 2"/></foreach>',
        f'<loop id="l" max="2">{STEP}</loop>',
        f'<phase name="one">{STEP}</phase><phase name="two">{STEP}</phase>',
        f'<timeout id="t" duration="5s">{STEP}</timeout>',
        f'<if id="i" condition="true"><then>{STEP}</then></if>',
        '<transform:map id="m" input="input" expression="item"/>',
        '<sink:file id="s" path="a.jsonl"/>',
        '<source:file id="f" path="rows.csv" stream="true"/>'
        '<foreach id="e" collection="f" batch="2" merge="none">'
        '<sink:file id="s" input="item" path="b.csv" append="true"/></foreach>',
    ],
)
async def test_what_a_run_was_given_is_freed_without_the_garbage_collector(
    body: str, tmp_path: Path, no_collector: None, autojump_clock: object
) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n2\n3\n")
    flow = fs.loads(f'<workflow name="w">{body}</workflow>')
    given = Rows([1, 2, 3])
    seen = weakref.ref(given)
    run = await fs.run(flow, input=given, base=tmp_path)
    del given
    assert run.status == "completed"
    assert seen() is not None  # the run has it
    del run
    assert seen() is None


async def test_what_an_open_run_was_given_is_freed_without_the_garbage_collector(
    no_collector: None,
) -> None:
    flow = fs.loads(f'<workflow name="w">{STEP}</workflow>')
    given = Rows([1])
    seen = weakref.ref(given)
    async with fs.open_run(flow, input=given, budget=fs.Budget(nodes=5)) as run:
        await run.wait()
    del given, run
    assert seen() is None


@pytest.mark.parametrize(
    "body",
    [
        STEP,
        f'<parallel id="p"><branch>{STEP}</branch><branch><delay duration="2s"/></branch></parallel>',
        '<parallel id="p" wait="any"><branch><delay duration="2s"/></branch>'
        '<branch><delay duration="1h"/></branch></parallel>',
        '<foreach id="e" collection="$input" max-concurrency="2">'
        f'<delay duration="{{{{item}}}}s"/>{STEP}</foreach>',
        f'<loop id="l" max="2">{STEP}<delay duration="1s"/></loop>',
        f'<timeout id="t" duration="5s"><delay duration="2s"/>{STEP}</timeout>',
    ],
)
@pytest.mark.parametrize("resumed", [False, True])
async def test_a_durable_run_leaves_nothing_to_the_garbage_collector_either(
    body: str, resumed: bool, no_collector: None, autojump_clock: object
) -> None:
    flow = fs.loads(f'<workflow name="w">{body}</workflow>')
    store = fs.Store.memory()
    if resumed:
        async with fs.open_run(flow, input=[1, 2, 3], store=store, run_id="r") as left:
            await trio.sleep(1.5)
            left.leave()
        del left
    gc.collect()  # what was left by a cancellation is not looked at here
    run = await fs.run(flow, input=[1, 2, 3], store=store, run_id="r")
    assert run.status == "completed"
    seen = weakref.ref(run)
    del run
    assert seen() is None
    assert not [each for each in gc.get_objects() if type(each) is Block]
