"""Owns ``map``, ``filter`` and ``reduce`` as transforms of a list, item by item with checkpoints between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import length_hint
from typing import Any

from ...expression import Expression, Function, is_function, truthy
from ...expression.encoding import RawJson
from ...expression.scope import Overlay, Scope
from ...expression.values import refuse_stream
from ...types.errors import EvaluationError
from ..collector import FullCollections
from ..pace import Pace, clock
from ..types import ExecutionParams
from .types import FilterConfig, MapConfig, ReduceConfig

FEW = 16
"""Items for which making a function of an expression does not pay."""
RUN = 64
"""Items that code goes over in one call, as long as they spend nothing."""
MANY = 50_000
"""From this many items on, full collections of garbage wait until the values of all are there."""
OFTEN = 15
"""A mask: of items whose code spends nothing, which takes a few microseconds, the clock is looked at each 16."""


class _ListRuntime:
    """What the three share. They never change a list or an item; cancellation ends them between items."""

    reads_only = True
    pure = True
    timeout: float | None = None


class MapRuntime(_ListRuntime):
    """Type ``transform:map``: a list of what the expression gives, in the order of the items."""

    type = "transform:map"
    config = MapConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        with FullCollections() as full:
            if len(items_of(params.input)) >= MANY:
                full.hold_off()
            return await _each(params, params.config.expression, False)


class FilterRuntime(_ListRuntime):
    """Type ``transform:filter``: a list of the items kept, the very ones of the input, in their order."""

    type = "transform:filter"
    config = FilterConfig

    async def execute(self, params: ExecutionParams) -> list[Any]:
        return await _each(params, params.config.condition, True)


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
        if config.initial is not None:
            acc = config.initial(params.scope)
        elif items:
            acc, start = items[0], 1
        else:
            acc = None
        reducer, scope = config.reducer, params.scope
        services = scope.services
        run = reducer.run_code(services, "reduce") if len(items) > FEW else None
        if run is not None:
            acc = await _folded(params, run, acc, items, start, pace)
            return acc if config.finalize is None else _finish(params, config.finalize, acc, items)
        code = reducer.item_code(services, True) if len(items) > FEW else None
        often = 0 if code is None else OFTEN
        for index in range(start, len(items)):
            if services.spent or not index & often:
                if clock() >= pace.due:
                    params.run.keep(acc)
                    await pace.rest()
                services.begin()
            if code is None:
                acc = _fold(params, reducer, acc, items, index)
                continue
            try:
                value = code(scope, items[index], index, items, acc)
            except (EvaluationError, RecursionError) as exc:
                found = reducer.placed(exc)
            except OverflowError:
                acc = _fold(params, reducer, acc, items, index)
                continue
            else:
                kind = value.__class__
                if kind is Function or kind is RawJson:
                    value = _called(params, reducer, value, acc, items[index], index, items)
                acc = value
                continue
            raise found
        return acc if config.finalize is None else _finish(params, config.finalize, acc, items)


async def _folded(
    params: ExecutionParams,
    run: Callable[..., Any],
    acc: Any,
    items: Sequence[Any],
    index: int,
    pace: Pace,
) -> Any:
    """The last accumulator, by code that goes over many items in one call, up to one that spends anything."""
    reducer, scope = params.config.reducer, params.scope
    services = scope.services
    size = RUN
    while index < len(items):
        if clock() >= pace.due:
            params.run.keep(acc)
            await pace.rest()
        services.begin()
        found = None
        part = items[index : index + size]
        left = iter(part)
        try:
            acc = run(scope, left, index, items, acc)
        except (EvaluationError, RecursionError) as exc:
            found = reducer.placed(exc)
        except OverflowError:
            acc, done = _fold(params, reducer, acc, items, index), 1
        else:
            done = len(part) - length_hint(left)
        if found is not None:
            raise found
        size = RUN if done == size else max(done // 2, 1)
        index += done
    return acc


def items_of(value: Any) -> Sequence[Any]:
    """The input as a list: anything but a list counts as a list of one, null as an empty one."""
    if isinstance(value, (list, tuple, range)):
        return value
    if value is None:
        return []
    refuse_stream(value)
    return [value]


async def _each(params: ExecutionParams, expression: Expression, keep: bool) -> list[Any]:
    """The values of the expression for the items, or the items for which it is true."""
    items, pace = items_of(params.input), Pace()
    await pace.rest()
    scope = params.scope
    services = scope.services
    if len(items) > FEW and (run := expression.run_code(services, "filter" if keep else "map")):
        return await _in_runs(params, expression, run, items, keep, pace)
    code = expression.item_code(services, False) if len(items) > FEW else None
    often = 0 if code is None else OFTEN
    made: list[Any] = []
    append = made.append
    counted = 0
    for index, item in enumerate(items):
        if services.spent or not index & often:
            if clock() >= pace.due:
                params.run.grow(made, counted)
                counted = len(made)
                await pace.rest()
            services.begin()
        if code is None:
            value = _apply(params, expression, items, index, item)
        else:
            found = None
            try:
                value = code(scope, item, index, items)
            except (EvaluationError, RecursionError) as exc:
                found = expression.placed(exc)
            except OverflowError:  # the closures say where
                value = _apply(params, expression, items, index, item)
            else:
                kind = value.__class__
                if kind is Function or kind is RawJson:
                    value = _called(params, expression, value, item, index, items)
            if found is not None:
                raise found
        if not keep:
            append(value)
        elif value is True or (value is not False and truthy(value)):
            append(item)
    return made


async def _in_runs(
    params: ExecutionParams,
    expression: Expression,
    run: Callable[..., Any],
    items: Sequence[Any],
    keep: bool,
    pace: Pace,
) -> list[Any]:
    """As :func:`_each`, by code that goes over many items in one call, up to one that spends anything."""
    scope = params.scope
    services = scope.services
    made: list[Any] = []
    index = counted = 0
    size = RUN
    while index < len(items):
        if clock() >= pace.due:
            params.run.grow(made, counted)
            counted = len(made)
            await pace.rest()
        services.begin()
        found, before = None, len(made)
        part = items[index : index + size]
        left = iter(part)
        try:
            run(scope, left, index, items, made)
        except (EvaluationError, RecursionError) as exc:
            found = expression.placed(exc)
        except OverflowError:  # the closures say where, and know such numbers
            del made[before:]
            done = 1
            value = _apply(params, expression, items, index, items[index])
            if not keep or truthy(value):
                made.append(items[index] if keep else value)
        else:
            done = len(part) - length_hint(left)
        if found is not None:
            raise found
        size = RUN if done == size else max(done // 2, 1)
        index += done
    return made


def _apply(
    params: ExecutionParams, expression: Expression, items: Sequence[Any], index: int, item: Any
) -> Any:
    """The value of the expression for one item; an arrow function is called with the item."""
    found = expression(_scope_at(params.scope, item, index, items))
    return _called(params, expression, found, item, index, items)


def _fold(
    params: ExecutionParams, expression: Expression, acc: Any, items: Sequence[Any], index: int
) -> Any:
    """The next accumulator."""
    item = items[index]
    found = expression(_scope_at(params.scope, item, index, items, acc))
    return _called(params, expression, found, acc, item, index, items)


def _called(params: ExecutionParams, expression: Expression, value: Any, *arguments: Any) -> Any:
    """The value, or what it gives where it is an arrow function."""
    if is_function(value):
        return expression.call(params.scope, value, *arguments)
    return str(value) if value.__class__ is RawJson else value


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
