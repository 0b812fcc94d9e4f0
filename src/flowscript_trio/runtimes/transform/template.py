"""Owns ``<transform type="template">``: text, or the JSON that the text makes."""

from __future__ import annotations

from typing import Any

from ..pace import Pace
from ..types import ExecutionParams
from .types import TemplateConfig


class TemplateRuntime:
    """Type ``transform:template``. It reaches checkpoints between its parts; cancellation ends it there."""

    type = "transform:template"
    config = TemplateConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        config: TemplateConfig = params.config
        return await config.template.render(params.scope, config.format, Pace().step)
