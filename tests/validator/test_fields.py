"""Owns the tests of how config models are read: which settings are expressions, templates, YAML or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from flowscript_trio.expression import Expression, Template
from flowscript_trio.runtimes.markers import AfterBody, Binds, Constant, JsonScalar
from flowscript_trio.validator.fields import Form, plan_of


class Inner(BaseModel):
    a: int = 0


@dataclass
class Pair:
    a: int


class Many(BaseModel):
    text: str = ""
    maybe_text: str | None = None
    number: int = 0
    anything: Any = None
    path: Path | None = None
    word: Literal["a", "b"] = "a"
    listed: list[str] = []
    mapped: Mapping[str, Any] | None = None
    items: Annotated[Sequence[int], Field(min_length=0)] = ()
    either: list[str] | dict[str, str] = []
    text_or_list: str | list[str] = ""
    inner: Inner | None = None
    pair: Pair | None = None
    condition: Expression | None = None
    merge: Annotated[Literal["x", "y"] | Expression, Binds("$branches"), AfterBody()] = "x"
    template: Template | None = None
    name: Annotated[str, Constant()] = ""
    scalar: Annotated[Any, JsonScalar()] = None
    break_: Annotated[Expression, Binds("a")] | None = Field(None, alias="break")
    outputSchema: dict[str, Any] | None = None
    needed: int


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("text", Form.SCALAR),
        ("maybe_text", Form.SCALAR),
        ("number", Form.SCALAR),
        ("anything", Form.SCALAR),
        ("path", Form.SCALAR),
        ("word", Form.SCALAR),
        ("listed", Form.STRUCTURE),
        ("mapped", Form.STRUCTURE),
        ("items", Form.STRUCTURE),
        ("either", Form.STRUCTURE),
        ("text_or_list", Form.SCALAR),
        ("inner", Form.STRUCTURE),
        ("pair", Form.STRUCTURE),
        ("condition", Form.EXPRESSION),
        ("merge", Form.EXPRESSION),
        ("template", Form.TEMPLATE),
        ("break", Form.EXPRESSION),
        ("output_schema", Form.STRUCTURE),
    ],
)
def test_the_type_of_a_field_says_how_its_text_is_read(name: str, form: Form) -> None:
    assert plan_of(Many).fields[name].form is form


def test_marks_and_words_are_found_inside_unions_too() -> None:
    fields = plan_of(Many).fields
    assert fields["merge"].words == ("x", "y")
    assert fields["merge"].bound == {"$branches"}
    assert fields["merge"].after_body
    assert fields["break"].bound == {"a"}
    assert fields["name"].constant
    assert fields["scalar"].scalar_unless == "type"
    assert fields["text"].takes_text
    assert fields["maybe_text"].takes_text
    assert not fields["text_or_list"].takes_text


def test_a_field_is_found_by_its_name_and_its_alias() -> None:
    fields = plan_of(Many).fields
    assert fields["break"] is fields["break_"]
    assert (fields["break"].attribute, fields["break"].key) == ("break_", "break")
    assert [field.name for field in plan_of(Many).required] == ["needed"]


def test_a_model_with_code_of_its_own_is_not_plain() -> None:
    class Validated(BaseModel):
        a: int = 0

        @field_validator("a")
        @classmethod
        def _check(cls, value: int) -> int:
            return value

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    class Initialised(BaseModel):
        def model_post_init(self, context: Any, /) -> None: ...

    assert plan_of(Inner).is_plain
    assert not any(plan_of(model).is_plain for model in (Validated, Open, Initialised))
    assert plan_of(Open).is_open
