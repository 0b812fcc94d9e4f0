"""Owns HTTP: importing it registers the source and the sink. httpx itself is imported at the first request."""

from __future__ import annotations

from typing import Any

from ..registry import registry
from ..types import ExecutionParams
from .client import decode, send
from .types import HttpSinkConfig, HttpSourceConfig

TIMEOUT = 30.0  # seconds, for the whole of a request


class HttpSource:
    """Type ``source:http``: its output is the decoded body. Cancellation closes the connection at once."""

    type = "source:http"
    config = HttpSourceConfig
    reads_only = True
    timeout: float | None = TIMEOUT

    async def execute(self, params: ExecutionParams) -> Any:
        config: HttpSourceConfig = params.config
        async with send(params.run, config, config.method, config.body) as answer:
            return await decode(answer, config)


class HttpSink:
    """Type ``sink:http``: sends the input. Its output is ``{status, headers, body}``."""

    type = "sink:http"
    config = HttpSinkConfig
    reads_only = True
    timeout: float | None = TIMEOUT

    async def execute(self, params: ExecutionParams) -> Any:
        config: HttpSinkConfig = params.config
        given = "body" in config.model_fields_set
        body = config.body if given else params.input
        async with send(params.run, config, config.method, body) as answer:
            return {
                "status": answer.status_code,
                "headers": dict(answer.headers),
                "body": await decode(answer, config),
            }


for _runtime in (HttpSource(), HttpSink()):
    registry.register(_runtime.type, _runtime)
