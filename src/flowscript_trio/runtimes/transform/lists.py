"""Owns ``map``, ``filter`` and ``reduce`` as transforms of a list, item by item with checkpoints between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ...expression import Expression, is_function, truthy
from ...expression.scope import Overlay
from ..markers import ACCUMULATOR_NAMES, ITEM_NAMES, JsonScalar
from ..types import ExecutionParams
from .pace import Pace

_MODEL = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)


class MapConfig(BaseModel):
    """``<transform type="map">``"""

    model_config = _MODEL

    expression: Annotated[Expression, ITEM_NAMES] = Field(
        description="gives each new item; an arrow function is called with (item, index, items)"
    )


class FilterConfig(BaseModel):
    """``<transform type="filter">``"""

    model_config = _MODEL

    condition: Annotated[Expression, ITEM_NAMES] = Field(
        description="keeps an item; an arrow function is called with (item, index, items)"
    )


class ReduceConfig(BaseModel):
    """``<transform type="reduce">``"""

    model_config = _MODEL

    initial: Annotated[Any, JsonScalar()] = Field(None, description="the first accumulator")
    expression: Annotated[Expression | None, ACCUMULATOR_NAMES] = Field(
        None,
        description="gives the next accumulator; an arrow function gets (acc, item, index, items)",
    )
    reducer: Annotated[Expression | None, ACCUMULATOR_NAMES] = Field(
        None, description="another name of expression"
    )
    finalize: Annotated[Expression | None, ACCUMULATOR_NAMES] = Field(
        None, description="gives the output from the last accumulator"
    )

    @model_validator(mode="after")
    def _need_one(self) -> ReduceConfig:
        if (self.expression is None) == (self.reducer is None):
            raise PydanticCustomError(
                "one_expression",
                "reduce needs one expression (or reducer)",
                {"setting": "expression"},
            )
        return self


class _ListRuntime:
    reads_only = True
    timeout: float | None = None


class MapRuntime(_ListRuntime):
    """Type ``transform:map``."""

    type = "transform:map"
    config = MapConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        items, pace = items_of(params.input), Pace()
        apply = _applier(params, params.config.expression, items)
        made = []
        for index, item in enumerate(items):
            made.append(apply(index, item))
            await pace.step()
        return made


class FilterRuntime(_ListRuntime):
    """Type ``transform:filter``: the items kept are the very ones of the input."""

    type = "transform:filter"
    config = FilterConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        items, pace = items_of(params.input), Pace()
        keeps = _applier(params, params.config.condition, items)
        kept = []
        for index, item in enumerate(items):
            if truthy(keeps(index, item)):
                kept.append(item)
            await pace.step()
        return kept


class ReduceRuntime(_ListRuntime):
    """Type ``transform:reduce``."""

    type = "transform:reduce"
    config = ReduceConfig

    async def execute(self, params: ExecutionParams) -> Any:
        config: ReduceConfig = params.config
        items, pace = items_of(params.input), Pace()
        expression = config.expression or config.reducer
        assert expression is not None
        acc = config.initial
        for index, item in enumerate(items):
            acc = _reduce(params, expression, acc, index, item, items)
            await pace.step()
        if config.finalize is None:
            return acc
        names = {"acc": acc, "$acc": acc, "item": None, "index": len(items), "$items": items}
        found = config.finalize(Overlay(params.scope, names))
        return found(acc) if is_function(found) else found


def items_of(value: Any) -> Sequence[Any]:
    """The input as a list: what is no list counts as a list of one, null as an empty one."""
    if isinstance(value, (list, tuple, range)):
        return value
    return [] if value is None else [value]


def _applier(
    params: ExecutionParams, expression: Expression, items: Sequence[Any]
) -> Callable[[int, Any], Any]:
    """What is done with each item: an arrow function is made once, another expression evaluated each time."""
    last = len(items) - 1

    def evaluate(index: int, item: Any) -> Any:
        return expression(Overlay(params.scope, item_names(index, item, items, last)))

    if not items:
        return evaluate
    first = evaluate(0, items[0])
    if not is_function(first):
        return lambda index, item: first if index == 0 else evaluate(index, item)
    return lambda index, item: expression.call(params.scope, first, item, index, items)


def _reduce(
    params: ExecutionParams,
    expression: Expression,
    acc: Any,
    index: int,
    item: Any,
    items: Sequence[Any],
) -> Any:
    names = item_names(index, item, items, len(items) - 1)
    found = expression(Overlay(params.scope, {**names, "acc": acc, "$acc": acc}))
    return (
        expression.call(params.scope, found, acc, item, index, items)
        if is_function(found)
        else found
    )


def item_names(index: int, item: Any, items: Sequence[Any], last: int) -> dict[str, Any]:
    """What an expression over an item sees."""
    return {
        "item": item,
        "index": index,
        "$item": item,
        "$index": index,
        "$items": items,
        "$first": index == 0,
        "$last": index == last,
    }
