"""Owns the settings of the transforms."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...expression import Expression, Template
from ..markers import ACCUMULATOR_NAMES, ITEM_NAMES


class TransformConfig(BaseModel):
    """What all models of this file share: no setting besides their own."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )


class TemplateConfig(TransformConfig):
    """``<transform type="template">``: makes a text, or the JSON that it is."""

    template: Template = Field(description="the text, with {{ expressions }} in it")
    format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="json parses what it makes; auto does so where the text looks like JSON",
    )


class MapConfig(TransformConfig):
    """``<transform type="map">``: makes a new list, item by item."""

    expression: Annotated[Expression, ITEM_NAMES] = Field(
        description="gives each new item; an arrow function is called with (item, index, items)"
    )


class FilterConfig(TransformConfig):
    """``<transform type="filter">``: keeps some items of a list, unchanged."""

    condition: Annotated[Expression, ITEM_NAMES] = Field(
        description="keeps an item; an arrow function is called with (item, index, items)"
    )


class ReduceConfig(TransformConfig):
    """``<transform type="reduce">``: makes one value of a list, item by item.

    ``reducer`` is another name of ``expression``.
    """

    initial: Expression | None = Field(
        default=None,
        description="gives the first accumulator; without it, that is the first item, as in JavaScript",
    )
    reducer: Annotated[Expression, ACCUMULATOR_NAMES] = Field(
        alias="expression",
        description="gives the next accumulator; an arrow function gets (acc, item, index, items)",
    )
    finalize: Annotated[Expression | None, ACCUMULATOR_NAMES] = Field(
        default=None, description="gives the output from the last accumulator"
    )
