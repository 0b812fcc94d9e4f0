"""Expressions as documents use them: no escape, bounds that stop them, and templates that make JSON."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs


def evaluate(expression: str, **options: Any) -> Any:
    """The value of an expression in a workflow; its input is ``input``."""
    text = (
        '<workflow name="w"><transform type="template" id="t"><template><![CDATA[{{'
        + expression
        + "}}]]></template></transform></workflow>"
    )
    return trio.run(lambda: fs.run(fs.loads(text), **options)).output


@pytest.mark.parametrize(
    "expression",
    [
        "input.__class__",
        "input.secret",
        "input['__init__']",
        "[].__class__",
        "'x'.__len__",
        "(1).real",
        "$run[lower('__DICT__')]",
        "(x => x).__globals__",
    ],
)
def test_no_attribute_of_a_python_object_is_reachable(expression: str) -> None:
    class Thing:
        secret = "hidden"

    assert evaluate(expression, input=Thing()) is None


@pytest.mark.parametrize(
    "expression",
    [
        "'x'.format(1)",
        "input.__class__()",
        "[].pop()",
        "'{}'.format(input)",
        "open('f')",
        "eval('1')",
    ],
)
def test_no_other_method_and_no_builtin_can_be_called(expression: str) -> None:
    with pytest.raises(fs.WorkflowInvalid):
        evaluate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "repeat('x', 1e9)",
        "range(0, 1e9)",
        "pow(2, 100000)",
        "pow(pow(10, 1000), 1000)",
        "pad_start('x', 1e12)",
        "range(0, 1e7).map(x => range(0, 1e7).map(y => x))",
        "replace(repeat('x', 1e6), 'x', repeat('y', 1e6))",
        "json_decode(repeat('[', 100000))",
        "join(range(0, 1e7).map(x => repeat('x', 1000)), ',')",
    ],
)
def test_an_expression_that_would_exhaust_the_process_is_stopped(expression: str) -> None:
    with pytest.raises(fs.EvaluationError) as caught:
        evaluate(expression, limits=fs.Limits(operations=200_000))
    assert caught.value.location is not None


@pytest.mark.parametrize("nest", ["(", "[", "{a:", "!", "-", "1 ? ", "f(", "x => "])
def test_a_nesting_100_000_deep_is_an_error_with_a_place(nest: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        evaluate(nest * 100_000)
    assert any(problem.code == "syntax" for problem in caught.value.problems)


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "new\nline", "</template>", "{{braces}}", "tab\t", "é\u2028"]
)
def test_a_template_that_makes_json_is_right_for_every_name(name: str) -> None:
    text = """<workflow name="w"><transform type="template" id="t"><template><![CDATA[
      {"name": "{{$config.name}}", "tags": {{$config.tags}}, "raw": {{json_encode($config.tags)}}}
    ]]></template></transform></workflow>"""
    config = {"name": name, "tags": [name, 1]}
    run = trio.run(lambda: fs.run(fs.loads(text), config=config))
    assert run.output == {"name": name, "tags": [name, 1], "raw": [name, 1]}


@pytest.mark.parametrize(
    ("template", "format", "output"),
    [
        ("{{[1]}}", "auto", [1]),
        ("{{json_encode([1])}}", "auto", [1]),
        ("n = {{1.0}}", "auto", "n = 1"),
        ("{ not json {{1}} }", "auto", "{ not json 1 }"),
        ('{"a": {{1}}}', "text", '{"a": 1}'),
        ("\\{{x}} {{null}}|{{true}}", "auto", "{{x}} |true"),
        ("[{{'a'}}]", "json", ["a"]),
    ],
)
def test_the_formats_of_templates(template: str, format: str, output: Any) -> None:
    text = (
        f'<workflow name="w"><transform type="template" id="t" format="{format}"><template><![CDATA['
        f"{template}]]></template></transform></workflow>"
    )
    assert trio.run(fs.run, fs.loads(text)).output == output


def test_json_that_does_not_parse_is_an_error_with_its_place() -> None:
    text = """<workflow name="w">
  <transform type="template" id="t" format="json" template="{ nothing }"/></workflow>"""
    with pytest.raises(fs.EvaluationError) as caught:
        trio.run(fs.run, fs.loads(text, name="j.xml"))
    assert caught.value.location is not None
    assert caught.value.location.line == 2


def test_ids_with_hyphens_are_one_name_where_they_are_bound_and_a_subtraction_elsewhere() -> None:
    text = """<workflow name="w">
      <transform type="template" id="safe-fetch" template="{{[7, 8]}}"/>
      <set var="a" value="5"/><set var="b" value="2"/>
      <transform type="template" id="t" template="{{[safe-fetch[0], a-b]}}"/></workflow>"""
    assert trio.run(fs.run, fs.loads(text)).output == [7, 3]
