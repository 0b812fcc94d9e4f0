"""Owns the proof that the schema knows every setting, as its model declares it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from lxml import etree
from pydantic import BaseModel, ConfigDict, create_model

import flowscript_trio as fs
from flowscript_trio.parser.names import canonical, spellings
from flowscript_trio.runtimes.control.types import BODY_CONFIGS, PART_CONFIGS
from flowscript_trio.schemas.settings import settings_of

from validating import complaint, errors_of, schema_of, workflow


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    return schema_of(tmp_path_factory.mktemp("schemas"))


LEAVES = [name for name in fs.registry.names() if not name.startswith("control:")]
BODIES = {
    "control:foreach": "{}", "control:loop": "{}", "control:while": "{}", "control:timeout": "{}",
    "control:phase": "{}", "control:parallel": "<branch>{}</branch>", "control:if": "<then>{}</then>",
    "control:branch": '<case when="true">{}</case>',
}  # fmt: skip


def a_node(name: str, attributes: str) -> str:
    """A node of a runtime, with nothing in it but what it must have."""
    word = name if not name.startswith("control:") else name.partition(":")[2]
    inner = BODIES.get(name, "").format('<set var="v" value="1"/>')
    return f"<{word} {attributes}>{inner}</{word}>"


def typed() -> list[tuple[str, str, str]]:
    """Every setting whose text has a type, in all its spellings, with its runtime."""
    return [
        (name, setting.name, spelling)
        for name in fs.registry.names()
        for setting in settings_of(fs.registry.get_runtime(name).config).known
        for spelling in spellings(setting.name)
        if all(one.base != "xs:string" or takes_no_marks(one.facets) for one in setting.text)
    ]


def takes_no_marks(facets: tuple[tuple[str, str], ...]) -> bool:
    """Whether a text has a pattern that no question mark fits."""
    return any(facet == "pattern" and "[^" not in value for facet, value in facets)


@pytest.mark.parametrize(("name", "setting", "spelling"), typed())
def test_a_value_that_its_type_excludes_is_wrong_for_both(
    name: str, setting: str, spelling: str, schema: etree.XMLSchema
) -> None:
    text = workflow(a_node(name, f'{spelling}="?!"'))
    said = complaint(schema, text)
    assert said is not None
    assert "?!" in said
    assert any("?!" in f"{one.message} {one.found}" for one in errors_of(text))


@pytest.mark.parametrize(("name", "setting", "spelling"), typed())
def test_a_template_stands_in_every_setting_that_need_not_be_constant(
    name: str, setting: str, spelling: str, schema: etree.XMLSchema
) -> None:
    text = workflow(a_node(name, f'{spelling}="{{{{$config.x}}}}"'))
    codes = {problem.code for problem in errors_of(text)}
    assert (complaint(schema, text) is None) == ("not-constant" not in codes)


def models() -> list[tuple[str, type[BaseModel]]]:
    found = [(name, fs.registry.get_runtime(name).config) for name in fs.registry.names()]
    found += [(f"{around} {part}", model) for (around, part), model in PART_CONFIGS.items()]
    found += list(BODY_CONFIGS.items())
    return [(name, model) for name, model in found if model is not None and model.model_fields]


@pytest.mark.parametrize(("name", "model"), models())
def test_every_setting_stands_in_the_schema_with_its_description(
    name: str, model: type[BaseModel]
) -> None:
    said = " ".join(
        element.text or ""
        for element in etree.fromstring(fs.schema_files()["flowscript.xsd"].encode()).iter(
            "{*}documentation"
        )
    )
    for field in model.model_fields.values():
        assert field.description
        assert field.description in said


def without(model: type[BaseModel], setting: str) -> type[BaseModel]:
    fields: Any = {
        name: (info.annotation, info)
        for name, info in model.model_fields.items()
        if name != setting
    }
    return create_model(
        "Without", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "setting"),
    [(n, s) for n in LEAVES for s in (fs.registry.get_runtime(n).config or BaseModel).model_fields],
)
def test_a_setting_that_is_deleted_from_a_model_is_gone_from_the_schema(
    name: str, setting: str
) -> None:
    registry = fs.Registry(base=fs.registry)
    runtime = copy.copy(fs.registry.get_runtime(name))
    assert runtime.config is not None
    runtime.config = without(runtime.config, setting)  # type: ignore[misc]
    registry.register(name, runtime)
    of_type = f"{{*}}complexType[@name='{name.replace(':', '.')}']/{{*}}attribute"

    def attributes(registry: fs.Registry) -> set[str]:
        root = etree.fromstring(fs.schema_files(registry)["flowscript.xsd"].encode())
        return {one.get("name", "") for one in root.iterfind(of_type)}

    info = fs.registry.get_runtime(name).config.model_fields[setting]
    gone = attributes(fs.registry) - attributes(registry)
    assert gone >= set(spellings(canonical(info.alias or setting)))
