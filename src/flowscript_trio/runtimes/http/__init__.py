"""Owns HTTP: importing it registers the source and the sink. httpx itself is imported at the first request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from ...types.headers import Headers
from ...types.shapes import NUMBER, TEXT, UNKNOWN, Shape, list_of, object_of
from ..registry import registry
from ..streams import Stream, all_of, streams_of
from ..tabular import TABLES, shape_of_row
from ..types import ExecutionParams
from .preparing import prepare, ready
from .trimming import trimmed
from .types import HttpSinkConfig, HttpSourceConfig

TIMEOUT = 30.0  # seconds, for the whole of a request

_HEADERS = object_of({}, is_open=True)
ANSWER = object_of({"status": NUMBER, "headers": _HEADERS, "body": UNKNOWN})
_HEAD = {"status": NUMBER, "headers": _HEADERS, "url": TEXT}
DOWNLOADED = object_of(
    {"path": TEXT, "bytes": NUMBER, "sha256": TEXT, "status": NUMBER, "resumed": NUMBER}
)


class HttpSource:
    """Type ``source:http``: its output is the decoded body, or with ``stream`` a stream of its records.

    Cancellation closes the connection at once.
    """

    type = "source:http"
    config = HttpSourceConfig
    reads_only = True
    timeout: float | None = TIMEOUT
    prepare: Callable[[], None] = staticmethod(prepare)

    def gives(self, known: Mapping[str, Any]) -> Shape:
        if "download" not in known or "response" not in known:
            return UNKNOWN
        body = UNKNOWN if known["download"] is None else DOWNLOADED
        if known["response"] == "full":
            return object_of({**_HEAD, "body": body})
        if known["download"] is not None:
            return body
        if known.get("format") in TABLES and known.get("stream") is False:
            return list_of(shape_of_row(known))
        return UNKNOWN

    @staticmethod
    def is_repeatable(config: HttpSourceConfig) -> bool:
        """Whether nobody notices that it is done again: it only reads, and writes no file."""
        return config.method in ("GET", "HEAD") and config.download is None

    async def execute(self, params: ExecutionParams) -> Any:
        await ready()
        from .answer import decoded
        from .client import exchange
        from .content import content_of

        config: HttpSourceConfig = trimmed(params, params.config)
        run, scope = params.run, params.scope
        content = await content_of(config, run.base)
        with closing(content):
            if config.download is not None:
                return await _download(params, config, content)
            if config.is_of_records:
                return await _records(params, config, content)
            answer = await exchange(run, config, config.method, content, scope)
        body = await decoded(answer, config)
        if config.response == "body":
            return body
        return _whole(answer.status, answer.headers, answer.url, body)


async def _records(params: ExecutionParams, config: HttpSourceConfig, content: Any) -> Any:
    """The records of an answer, or of pages: a stream, or without ``stream`` a list of all of them."""
    from .pool import pool_of
    from .supply import open_supply

    run = params.run
    await pool_of(run)  # first: it is closed after the streams
    streams = await streams_of(run, "http")
    supply, head = await open_supply(run, config, content, params.scope)
    body: Any
    if config.stream:
        body = streams.add(Stream(params.node.label, supply))
    else:
        body = await all_of(supply)
    if config.response == "body":
        return body
    return {"status": head.status, "headers": Headers(head.headers), "url": head.url, "body": body}


async def _download(params: ExecutionParams, config: HttpSourceConfig, content: Any) -> Any:
    from .client import send
    from .pool import pool_of
    from .transfer import save

    run = params.run
    pool = await pool_of(run)

    async def ask(headers: dict[str, str]) -> Any:
        asking = config.model_copy(update={"headers": {**config.headers, **headers}})
        return await send(run, pool, asking, config.method, content, params.scope)

    assert config.download is not None
    saved, answer = await save(run, pool, config.download, config.sha256, ask)
    if config.response == "body":
        return saved
    return _whole(answer.status_code, answer.headers, answer.url, saved)


def _whole(status: int, headers: Any, url: Any, body: Any) -> dict[str, Any]:
    """The output of ``response: full``; a URL is shown without credentials."""
    shown = str(url.copy_with(username=None, password=None))
    return {"status": status, "headers": Headers(headers), "url": shown, "body": body}


class HttpSink:
    """Type ``sink:http``: sends the input as JSON, or what the settings say.

    Its output is ``{status, headers, body}``, the names of the headers in lower case. Cancellation closes
    the connection at once; the server may have acted on what it got.
    """

    type = "sink:http"
    config = HttpSinkConfig
    reads_only = True
    timeout: float | None = TIMEOUT
    prepare: Callable[[], None] = staticmethod(prepare)

    def gives(self, known: Mapping[str, Any]) -> Shape:
        return ANSWER

    async def execute(self, params: ExecutionParams) -> dict[str, Any]:
        await ready()
        from .answer import decoded
        from .client import exchange
        from .content import content_of, is_given, json_content

        config: HttpSinkConfig = trimmed(params, params.config)
        if is_given(config):
            content = await content_of(config, params.run.base)
        else:
            content = await json_content(params.input)
        with closing(content):
            answer = await exchange(params.run, config, config.method, content, params.scope)
        return {
            "status": answer.status,
            "headers": Headers(answer.headers),
            "body": await decoded(answer, config),
        }


for _runtime in (HttpSource(), HttpSink()):
    registry.register(_runtime.type, _runtime)
