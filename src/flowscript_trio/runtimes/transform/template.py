"""Owns ``<transform type="template">``: text, or the JSON that the text makes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...expression import Template
from ..types import ExecutionParams
from .pace import Pace


class TemplateConfig(BaseModel):
    """``<transform type="template">``"""

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )

    template: Template = Field(description="the text, with {{ expressions }} in it")
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="json parses what it makes; auto does so where the text looks like it"
    )


class TemplateRuntime:
    """Type ``transform:template``. A long template reaches checkpoints between its parts."""

    type = "transform:template"
    config = TemplateConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        config: TemplateConfig = params.config
        return await config.template.render(params.scope, config.format, Pace().step)
