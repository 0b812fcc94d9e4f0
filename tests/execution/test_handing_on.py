"""Owns tests of what is handed on: optional parameters, texts that look like numbers, declared defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs

SHOW = """<workflow name="show">
  <param name="text" type="string"/>
  <param name="size" type="number" default="7"/>
  <param name="kind" type="enum[1, 2]" default="1"/>
  <output>
    <set field="text" value="{{text}}"/>
    <set field="size" value="{{size}}"/>
    <set field="kind" value="{{kind}}"/>
    <set field="seen" value="{{[$input.text, $input.size, $config.size]}}"/>
  </output>
</workflow>"""


async def shown(folder: Path, node: str, head: str = "", **options: Any) -> Any:
    (folder / "show.xml").write_text(SHOW)
    (folder / "main.xml").write_text(f'<workflow name="main">{head}{node}</workflow>')
    return (await fs.run(fs.load(folder / "main.xml"), **options)).output


@pytest.mark.parametrize(
    "node",
    [
        '<call id="c" workflow="show.xml"><arg name="text" value="{{given}}"/></call>',
        '<call id="c" workflow="show.xml" text="{{given}}" size="{{given}}"/>',
        '<include id="c" workflow="show.xml"><bind key="text" value="{{given}}"/></include>',
        '<call id="c" workflow="show.xml" size="null"/>',
    ],
)
async def test_an_optional_parameter_without_a_value_can_be_handed_on(
    tmp_path: Path, node: str
) -> None:
    output = await shown(tmp_path, node, '<param name="given" type="string"/>')
    assert output == {"text": None, "size": 7, "kind": "1", "seen": [None, 7, 7]}


async def test_null_for_a_required_parameter_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "need.xml").write_text(
        '<workflow name="need"><param name="x" type="string" required="true"/></workflow>'
    )
    (tmp_path / "main.xml").write_text(
        '<workflow name="main"><param name="given"/><call id="c" workflow="need.xml" x="{{given}}"/></workflow>'
    )
    with pytest.raises(fs.InputError, match="'x' is None; expected a string"):
        await fs.run(fs.load(tmp_path / "main.xml"))


async def test_null_in_the_configuration_counts_as_not_given() -> None:
    flow = fs.loads(
        '<workflow name="w"><param name="a" type="number" default="3"/><output>'
        '<set field="a" value="{{a}}"/></output></workflow>'
    )
    assert (await fs.run(flow, config={"a": None})).output == {"a": 3}


@pytest.mark.parametrize(
    "node",
    [
        '<call id="c" workflow="show.xml" text="1.10" kind="2"/>',
        '<call id="c" workflow="show.xml"><arg name="text" value="1.10"/><arg name="kind">2</arg></call>',
        '<include id="c" workflow="show.xml"><bind key="text">1.10</bind><bind key="kind" value="2"/></include>',
    ],
)
async def test_a_constant_for_a_declared_text_stays_text(tmp_path: Path, node: str) -> None:
    output = await shown(tmp_path, node)
    assert output == {"text": "1.10", "size": 7, "kind": "2", "seen": ["1.10", 7, 7]}


def test_an_argument_without_a_value_beside_one_that_stays_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "show.xml").write_text(SHOW)
    (tmp_path / "main.xml").write_text(
        '<workflow name="main"><call id="c" workflow="show.xml">'
        '<arg name="size"/><arg name="text" value="1.10"/></call></workflow>'
    )
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.load(tmp_path / "main.xml")
    assert [problem.message for problem in caught.value.problems] == [
        "<arg> needs the setting 'value'"
    ]


async def test_a_variable_that_is_declared_as_text_stays_text() -> None:
    flow = fs.loads("""<workflow name="w">
      <param name="version" type="string"/>
      <set var="version" value="1.10"/><set var="other" value="1.10"/>
      <transform id="first" template="{{version}} {{other}}"/>
      <context><set key="version" value="2.0"/></context>
      <output><set field="first" value="{{first}}"/><set field="then" value="{{version}}"/></output>
    </workflow>""")
    assert (await fs.run(flow)).output == {"first": "1.10 1.1", "then": "2.0"}


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (None, [7, None]),
        ({}, [7, None]),
        ({"size": 2, "more": 1}, [2, 1]),
        ({"size": None}, [7, None]),
        ([1], [None, None]),
        ("text", [None, None]),
    ],
)
async def test_the_input_of_a_run_has_the_declared_defaults(given: Any, seen: list[Any]) -> None:
    flow = fs.loads("""<workflow name="w"><param name="size" type="number" default="7"/>
      <output><set field="seen" value="{{[$input.size, $input.more]}}"/></output></workflow>""")
    assert (await fs.run(flow, input=given)).output == {"seen": seen}


async def test_a_node_without_input_has_the_input_as_it_was_given() -> None:
    flow = fs.loads("""<workflow name="w"><param name="size" type="number" default="7"/>
      <transform id="t" template="{{input}}"/></workflow>""")
    assert (await fs.run(flow, input={"a": 1})).output == {"a": 1}
