"""Owns tests of the transforms (template, map, filter, reduce) and of ``<delay>``."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from typing import Any, cast

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.expression.scope import Services
from flowscript_trio.runtimes import pace as pacing
from flowscript_trio.runtimes.transform import lists
from flowscript_trio.runtimes.types import ExecutionParams
from flowscript_trio.types.ast import BaseNode


class Values:
    """A scope of variables only."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.services = Services()
        self.values = values

    def value(self, name: str) -> Any:
        return self.values.get(name)

    def node(self, name: str) -> None:
        return None


async def run_one(element: str, input: Any = None, **variables: Any) -> Any:
    """The output of one node whose settings are bound by the real validator."""
    sets = "".join(f"<set var='{name}' value='{{{{$config.{name}}}}}'/>" for name in variables)
    flow = fs.loads(f'<workflow name="w">{sets}{element}</workflow>')
    return (await fs.run(flow, input=input, config=variables)).output


def transform(kind: str, **settings: str) -> str:
    inner = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in settings.items())
    return f'<transform type="{kind}" id="t">{inner}</transform>'


@pytest.mark.parametrize(
    ("expression", "items", "output"),
    [
        ("item * 2", [1, 2], [2, 4]),
        ("{{ item * 2 }}", [1, 2], [2, 4]),
        ("x => x + 1", [1, 2], [2, 3]),
        ("(x, i, all) => [x, i, all.length]", ["a", "b"], [["a", 0, 2], ["b", 1, 2]]),
        ("x => x + $index", [10, 10], [10, 11]),
        ("[index, $index, $item, $first, $last, $items.length]", [7, 8],
         [[0, 0, 7, True, False, 2], [1, 1, 8, False, True, 2]]),
        ("item.big ? (x => x.n) : 0", [{"n": 1}, {"n": 2, "big": True}], [0, 2]),
        ("{...item, a: 1}", [{"b": 2}], [{"b": 2, "a": 1}]),
        ("item", {"no": "list"}, [{"no": "list"}]),
        ("item", "text", ["text"]),
        ("item", 0, [0]),
        ("item", None, []),
        ("item", [], []),
        ("item", (1, 2), [1, 2]),
        ("item", range(3), [0, 1, 2]),
        ("item", [None, [1]], [None, [1]]),
    ],
)  # fmt: skip
async def test_map_gives_one_value_for_each_item(
    expression: str, items: Any, output: list[Any]
) -> None:
    assert await run_one(transform("map", expression=expression), items) == output


@pytest.mark.parametrize(
    ("condition", "items", "kept"),
    [
        ("item > 1", [1, 2, 3], [2, 3]),
        ("x => x.ok", [{"ok": True}, {"ok": 0}, {}], [{"ok": True}]),
        ("(x, i, all) => i == all.length - 1", ["a", "b"], ["b"]),
        ("item", ["", "0", 0, 1, [], {}, None], ["0", 1, [], {}]),
        ("$first or $last", [1, 2, 3], [1, 3]),
        ("true", None, []),
        ("true", "one", ["one"]),
    ],
)
async def test_filter_keeps_the_items_for_which_the_condition_is_truthy(
    condition: str, items: Any, kept: list[Any]
) -> None:
    assert await run_one(transform("filter", condition=condition), items) == kept


