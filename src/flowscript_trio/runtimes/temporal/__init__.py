"""Owns what passes time: ``<delay>``."""

from __future__ import annotations

from typing import Any

import trio

from ..control.types import DelayConfig
from ..registry import registry
from ..types import ExecutionParams


class DelayRuntime:
    """Type ``control:delay``: a trio sleep; its output is its input. Cancellation ends it at once."""

    type = "control:delay"
    config = DelayConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        await trio.sleep(params.config.duration)
        return params.input


delay_runtime: DelayRuntime = DelayRuntime()
registry.register(delay_runtime.type, delay_runtime)
