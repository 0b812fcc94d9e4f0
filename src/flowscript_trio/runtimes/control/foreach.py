"""Owns ``<foreach>``: describes what is run for each item of which collection."""

from __future__ import annotations

from typing import Any, ClassVar

from ...expression.values import kind_of, shown
from ...types.ast import ForeachNode
from ..types import ConfigModel, ExecutionParams
from .policy import policy_of
from .results import ForeachResult
from .runtime import ControlRuntime
from .types import ForeachConfig

_SCALARS = frozenset({"string", "number", "boolean"})


class ForeachRuntime(ControlRuntime):
    """Type ``control:foreach``."""

    type = "control:foreach"
    config: ClassVar[ConfigModel] = ForeachConfig

    async def execute(self, params: ExecutionParams) -> ForeachResult:
        assert isinstance(params.node, ForeachNode)
        config: ForeachConfig = params.config
        return ForeachResult(
            body=params.node.body,
            collection=_items_of(params, params.evaluate(config.collection)),
            item=config.item,
            index=config.index,
            batch=config.batch,
            max_concurrency=config.max_concurrency or 1,
            policy=policy_of(config, None),
            merge=config.merge,
            accept=config.accept,
            stagger=config.stagger,
            throttle=config.throttle,
            debounce=config.debounce,
        )


def _items_of(params: ExecutionParams, collection: Any) -> Any:
    """The collection; a text, a number or a boolean is one item, which is seldom meant."""
    kind = kind_of(collection)
    if kind not in _SCALARS:
        return collection
    params.run.warn(
        params.node,
        f"the collection of {params.node.label!r} is {shown(collection)}, and counts as one item; expected a list"
        + (", which split(text, ',') makes of a text" if kind == "string" else ""),
    )
    return [collection]


foreach_runtime: ForeachRuntime = ForeachRuntime()