@pytest.mark.parametrize(
    ("settings", "items", "output"),
    [
        ({"initial": "0", "expression": "acc + item"}, [1, 2, 3], 6),
        ({"initial": "0", "reducer": "acc + item"}, [1, 2, 3], 6),
        ({"initial": "10", "expression": "(a, x) => a + x"}, [1, 2], 13),
        ({"initial": "{{[]}}", "expression": "[...acc, [item, index]]"}, ["a"], [["a", 0]]),
        ({"initial": "{{0}}", "expression": "(a, x, i, all) => a + i * all.length"}, [9, 9], 2),
        ({"initial": "''", "expression": "$acc + $item + $index"}, ["a", "b"], "a0b1"),
        ({"initial": "0", "expression": "acc + item", "finalize": "acc * 10"}, [1, 2], 30),
        ({"initial": "0", "expression": "acc + item", "finalize": "a => [a]"}, [1, 2], [3]),
        (
            {"initial": "0", "expression": "acc + item", "finalize": "acc / $items.length"},
            [1, 3],
            2,
        ),
        ({"initial": "5", "expression": "acc + item"}, None, 5),
        ({"initial": "null", "expression": "[acc, item]"}, [1], [None, 1]),
        ({"initial": "1", "expression": "acc + item"}, 2, 3),
        ({"expression": "acc + item"}, [1, 2, 3], 6),
        ({"expression": "acc + index"}, [10, 0, 0], 13),
        ({"expression": "acc + item"}, [7], 7),
        ({"expression": "acc + item"}, [], None),
        ({"expression": "acc", "finalize": "[acc, item, $index]"}, [7], [7, None, None]),
    ],
)
async def test_reduce_folds_the_items_into_one_value(
    settings: dict[str, str], items: Any, output: Any
) -> None:
    assert await run_one(transform("reduce", **settings), items) == output


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("map", {}, "needs the setting 'expression'"),
        ("map", {"expression": "item +"}, "1:"),
        ("map", {"expression": "itm"}, "did you mean 'item'"),
        ("map", {"condition": "item", "expression": "item"}, "no setting 'condition'"),
        ("filter", {}, "needs the setting 'condition'"),
        ("reduce", {"initial": "0"}, "needs the setting 'expression'"),
        ("reduce", {"expression": "acc", "reducer": "acc"}, "are the same setting"),
        ("template", {}, "needs the setting 'template'"),
        ("template", {"template": "{{item}}"}, "item"),
        ("template", {"template": "x", "format": "xml"}, "expected: 'auto', 'text' or 'json'"),
    ],
)
def test_a_wrong_setting_is_found_when_the_document_is_read(
    kind: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">{transform(kind, **settings)}</workflow>')
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "output"),
    [
        ({"template": "Hello {{name}}, {{n}} {{none}}|"}, "Hello Ada, 3 |"),
        ({"template": "{{xs}}"}, [1, "two"]),
        ({"template": "{{xs}}", "format": "text"}, '[1,"two"]'),
        ({"template": '{"name": "{{odd}}", "xs": {{xs}}}'},
         {"name": 'a"b\\c\nd</template>', "xs": [1, "two"]}),
        ({"template": '[{{n}}, "{{n}}"]'}, [3, "3"]),
        ({"template": '{"a": {{n}}}', "format": "text"}, '{"a": 3}'),
        ({"template": "{not json {{n}}"}, "{not json 3"),
        ({"template": "{{n}}{{n}}", "format": "json"}, 33),
        ({"template": r"\{{literal}}"}, "{{literal}}"),
        ({"template": ""}, ""),
    ],
)  # fmt: skip
async def test_a_template_gives_text_or_the_json_that_it_makes(
    settings: dict[str, str], output: Any
) -> None:
    element = transform("template", **settings)
    odd = 'a"b\\c\nd</template>'
    found = await run_one(element, name="Ada", n=3, none=None, xs=[1, "two"], odd=odd)
    assert found == output


async def test_a_template_of_format_json_that_makes_no_json_is_an_error() -> None:
    with pytest.raises(fs.EvaluationError, match="not valid JSON"):
        await run_one(transform("template", template="{a {{n}}", format="json"), n=1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(JSON, max_size=5))
def test_no_transform_changes_its_input(items: list[Any]) -> None:
    before = copy.deepcopy(items)

    async def main() -> None:
        kept = await run_one(transform("filter", condition="true"), items)
        assert kept == items
        assert all(a is b for a, b in zip(kept, items, strict=True))
        assert await run_one(transform("map", expression="x => x"), items) == items
        fold = transform("reduce", initial="{{[]}}", expression="[...acc, item]")
        assert await run_one(fold, items) == items
        made = await run_one(transform("template", template='{"a": {{input}}}'), items)
        assert made == {"a": json.loads(json.dumps(items))}

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert items == before


