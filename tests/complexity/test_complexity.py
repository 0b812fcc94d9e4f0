"""Work grows with what there is to do and with nothing else: one more unit takes the same at every size."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.execution import blocks
from flowscript_trio.execution.record import Record
from flowscript_trio.execution.state import State

from .counting import Work, count, peak, per_unit

pytestmark = pytest.mark.slow

registry = fs.Registry(base=fs.registry)
LARGEST = int(os.environ.get("FLOWSCRIPT_LARGEST", "5000"))
"""How many units the largest workflows have; with 100,000 the counting takes minutes."""
SAME = 0.03
"""How far two figures of one unit may be apart, as a share: some growth comes in jumps (lists, dicts)."""


@registry.runtime("source:noop", reads_only=True)
async def noop(params: fs.ExecutionParams) -> None:
    """Nothing."""


def flow(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>', registry=registry)


def running(body: str, **options: Any) -> Work:
    loaded = flow(body)
    return lambda: fs.run(loaded, **options)


def parallel(branches: int) -> Work:
    inner = "".join(f'<branch><source:noop id="n{i}"/></branch>' for i in range(branches))
    return running(f'<parallel id="p" maxConcurrency="10">{inner}</parallel>')


def unlimited(branches: int) -> Work:
    inner = "".join(f'<branch><source:noop id="n{i}"/></branch>' for i in range(branches))
    return running(f'<parallel id="p" maxConcurrency="unlimited">{inner}</parallel>')


def foreach(items: int, keep: int = 10) -> Work:
    body = '<foreach id="f" collection="{{$input}}" maxConcurrency="10"><source:noop id="n"/></foreach>'
    # What goes beyond what the record keeps costs a little less; it is beyond it at every size.
    return running(body, input=list(range(items)), keep=keep)


def sequence(nodes: int) -> Work:
    inner = "".join(f'<source:noop id="n{i}"/>' for i in range(nodes))
    return running(f'<parallel id="p"><branch>{inner}</branch></parallel>')


def chain(nodes: int) -> Work:
    first, *rest = range(nodes)
    inner = "".join(f'<source:noop id="n{i}" after="n{i - 1}"/>' for i in rest)
    return running(f'<source:noop id="n{first}"/>{inner}')


def layers(nodes: int) -> Work:
    def node(index: int) -> str:
        waits = f' after="n{index - 20} n{index - 19}"' if index >= 20 else ""
        return f'<source:noop id="n{index}"{waits}/>'

    return running("".join(map(node, range(nodes))))


def loop(rounds: int) -> Work:
    return running(f'<loop id="l" max="{rounds}"><source:noop id="n"/></loop>')


SHAPES = [parallel, unlimited, foreach, sequence, chain, layers, loop]


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.__name__ for shape in SHAPES])
def test_one_more_unit_takes_the_same_at_every_size(shape: Callable[[int], Work]) -> None:
    first = per_unit(shape, 100, 1_000)
    later = per_unit(shape, 1_000, LARGEST)
    assert later == pytest.approx(first, rel=SAME, abs=0.02)


def test_one_more_item_takes_the_same_up_to_100_000() -> None:
    first, later = per_unit(foreach, 100, 1_000), per_unit(foreach, 1_000, 100_000)
    assert later == pytest.approx(first, rel=SAME, abs=0.02)


def fields_of(state: Any) -> Work:
    inner = "".join(
        f'<branch><transform type="template" id="t{i}" template="{{{{$input.fields.f{i}}}}}"/></branch>'
        for i in range(100)
    )
    return running(f'<parallel id="p">{inner}</parallel>', input=state)


FIELDS = {"fields": {f"f{i}": i for i in range(100)}}
LARGE = {**FIELDS, "rows": [{"number": number, "text": "x" * 80} for number in range(10_000)]}


def test_the_size_of_the_state_makes_no_difference() -> None:
    large, small = count(fields_of(LARGE)), count(fields_of(FIELDS))
    assert (large.steps, large.tasks) == (small.steps, small.tasks)
    assert large.calls == pytest.approx(small.calls, rel=0.002)  # the order of tasks is chance
    assert peak(fields_of(LARGE)) == pytest.approx(peak(fields_of(FIELDS)), abs=4_096)


@registry.runtime("source:small", reads_only=True)
async def small(params: fs.ExecutionParams) -> Any:
    return FIELDS


@registry.runtime("source:large", reads_only=True)
async def large(params: fs.ExecutionParams) -> Any:
    return LARGE


def fields_of_output(source: str) -> Work:
    inner = "".join(
        f'<branch><transform type="template" id="t{i}" template="{{{{before.fields.f{i}}}}}"/></branch>'
        for i in range(100)
    )
    return running(f'<source:{source} id="before"/><parallel id="p">{inner}</parallel>')


def test_neither_does_the_size_of_the_output_that_is_read() -> None:
    large, small = count(fields_of_output("large")), count(fields_of_output("small"))
    assert (large.steps, large.tasks) == (small.steps, small.tasks)
    assert large.calls == pytest.approx(small.calls, rel=0.002)
    assert peak(fields_of_output("large")) == pytest.approx(
        peak(fields_of_output("small")), abs=4_096
    )


def outputs_before(nodes: int) -> Work:
    before = "".join(f'<source:noop id="b{i}"/>' for i in range(nodes))
    inner = "".join(f'<branch><source:noop id="n{i}"/></branch>' for i in range(100))
    block = f'<parallel id="p">{inner}</parallel>'
    return running(f'<parallel id="o"><branch>{before}{block}</branch></parallel>')


def test_neither_do_the_outputs_of_the_nodes_before() -> None:
    alone = running(
        '<parallel id="o"><branch>'
        + "".join(f'<source:noop id="b{i}"/>' for i in range(1_000))
        + "</branch></parallel>"
    )
    with_block = count(outputs_before(1_000)) - count(alone)
    few = running(
        '<parallel id="o"><branch>'
        + "".join(f'<source:noop id="b{i}"/>' for i in range(10))
        + "</branch></parallel>"
    )
    after_few = count(outputs_before(10)) - count(few)
    assert with_block.calls == pytest.approx(after_few.calls, rel=SAME)
    assert with_block.steps == after_few.steps


def nested(depth: int, nodes: int) -> Work:
    body = "".join(f'<source:noop id="n{i}"/>' for i in range(nodes))
    for level in range(depth):
        body = f'<parallel id="p{level}"><branch>{body}</branch></parallel>'
    return running(body)


def test_each_level_of_nesting_takes_one_task_and_three_steps() -> None:
    first, second, third = (count(nested(depth, 1)) for depth in (10, 20, 40))
    assert (second - first).tasks == 10
    assert (third - second).tasks == 20
    assert (second - first).steps <= 30  # into the branch, out of it, and back in the block
    assert (third - second).steps == 2 * (second - first).steps


def test_a_node_takes_no_more_below_other_blocks_but_being_published_by_each() -> None:
    units = []
    for depth in (1, 11, 41):
        more = count(nested(depth, 200)) - count(nested(depth, 100))
        units.append((more.calls / 100, more.steps / 100))
    assert len({steps for _, steps in units}) == 1
    (one, _), (ten_more, _), (forty_more, _) = units
    assert ten_more - one <= 10 * 1.05
    assert forty_more - one <= 40 * 1.05


def test_the_memory_of_items_that_are_not_kept_is_flat() -> None:
    def numbers(count: int) -> Iterator[int]:
        yield from range(count)

    loaded = flow(
        '<foreach id="f" collection="{{$input}}" maxConcurrency="10" merge="none">'
        '<source:noop id="n"/></foreach>'
    )

    def consuming(items: int) -> Work:
        return lambda: fs.run(loaded, input=numbers(items), keep=100)

    assert peak(consuming(100_000)) == pytest.approx(peak(consuming(10_000)), abs=16_384)


# ---- what would be found ----


COPIED = {**FIELDS, "rows": LARGE["rows"][:100]}  # type: ignore[index]


def test_a_state_that_is_copied_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def clone(state: State, index: int) -> State:
        copy.deepcopy(state.value("$input"))
        return state.fork({"$branch": index})

    monkeypatch.setattr(blocks, "clone_state_for_branch", clone)
    assert count(fields_of(COPIED)).calls > 2 * count(fields_of(FIELDS)).calls


def test_a_look_at_all_other_branches_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def clone(state: State, index: int) -> State:
        seen.append(index)
        for other in seen:
            abs(other)
        return state.fork({"$branch": index})

    monkeypatch.setattr(blocks, "clone_state_for_branch", clone)
    first = per_unit(parallel, 100, 300)
    later = per_unit(parallel, 300, 1_000)
    assert later[0] > (1 + SAME) * first[0]


@pytest.mark.parametrize("shape", [partial(foreach, keep=1000), sequence, chain, layers])
def test_a_look_at_all_results_so_far_would_be_found(
    shape: Callable[[int], Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Record.add

    def look_and_add(record: Record, key: int, label: str, result: Any, inner: bool) -> None:
        for other in record:
            abs(other.started)
        add(record, key, label, result, inner)

    monkeypatch.setattr(Record, "add", look_and_add)
    first = per_unit(shape, 100, 200)
    later = per_unit(shape, 200, 400)
    assert later[0] > (1 + SAME) * first[0]
