"""Owns HTTP: importing it registers the source and the sink. httpx itself is imported at the first request."""

from __future__ import annotations

from typing import Any

from ..registry import registry
from ..types import ExecutionParams
from .types import HttpSinkConfig, HttpSourceConfig

TIMEOUT = 30.0  # seconds, for the whole of a request


class HttpSource:
    """Type ``source:http``: its output is the decoded body. Cancellation closes the connection at once."""

    type = "source:http"
    config = HttpSourceConfig
    reads_only = True
    timeout: float | None = TIMEOUT

    async def execute(self, params: ExecutionParams) -> Any:
        from .answer import decode
        from .client import content_of, exchange

        config: HttpSourceConfig = params.config
        content = content_of(config.body, config)
        answer = await exchange(params.run, config, config.method, content)
        return decode(answer, config)


class HttpSink:
    """Type ``sink:http``: sends the input as JSON, or the body that the settings give.

    Its output is ``{status, headers, body}``, the names of the headers in lower case. Cancellation closes
    the connection at once; the server may have acted on what it got.
    """

    type = "sink:http"
    config = HttpSinkConfig
    reads_only = True
    timeout: float | None = TIMEOUT

    async def execute(self, params: ExecutionParams) -> dict[str, Any]:
        from .answer import decode
        from .client import content_of, exchange, json_content

        config: HttpSinkConfig = params.config
        given = "body" in config.model_fields_set
        content = content_of(config.body, config) if given else json_content(params.input)
        answer = await exchange(params.run, config, config.method, content)
        return {
            "status": answer.status_code,
            "headers": dict(answer.headers),
            "body": decode(answer, config),
        }


for _runtime in (HttpSource(), HttpSink()):
    registry.register(_runtime.type, _runtime)