SPENDING = [
    transform("map", expression="[...item]"),
    transform("map", expression="flatten(item)"),
    transform("map", expression="x => [...x, 1]"),
    transform("filter", condition="!item == [...item]"),
    transform("filter", condition="contains(item, 3)"),
    transform("reduce", expression="acc + [...item].length + 0", initial="0"),
    transform("reduce", expression="len([...item])"),
]
THRIFTY = [
    transform("map", expression="item + 1"),
    transform("map", expression="item"),
    transform("map", expression="(x, i, xs) => ({a: x, i})"),
    transform("filter", condition="item >= 0"),
    transform("filter", condition="item"),
    transform("reduce", expression="acc + item"),
    transform("reduce", expression="item"),
]


async def looks_of(
    element: str, items: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[int]]:
    """How often the clock is read, which turns by 1 ms each time; and at what readings checkpoints came."""
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    now = 0

    def tick() -> float:
        nonlocal now
        now += 1
        return now / 1000

    for name in ("perf_counter", "clock"):
        monkeypatch.setattr(pacing, name, tick)
    monkeypatch.setattr("flowscript_trio.runtimes.transform.lists.clock", tick)
    reached = []

    async def checkpoint() -> None:
        reached.append(now)
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(pacing, "checkpoint", checkpoint)
    await fs.run(flow, input=items)
    return now, reached


