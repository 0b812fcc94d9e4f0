"""Owns HTTP: importing it registers the source and the sink. httpx itself is imported at the first request."""

from __future__ import annotations

from typing import Any

from ..registry import registry
from ..types import ExecutionParams
from .pool import prepare, ready
from .types import HttpSinkConfig, HttpSourceConfig

TIMEOUT = 30.0  # seconds, for the whole of a request


class HttpSource:
    """Type ``source:http``: its output is the decoded body. Cancellation closes the connection at once."""

    type = "source:http"
    config = HttpSourceConfig
    reads_only = True
    timeout: float | None = TIMEOUT
    prepare = staticmethod(prepare)

    async def execute(self, params: ExecutionParams) -> Any:
        await ready()
        from .answer import decode
        from .client import exchange
        from .content import content_of
        from .errors import bare_url

        config: HttpSourceConfig = params.config
        answer = await exchange(params.run, config, config.method, content_of(config), params.scope)
        body = decode(answer, config)
        if config.response == "body":
            return body
        return {
            "status": answer.status,
            "headers": dict(answer.headers),
            "url": bare_url(answer.url),
            "body": body,
        }


class HttpSink:
    """Type ``sink:http``: sends the input as JSON, or what the settings say.

    Its output is ``{status, headers, body}``, the names of the headers in lower case. Cancellation closes
    the connection at once; the server may have acted on what it got.
    """

    type = "sink:http"
    config = HttpSinkConfig
    reads_only = True
    timeout: float | None = TIMEOUT
    prepare = staticmethod(prepare)

    async def execute(self, params: ExecutionParams) -> dict[str, Any]:
        await ready()
        from .answer import decode
        from .client import exchange
        from .content import content_of, is_given, json_content

        config: HttpSinkConfig = params.config
        content = content_of(config) if is_given(config) else json_content(params.input)
        answer = await exchange(params.run, config, config.method, content, params.scope)
        return {
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": decode(answer, config),
        }


for _runtime in (HttpSource(), HttpSink()):
    registry.register(_runtime.type, _runtime)
