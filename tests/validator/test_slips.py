"""Owns tests of what is said of expressions that are written as in another language."""

from __future__ import annotations

import pytest

import flowscript_trio as fs

EXPRESSIONS = [
    ("'{{x}}' == 'prod'", "x, or '\\{{x}}' for the braces themselves"),
    ("'user-{{x}}' != x", "'user-' + x, or 'user-\\{{x}}' for the braces themselves"),
    ("x == 1 or map(['a'], y => '{{y}}' eq y)", "y, or '\\{{y}}' for the braces themselves"),
    ("{{x}} == 'prod'", "x == 'prod': the whole is an expression already"),
    ("{{x}} and {{x}}", "x and x: the whole is an expression already"),
    ("total: {{x}}", "'total: ' + x: text in an expression needs quotes"),
    ("2024-11-10", "'2024-11-10'"),
    ("2024-11-10T10:00:00Z", "'2024-11-10T10:00:00Z'"),
    ("function(y) { return y }", "an arrow function: x => x.name"),
    ("return x", "the expression by itself, without return"),
    ("x | upper", "a call: upper(…)"),
    ("`a` + x", "'text ' + name: there are no template literals"),
    ("new Date()", "a call by itself: now() for new Date()"),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS)
def test_an_expression_of_another_language_is_refused_with_ours(text: str, expected: str) -> None:
    document = f"""<workflow name="w"><set var="x" value="1"/><if id="i">
      <condition><![CDATA[{text}]]></condition><then><delay duration="1s"/></then></if></workflow>"""
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(document)
    (problem,) = caught.value.problems
    assert (problem.code, problem.expected) == ("syntax", expected)


@pytest.mark.parametrize(
    "text",
    ["'\\{{x}}' == x", "length('{{x}}') == 5", "'a{{b' == x", "2024 - 11 - 10", "'2024-11-10' < x"],
)
async def test_what_only_looks_like_it_is_right(text: str) -> None:
    document = f"""<workflow name="w"><set var="x" value="1"/><if id="i">
      <condition><![CDATA[{text}]]></condition><then><delay duration="1s"/></then></if></workflow>"""
    assert not fs.loads(document).warnings


async def test_a_literal_with_escaped_braces_is_those_braces() -> None:
    flow = fs.loads(
        """<workflow name="w"><set var="x" value="\\{{x}}"/>
        <transform id="t"><template>{{ x == '\\{{x}}' }}</template></transform></workflow>"""
    )
    assert (await fs.run(flow)).output is True


def test_a_block_of_a_template_language_is_refused_with_ours() -> None:
    for block in ("{{#if x}}a{{/if}}", "{{#each x}}a{{/each}}", "{{% for %}}"):
        with pytest.raises(fs.WorkflowInvalid) as caught:
            fs.loads(
                f'<workflow name="w"><set var="x" value="1"/><transform id="t" template="{block}"/></workflow>'
            )
        assert "when ? a : b for a condition" in str(caught.value.problems[0].expected)
