"""Owns ``map``, ``filter`` and ``reduce`` as transforms of a list, item by item with checkpoints between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...expression import Expression, is_function, truthy
from ...expression.scope import Overlay, Scope
from ...expression.values import refuse_stream
from ..pace import Pace, clock
from ..types import ExecutionParams
from .types import FilterConfig, MapConfig, ReduceConfig

FEW = 16
"""Items for which making a function of an expression does not pay."""


class _ListRuntime:
    """What the three share. They never change a list or an item; cancellation ends them between items."""

    reads_only = True
    timeout: float | None = None


class MapRuntime(_ListRuntime):
    """Type ``transform:map``: a list of what the expression gives, in the order of the items."""

    type = "transform:map"
    config = MapConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        items, pace = items_of(params.input), Pace()
        await pace.rest()
        expression: Expression = params.config.expression
        made = []
        for index, item in enumerate(items):
            if clock() >= pace.due:
                await pace.rest()
            made.append(_apply(params, expression, items, index, item))
        return made


class FilterRuntime(_ListRuntime):
    """Type ``transform:filter``: a list of the items kept, the very ones of the input, in their order."""

    type = "transform:filter"
    config = FilterConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        items, pace = items_of(params.input), Pace()
        await pace.rest()
        condition: Expression = params.config.condition
        kept = []
        for index, item in enumerate(items):
            if clock() >= pace.due:
                await pace.rest()
            if truthy(_apply(params, condition, items, index, item)):
                kept.append(item)
        return kept


class ReduceRuntime(_ListRuntime):
    """Type ``transform:reduce``: the last accumulator, or what ``finalize`` makes of it.

    Without ``initial`` the first item is the first accumulator, and an empty list gives null.
    """

    type = "transform:reduce"
    config = ReduceConfig

    async def execute(self, params: ExecutionParams) -> Any:
        config: ReduceConfig = params.config
        items, pace = items_of(params.input), Pace()
        await pace.rest()
        start = 0
        acc = config.initial
        if "initial" not in config.model_fields_set and items:
            acc, start = items[0], 1
        for index in range(start, len(items)):
            if clock() >= pace.due:
                await pace.rest()
            acc = _fold(params, config.reducer, acc, items, index)
        return acc if config.finalize is None else _finish(params, config.finalize, acc, items)


def items_of(value: Any) -> Sequence[Any]:
    """The input as a list: what is no list counts as a list of one, null as an empty one."""
    if isinstance(value, (list, tuple, range)):
        return value
    if value is None:
        return []
    refuse_stream(value)
    return [value]


def _apply(
    params: ExecutionParams, expression: Expression, items: Sequence[Any], index: int, item: Any
) -> Any:
    """The value of the expression for one item; an arrow function is called with the item."""
    if len(items) > FEW:
        found = expression.for_item(params.scope, _scope_at, item, index, items)
    else:
        found = expression(_scope_at(params.scope, item, index, items))
    if is_function(found):
        return expression.call(params.scope, found, item, index, items)
    return found


def _fold(
    params: ExecutionParams, expression: Expression, acc: Any, items: Sequence[Any], index: int
) -> Any:
    """The next accumulator."""
    item = items[index]
    if len(items) > FEW:
        found = expression.for_item(params.scope, _scope_at, item, index, items, acc)
    else:
        found = expression(_scope_at(params.scope, item, index, items, acc))
    if is_function(found):
        return expression.call(params.scope, found, acc, item, index, items)
    return found


def _finish(params: ExecutionParams, expression: Expression, acc: Any, items: Sequence[Any]) -> Any:
    """What ``finalize`` makes of the last accumulator. It sees no item: the names of one are null."""
    names = dict.fromkeys(("item", "$item", "index", "$index", "$first", "$last"))
    found = expression(Overlay(params.scope, {**names, "$items": items, "acc": acc, "$acc": acc}))
    return expression.call(params.scope, found, acc) if is_function(found) else found


def _scope_at(scope: Scope, item: Any, index: int, items: Sequence[Any], *acc: Any) -> Overlay:
    """What an expression over an item sees."""
    names = {
        "item": item,
        "index": index,
        "$item": item,
        "$index": index,
        "$items": items,
        "$first": index == 0,
        "$last": index == len(items) - 1,
    }
    if acc:
        names["acc"] = names["$acc"] = acc[0]
    return Overlay(scope, names)
