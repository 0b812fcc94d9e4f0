"""Owns ``<checkpoint>``: describes what is to be asked, and where each answer goes on."""

from __future__ import annotations

from typing import ClassVar

from ...expression import truthy
from ...types.decisions import APPROVE, REJECT, Action
from ..types import ConfigModel, ExecutionParams
from .results import CheckpointResult
from .runtime import ControlRuntime
from .types import CheckpointConfig

_PLAIN = (Action(APPROVE, "Approve"), Action(REJECT, "Reject"))
"""What a checkpoint without actions of its own offers."""


class CheckpointRuntime(ControlRuntime):
    """Type ``control:checkpoint``."""

    type = "control:checkpoint"
    config: ClassVar[ConfigModel] = CheckpointConfig

    async def execute(self, params: ExecutionParams) -> CheckpointResult:
        config: CheckpointConfig = params.config
        asked = config.condition is None or truthy(params.evaluate(config.condition))
        own = list(params.parts) if asked else []
        return CheckpointResult(
            prompt=config.prompt,
            actions=tuple(Action(part.id, part.label or part.id) for part in own) or _PLAIN,
            goto={part.id: part.goto for part in own if part.goto is not None},
            default=config.default,
            rejectable=all(part.id != REJECT for part in own),
            asked=asked,
        )


checkpoint_runtime: CheckpointRuntime = CheckpointRuntime()
