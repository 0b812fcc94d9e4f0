"""Owns ``<transform type="template">``: text, or the JSON that the text makes."""

from __future__ import annotations

from typing import Any

from trio.lowlevel import checkpoint_if_cancelled

from ..pace import Pace
from ..types import ExecutionParams
from .types import TemplateConfig


class TemplateRuntime:
    """Type ``transform:template``. It reaches checkpoints between its parts; cancellation ends it there.

    One of few parts that calls nothing is rendered at once; cancellation ends it before.
    """

    type = "transform:template"
    config = TemplateConfig
    reads_only = True
    pure = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        config: TemplateConfig = params.config
        if config.template.light:
            await checkpoint_if_cancelled()  # whoever runs the node lets the others have their turn
            return config.template.at_once(params.scope, config.format)
        return await config.template.render(params.scope, config.format, Pace().step)
