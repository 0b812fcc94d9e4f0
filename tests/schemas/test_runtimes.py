"""Owns the proof that the schema knows the runtimes of an application, and what they say of themselves."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from lxml import etree
from pydantic import BaseModel, ConfigDict, Field

import flowscript_trio as fs
from flowscript_trio.expression import Expression

from validating import complaint, errors_of, schema_of, workflow


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class PaintConfig(BaseModel):
    """``<sink type="paint">``: paints a wall."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    wall_name: str = Field(pattern=r"^w\w+-\d$", description="the wall")
    colour: Colour | None = Field(default=Colour.RED, description="its colour")
    coats: Literal["one", "two"] = "one"
    litres: float = Field(default=1.5, gt=0, le=100)
    when: Expression | None = None


@pytest.fixture
def painting() -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("sink:paint", config=PaintConfig)
    async def paint(params: fs.ExecutionParams) -> None:
        """Paint."""

    @registry.runtime("source:anything")
    async def anything(params: fs.ExecutionParams) -> None:
        """Gives whatever it is asked for.

        And more.
        """

    return registry


@pytest.mark.parametrize(
    ("nodes", "right"),
    [
        ("<sink:paint id='a' wall-name='wall_a-1'/>", True),
        ("<sink:paint id='a' wallName='wé-1' colour='blue' coats='two' litres='2.5'/>", True),
        ("<sink:paint id='a' wall_name='{{$config.x}}'><when>item eq 1</when></sink:paint>", True),
        ("<sink type='paint' id='a' wall-name='wa-1'/>", True),
        ("<sink:paint id='a' wall-name='door'/>", False),
        ("<sink:paint id='a' wall-name='wa-1' colour='green'/>", False),
        ("<sink:paint id='a' wall-name='wa-1' litres='0'/>", False),
        ("<sink:paint id='a' wall-name='wa-1' smell='bad'/>", False),
        ("<source:anything id='a' what='ever'><more>of it</more><output>x</output></source:anything>", True),
        ("<source:anything id='a' what='ever'><on-error><retry max='2'/></on-error></source:anything>", True),
        ("<source:anything id='a'><on-error><retry max='no'/></on-error></source:anything>", False),
        ("<source type='anything' id='a' what='ever'><more>of it</more></source>", True),
    ],
)  # fmt: skip
def test_the_schema_knows_the_runtimes_that_are_registered(
    nodes: str, right: bool, painting: fs.Registry, tmp_path: Path
) -> None:
    schema = schema_of(tmp_path, painting)
    text = workflow(nodes)
    assert (complaint(schema, text) is None) is right
    problems = errors_of(text, painting)
    assert (not [p for p in problems if p.code != "unknown-name"]) is right


def documentation(text: str, element: str, name: str) -> list[str]:
    """What the schema says of every element or type of a name."""
    root = etree.fromstring(text.encode())
    path = f".//{{*}}{element}[@name='{name}']/{{*}}annotation/{{*}}documentation"
    return [found.text or "" for found in root.iterfind(path)]


def test_the_schema_says_what_its_models_and_runtimes_say(painting: fs.Registry) -> None:
    text = fs.schema_files(painting)["flowscript.xsd"]
    assert documentation(text, "complexType", "sink.paint") == ["paints a wall."]
    assert documentation(text, "complexType", "source.anything") == [
        "Gives whatever it is asked for."
    ]
    assert "its colour (default: red)" in documentation(text, "attribute", "colour")
    assert "the wall (required)" in documentation(text, "attribute", "wall-name")
    assert documentation(text, "attribute", "wallName") == ["Another spelling of wall-name."] * 2


def test_the_schema_says_what_the_nodes_of_a_runtime_give(painting: fs.Registry) -> None:
    @painting.runtime("source:weather", output="{city: string, wind: number?}")
    async def weather(params: fs.ExecutionParams) -> None:
        """Asks for the weather."""

    @painting.runtime("source:silent", output="string[]")
    async def silent(params: fs.ExecutionParams) -> None:
        pass

    text = fs.schema_files(painting)["flowscript.xsd"]
    said = [
        documentation(text, "complexType", f"{family}.{name}")
        for family, name in (("source", "weather"), ("source", "silent"), ("sink", "file"))
    ]
    assert said[0] == ["Asks for the weather. Gives {city: string, wind: number?}."]
    assert said[1] == ["Gives string[]."]
    assert said[2][0].endswith(" Gives {path: string, bytes: number}.")