@pytest.mark.parametrize("element", SPENDING)
async def test_a_long_list_reaches_a_checkpoint_every_few_milliseconds(
    element: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    now, reached = await looks_of(element, [list(range(8))] * 1000, monkeypatch)
    assert now >= 1000  # after each item
    assert max(after - before for before, after in pairwise([*reached, now])) <= 10
    assert len(reached) <= 250


@pytest.mark.parametrize("element", THRIFTY)
async def test_the_clock_is_read_for_every_few_items_where_they_spend_nothing(
    element: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    now, reached = await looks_of(element, range(6_400), monkeypatch)
    assert 100 <= now <= 650
    assert len(reached) >= now / 10


ODD: list[Any] = [
    7, 2.5, 10**300, -(2**62), "7", "t" * 100, "x", True, None, [1, 2], list(range(200)), {"a": 1},
    {"a": "x" * 70},
]  # fmt: skip


@pytest.mark.parametrize(
    "element",
    [
        transform("map", expression="item.a"),
        transform("map", expression="[item, index, $first, $last, $items.length]"),
        transform("map", expression="(x, i, all, none) => ({x, i, n: all.length, none, item})"),
        transform("map", expression="item + 1"),
        transform("map", expression="item * 0.5"),
        transform("map", expression="-item"),
        transform("map", expression="typeof item == 'number' ? [item] : !item || {item}"),
        transform("map", expression="[...$items.slice(0, 3), item ?? 'none']"),
        transform("map", expression="[map([1, 2], x => [x, item]), json_encode(item)]"),
        transform("map", expression="x => json_encode(x)"),
        transform("map", expression="json_encode(item)"),
        transform("filter", condition="item > 1"),
        transform("filter", condition="(x, i) => x != null && !(i == 3)"),
        transform("filter", condition="item in [1, 2.5, 'x'] || $last"),
        transform("reduce", expression="acc + '' + $index", initial="''"),
        transform("reduce", expression="(a, x, i, all) => [a, x, i, all.length].length + i", initial="0"),
        transform("reduce", expression="[...acc, item]", initial="[]", finalize="acc.length"),
        transform("reduce", expression="acc * 2.5 + (typeof item == 'number' ? item : 1)"),
    ],
)  # fmt: skip
async def test_code_that_takes_many_items_in_one_call_does_what_is_done_for_each(
    element: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')

    async def outcome(items: list[Any]) -> Any:
        try:
            return (await fs.run(flow, input=items)).output
        except (fs.EvaluationError, fs.FlowScriptError) as exc:
            return type(exc), str(exc), getattr(exc, "location", None)

    lists_of_items: list[list[Any]] = [[1] * 100, [0.5] * 70]
    for odd in ODD:
        lists_of_items += [[odd] * 20, [1] * 70 + [odd] + [2] * 70, [odd, *range(63), odd, odd, 1]]
    quickly = [await outcome(items) for items in lists_of_items]
    monkeypatch.setattr(lists, "FEW", 10**9)
    assert quickly == [await outcome(items) for items in lists_of_items]


@pytest.mark.parametrize("kind", ["map", "filter", "reduce", "template"])
async def test_every_transform_reaches_a_checkpoint_even_with_nothing_to_do(kind: str) -> None:
    runtime = fs.registry.get_runtime(f"transform:{kind}")
    settings = {
        "map": {"expression": "item"},
        "filter": {"condition": "item"},
        "reduce": {"expression": "acc"},
        "template": {"template": "x"},
    }[kind]
    config = bound_config(kind, settings)
    params = ExecutionParams(
        cast(BaseNode, None), config, None, Values({}), cast(Any, None), shared=True
    )
    with trio.CancelScope() as scope:
        scope.cancel()
        await runtime.execute(params)
    assert scope.cancelled_caught


def bound_config(kind: str, settings: dict[str, str]) -> Any:
    """The config of a node as the validator binds it."""
    flow = fs.loads(f'<workflow name="w">{transform(kind, **settings)}</workflow>')
    [step] = flow.program.main.steps
    return step.config(Values({}))


async def test_an_error_of_one_item_names_its_place_in_the_document() -> None:
    with pytest.raises(fs.EvaluationError) as caught:
        await run_one('<transform type="map" id="t" expression="item.n + 1"/>', [{"n": 1}, {}])
    assert caught.value.location is not None
    assert str(caught.value.location).startswith("<text>:1:")


async def test_a_delay_sleeps_in_the_clock_of_trio_and_passes_its_input_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    start = trio.current_time()
    assert await run_one('<delay duration="1.5m"/>', {"a": 1}) == {"a": 1}
    assert trio.current_time() - start == 90
    assert await run_one('<delay duration="{{$input}}"/>', "2h") == "2h"


async def test_a_cancelled_delay_ends_at_once(autojump_clock: trio.testing.MockClock) -> None:
    start = trio.current_time()
    with trio.move_on_after(3) as scope:
        await run_one('<delay duration="1d"/>')
    assert scope.cancelled_caught
    assert trio.current_time() - start == 3


@pytest.mark.parametrize("duration", ["soon", "-1s", "5", "1e999s", ""])
def test_a_delay_of_no_duration_is_found_when_the_document_is_read(duration: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match="a duration such as"):
        fs.loads(f'<workflow name="w"><delay duration="{duration}"/></workflow>')


@pytest.mark.parametrize(
    "element",
    [
        transform("map", expression="json_encode(item)"),
        transform("map", expression="(x, i) => x + i"),
        transform("map", expression="item * pow(2, 1100) > 1.5"),
        transform("map", expression="upper(item)"),
        transform("map", expression="1 - {}"),
        transform("filter", condition="x => x % 2 == 0"),
        transform("filter", condition="item * pow(2, 1100) > 1.5"),
        transform("filter", condition="item < [1]"),
        transform("reduce", initial="$input.length", expression="acc + item"),
        transform("reduce", expression="(a, x) => a + x"),
        transform("reduce", initial="0", expression="acc + pow(2, 1100) > 1.5 ? item : 0"),
        transform("reduce", expression="acc - [item]"),
    ],
)
async def test_long_lists_give_what_short_ones_give(
    element: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over many items the function of an expression is called, over few ones its closures."""
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')

    async def outcome() -> object:
        try:
            return (await fs.run(flow, input=list(range(40)))).output
        except fs.FlowScriptError as exc:
            return type(exc), str(exc), exc.__notes__

    fast = await outcome()
    monkeypatch.setattr("flowscript_trio.runtimes.transform.lists.FEW", 1_000)
    assert fast == await outcome()
