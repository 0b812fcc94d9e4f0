"""Owns tests of references into blocks: ``gather.fetch.output``, in expressions and as ``input``."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

GATHER = (
    """<phase name="gather"><transform:template id="fetch" template="{{{{{value}}}}}"/></phase>"""
)


async def output_of(*lines: str) -> Any:
    text = "\n".join(['<workflow name="w">', *lines, "</workflow>"])
    run = await fs.run(fs.loads(text))
    return run.output


def problems_of(*lines: str) -> list[tuple[str, str, str | None]]:
    text = "\n".join(['<workflow name="w">', *lines, "</workflow>"])
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text)
    return [(p.code, p.message, p.suggestion) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("gather", [1, 2]),
        ("gather.output", [1, 2]),
        ("gather.fetch", [1, 2]),
        ("gather.fetch.output", [1, 2]),
        ("gather.fetch.output[1]", [2]),
        ("gather.fetch, fetch", [[1, 2], [1, 2]]),
    ],
)
async def test_input_names_a_node_in_a_phase(path: str, expected: Any) -> None:
    last = f'<transform:map id="m" input="{path}" expression="item"/>'
    assert await output_of(GATHER.format(value="[1, 2]"), last) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("gather", [1, 2]),
        ("gather.fetch", [1, 2]),
        ("gather.fetch.output[1]", 2),
        ("gather.fetch.status", "success"),
        ("gather['fetch'].status", "success"),
        ("gather.fetch.length + length(gather.fetch)", 4),
        ("map([1], x => gather.fetch[0] + x)", [2]),
        ("{a: gather.fetch}", {"a": [1, 2]}),
        ("[...gather.fetch, -gather.fetch[0]]", [1, 2, -1]),
        ("gather.fetch ? gather.fetch[0] : 0", 1),
        ("gather.fetch[gather.fetch[0]]", 2),
        ("gather.fetch.map(x => x * 2)", [2, 4]),
    ],
)
async def test_an_expression_names_a_node_in_a_phase(expression: str, expected: Any) -> None:
    last = f'<transform:template id="t"><template>{{{{ {expression} }}}}</template></transform:template>'
    assert await output_of(GATHER.format(value="[1, 2]"), last) == expected


async def test_a_member_of_the_output_goes_before_a_node() -> None:
    last = '<transform:template id="t" template="{{gather.fetch}}"/>'
    assert await output_of(GATHER.format(value="({fetch: 3})"), last) == 3
    assert await output_of(GATHER.format(value="({fetch: null})"), last) is None
    assert await output_of(GATHER.format(value="({other: 3})"), last) == {"other": 3}


async def test_blocks_in_blocks_are_passed_through_and_a_phase_with_an_id_has_both_names() -> None:
    phase = """<phase id="g-h" name="gather"><if id="i" condition="true"><then>
      <transform:template id="a-b" template="{{({n: 2})}}"/></then></if></phase>"""
    names = "{{gather.i['a-b'].n}}{{g-h.i.n}}{{g-h['a-b'].output.n}}"
    last = f'<transform:template id="t" template="{names}"/>'
    assert await output_of(phase, last) == "222"
    last = '<transform:map id="m" input="gather.i.a-b.n" expression="item + 1"/>'
    assert await output_of(phase, last) == [3]


async def test_a_node_in_a_branch_is_seen_through_its_parallel() -> None:
    both = """<parallel id="p"><branch><transform:template id="a" template="{{7}}"/></branch>
      <branch><transform:template id="b" template="{{8}}"/></branch></parallel>"""
    last = '<transform:template id="t" template="{{p.a + p.b.output}}"/>'
    assert await output_of(both, last) == 15


async def test_what_names_a_node_in_a_block_waits_for_the_block() -> None:
    """In a graph body: the transform stands first."""
    first = '<transform:template id="t" template="{{l.a}}"/>'
    loop = '<loop id="l" max="1"><transform:template id="a" template="{{7}}"/></loop>'
    assert await output_of(
        '<phase name="p">',
        first,
        loop,
        "</phase>",
        '<output><set field="t" value="{{t}}"/></output>',
    ) == {"t": 7}


async def test_a_variable_of_a_phases_name_is_the_variable() -> None:
    last = '<transform:template id="t" template="{{gather}}"/>'
    assert await output_of('<set var="gather" value="5"/>', GATHER.format(value="[1]"), last) == 5


async def test_an_item_of_a_blocks_name_is_the_item() -> None:
    each = """<foreach id="f" collection="[{fetch: 9}]" item="gather">
      <transform:template id="t" template="{{gather.fetch}}"/></foreach>"""
    assert await output_of(GATHER.format(value="[1]"), each) == [9]


@pytest.mark.parametrize(
    "last",
    [
        '<transform:map id="m" input="gather.ftch.output" expression="item"/>',
        '<transform:template id="t" template="{{gather.ftch.output}}"/>',
        '<transform:template id="t" template="{{gather.ftch.status}}"/>',
    ],
)
def test_a_node_that_a_block_does_not_have_is_an_error_with_the_nearest(last: str) -> None:
    found = problems_of(GATHER.format(value="[1]"), last)
    assert found == [("unknown-node", "there is no node 'ftch' in 'gather'", "fetch")]


def test_a_sibling_is_not_seen_through_the_block_around_both() -> None:
    found = problems_of(
        '<parallel id="p"><branch><transform:template id="a" template="1"/></branch>',
        '<branch><transform:template id="b" template="{{p.a}}"/></branch></parallel>',
    )
    assert "sibling-branch" in {code for code, _, _ in found}
