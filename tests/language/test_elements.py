"""Owns the proof that the declarations of the elements are whole: what each says is so where it is read."""

from __future__ import annotations

import typing
from dataclasses import fields

import pytest

import flowscript_trio as fs
from flowscript_trio.language.element import Element
from flowscript_trio.language.elements import ELEMENTS
from flowscript_trio.language.structure import CONTROLS, ENDED, FAMILIES, MANY, NODES, STRUCTURE
from flowscript_trio.runtimes.control.types import PART_CONFIGS
from flowscript_trio.schemas.slots import SLOTS
from flowscript_trio.types import ast
from flowscript_trio.validator.fields import plan_of

ROWS = [pytest.param(row, id=tag) for tag, row in ELEMENTS.items()]


@pytest.mark.parametrize("row", ROWS)
def test_the_node_has_the_fields_that_its_declaration_names(row: Element) -> None:
    own = {each.name for each in fields(row.node)} - {each.name for each in fields(ast.BaseNode)}
    named = {side.field for side in row.sides}
    named |= {"body"} if row.form is not None else set()
    named |= {row.parts.field} if row.parts is not None else set()
    named |= {"name"} if row.is_named else set()
    assert own == named


@pytest.mark.parametrize("row", ROWS)
def test_what_has_nodes_has_neither_sides_nor_parts(row: Element) -> None:
    assert [row.form is not None, bool(row.sides), row.parts is not None].count(True) <= 1
    assert not row.endings or row.form is not None


@pytest.mark.parametrize("row", ROWS)
def test_the_home_of_an_element_registers_its_runtime(row: Element) -> None:
    if row.type is None:
        assert row.tag in FAMILIES
        assert any(name.startswith(f"{row.tag}:") for name in fs.registry.names())
    else:
        runtime = fs.registry.get_runtime(row.type)
        assert f".{row.home}." in f"{type(runtime).__module__}." or not row.is_control


@pytest.mark.parametrize("row", ROWS)
def test_the_settings_that_a_declaration_names_are_those_of_its_model(row: Element) -> None:
    named = [*row.settings, *(key for key, _ in row.names), *([row.assigns] if row.assigns else [])]
    if named:
        assert row.type is not None
        config = fs.registry.get_runtime(row.type).config
        assert config is not None
        assert set(named) <= set(plan_of(config).fields)
    if row.parts is not None:
        model = PART_CONFIGS[row.tag, row.parts.tag]
        assert row.parts.assigns is None or row.parts.assigns in plan_of(model).fields
        assert row.parts.is_text == ("value" in plan_of(model).fields)


@pytest.mark.parametrize("row", ROWS)
def test_an_editor_s_schema_has_a_place_for_all_that_stands_in_an_element(row: Element) -> None:
    if row.is_control:
        assert row.tag in SLOTS["nodes"]
    for side in row.sides:
        assert side.tag in SLOTS[side.tag]
    if row.parts is not None:
        assert row.parts.tag in SLOTS[f"parts-of-{row.tag}"]


def test_every_form_of_a_node_is_the_form_of_a_declared_element() -> None:
    union = typing.get_args(ast.Node)
    assert {row.node for row in ELEMENTS.values()} == set(union)


def test_what_is_no_node_has_a_place_where_it_belongs() -> None:
    assert not NODES & set(STRUCTURE)
    assert STRUCTURE["then"] == "an <if>"
    assert STRUCTURE["case"] == "a <branch> outside of <parallel>"
    assert STRUCTURE["action"] == "a <checkpoint>"
    assert {"branch", "case"} == MANY
    assert {"branch"} == ENDED


def test_control_elements_are_those_whose_meaning_is_the_language_s_own() -> None:
    assert frozenset({"source", "transform", "sink", "ai"}) == NODES - CONTROLS


@pytest.mark.parametrize("tag", sorted(tag for tag, row in ELEMENTS.items() if row.is_control))
def test_every_control_element_may_have_the_prefix_control(tag: str) -> None:
    for text in (f"<control:{tag} zork='1'/>", f"<{tag} zork='1'/>"):
        with pytest.raises(fs.WorkflowInvalid) as caught:
            fs.loads(f"<workflow name='w'>{text}</workflow>")
        codes = {problem.code for problem in caught.value.problems}
        takes_all = ELEMENTS[tag].parts is not None and ELEMENTS[tag].parts.takes_attributes
        assert "unknown-element" not in codes
        assert ("unknown-setting" in codes) != takes_all
