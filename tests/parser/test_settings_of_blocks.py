"""Owns the tests of what an element is where its name could be more than one thing."""

from __future__ import annotations

import pytest

from flowscript_trio.parser import parse
from flowscript_trio.types.ast import BaseNode
from flowscript_trio.types.errors import Problem


def read_nodes(body: str) -> tuple[tuple[BaseNode, ...], list[Problem]]:
    parsed = parse(f'<workflow name="w">{body}</workflow>', file="f.xml")
    assert parsed.document is not None
    return parsed.document.body.nodes, list(parsed.problems)


def test_a_timeout_with_text_only_is_the_setting_of_its_block() -> None:
    [node], problems = read_nodes('<parallel id="p"><timeout>5s</timeout><branch/></parallel>')
    assert problems == []
    assert node.timeout is not None
    assert str(node.timeout.value) == "5s"


def test_a_break_with_text_only_is_the_setting_of_its_loop() -> None:
    [node], problems = read_nodes('<loop id="l"><break> {{done}} </break><break/></loop>')
    assert problems == []
    assert str(node.settings["break"].value) == "{{done}}"
    assert [inner.type for inner in node.bodies[0].nodes] == ["control:break"]


def test_an_if_with_text_only_is_the_setting_of_its_node() -> None:
    [node], problems = read_nodes('<foreach id="f" collection="[1]"><if>x</if></foreach>')
    assert problems == []
    assert str(node.condition and node.condition.value) == "x"


def test_a_timeout_with_attributes_is_a_node() -> None:
    [node], problems = read_nodes(
        '<foreach id="f" collection="[1]"><timeout id="t" duration="5s"/></foreach>'
    )
    assert problems == []
    assert node.timeout is None
    assert [inner.type for inner in node.bodies[0].nodes] == ["control:timeout"]


@pytest.mark.parametrize("element", ["source:http", "ai"])
def test_a_type_beside_the_one_in_the_name_is_given_twice(element: str) -> None:
    [node], [problem] = read_nodes(f'<{element} id="a" type="file"/>')
    assert node.type == {"source:http": "source:http", "ai": "transform:ai"}[element]
    assert problem.code == "setting-twice"
    assert problem.location.column == len(f'<workflow name="w"><{element} id="a" ') + 1


def test_a_phase_may_have_a_name_that_is_no_id() -> None:
    [node], problems = read_nodes('<phase name="Fetch, then wait"/>')
    assert problems == []
    assert node.label == "Fetch, then wait"


def test_a_phase_name_that_is_an_id_may_stand_only_once() -> None:
    _, [problem] = read_nodes('<phase name="a"/><phase name="a"/>')
    assert problem.code == "duplicate-id"


def test_front_matter_that_is_no_yaml_is_one_problem() -> None:
    parsed = parse("---\nname: [\n---\n<workflow/>", file="f.flow.md")
    assert [problem.code for problem in parsed.problems] == ["yaml"]


def test_arguments_of_a_call_keep_their_spelling_beside_its_settings() -> None:
    [node], problems = read_nodes(
        '<call id="c" workflow="x.xml" Input="1" foo-bar="2" fooBar="3" timeout="5s"/>'
    )
    assert problems == []
    assert node.input is None
    assert node.timeout is not None
    names = [str(part.settings["name"].value) for part in node.arguments]  # type: ignore[attr-defined]
    assert names == ["Input", "foo-bar", "fooBar"]
