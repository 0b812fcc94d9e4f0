from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands
from flowscript_trio.runtimes.control.types import BODY_CONFIGS, PART_CONFIGS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def sections() -> dict[str, list[str]]:
    """The settings page: the names in the first column of each table, by the element in its heading."""
    found: dict[str, list[str]] = {}
    for section in (REFERENCE / "settings.md").read_text().split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        names = re.findall(r"^\| `([\w-]+)` \|", body, re.MULTILINE)
        if " in " in heading:
            found[heading] = names
        else:
            for element in re.findall(r"`(<[^`]+>)`", heading):
                found[element] = names
    return found


def models() -> dict[str, type[BaseModel]]:
    """Every config model, by the element as the settings page calls it."""
    found = {}
    for name in fs.registry.names():
        kind, _, word = name.partition(":")
        config = fs.registry.get_runtime(name).config
        if config is not None:
            found[f"<{word}>" if kind == "control" else f'<{kind} type="{word}">'] = config
    for (around, tag), config in PART_CONFIGS.items():
        if around == "on-error" or fs.registry.has_runtime(f"control:{around}"):
            found[f"`<{tag}>` in `<{around}>`"] = config
    for tag, config in BODY_CONFIGS.items():
        found["`<case>` in `<branch>`" if tag == "case" else f"<{tag}>"] = config
    return {element: config for element, config in found.items() if config.model_fields}


def simple(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


@pytest.mark.parametrize("element", models())
def test_every_setting_of_an_element_has_its_line_in_the_reference(element: str) -> None:
    fields = models()[element].model_fields
    expected = sorted(simple(field.alias or name) for name, field in fields.items())
    assert sorted(map(simple, sections().get(element, []))) == expected
    assert all(field.description for field in fields.values())


def test_the_reference_has_no_element_that_does_not_exist() -> None:
    assert set(sections()) <= set(models())


def test_every_registered_element_is_in_the_list_of_elements() -> None:
    page = (REFERENCE / "elements.md").read_text()
    for name in fs.registry.names():
        kind, _, word = name.partition(":")
        assert f"`<{word}>`" in page or f'`<{kind} type="{word}">`' in page, name


def command_names() -> list[str]:
    return commands.list_commands(click.Context(commands))


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    page = (REFERENCE / "command-line.md").read_text()
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    assert f"`flowscript {name}" in page
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in page, parameter.opts[0]


def test_every_public_name_is_in_the_reference_of_the_library() -> None:
    page: Any = (REFERENCE / "api.md").read_text()
    missing = [name for name in fs.__all__ if f"flowscript_trio.{name}\n" not in page]
    assert missing == []
