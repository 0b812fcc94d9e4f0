"""Owns what becomes of an answer: an error of its status, or its body decoded."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import trio

from ...expression.encoding import decode_json
from ...types.errors import EvaluationError, FlowScriptError
from .types import RequestConfig

if TYPE_CHECKING:
    import httpx

EXCERPT_BYTES = 2000
EXCERPT_SECONDS = 2.0  # that the body of a failure is waited for

_TEXT_ENDS = (
    "+xml", "/xml", "+yaml", "yaml", "javascript", "urlencoded", "jsonl", "ndjson", "graphql", "sql",
    "csv", "toml", "json-seq",
)  # fmt: skip


async def refuse_failure(answer: httpx.Response) -> None:
    """Raise HTTPStatusError for a status of 400 or more, with the beginning of the body.

    A body that does not come, or that breaks off, does not hold the error up or hide it.
    """
    if answer.status_code < 400:
        return
    import httpx

    from .errors import HTTPStatusError

    begin = bytearray()
    with trio.move_on_after(EXCERPT_SECONDS), suppress(httpx.HTTPError):
        async for part in answer.aiter_bytes():
            if len(begin) < EXCERPT_BYTES:
                begin += part
            if len(begin) >= EXCERPT_BYTES:
                # The loop goes on until the closed connection ends it: to leave it here would leave
                # httpx's own generators to the garbage collector, of which trio warns.
                await answer.aclose()
    with trio.CancelScope(shield=True):  # it does not block: the connection is dropped
        await answer.aclose()
    raise HTTPStatusError(answer, _decode_text(bytes(begin[:EXCERPT_BYTES]), answer).strip())


def decode(answer: httpx.Response, config: RequestConfig) -> Any:
    """The body, which was read, in the format that the settings or its content type say, with ``extract``
    applied. With ``extract`` it is taken for JSON, whatever its content type.
    """
    data = answer.content
    form = config.format
    if form == "auto":
        form = "json" if config.extract is not None else form_of(answer, data)
    if form == "json":
        value = _decode_json(answer, data)
    else:
        value = data if form == "bytes" else _decode_text(data, answer)
    if config.extract is None:
        return value
    if form != "json":
        raise FlowScriptError(f"extract is for JSON, and the format is {form!r}")
    return config.extract(value)


def form_of(answer: httpx.Response, data: bytes) -> Any:
    """The format by the content type: json, text or bytes. Without one: text where it is UTF-8."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return "json"
    if not kind:
        return "text" if _is_utf8(data) else "bytes"
    return "text" if kind.startswith("text/") or kind.endswith(_TEXT_ENDS) else "bytes"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_text(data: bytes, answer: httpx.Response) -> str:
    """Text by the charset of the content type, else UTF-8; what is not of it is marked, never an error."""
    try:
        return data.decode(answer.charset_encoding or "utf-8-sig", "replace")
    except LookupError:
        return data.decode("utf-8-sig", "replace")


def _decode_json(answer: httpx.Response, data: bytes) -> Any:
    """The value of a JSON body, null for an empty one."""
    if not data.strip():
        return None
    try:
        return decode_json(data.decode(answer.charset_encoding or json.detect_encoding(data)))
    except (EvaluationError, UnicodeError, LookupError) as exc:
        from .errors import bare_url

        begin = _decode_text(data[:80], answer)
        raise FlowScriptError(
            f"the answer of {bare_url(answer.request.url)} is no JSON ({exc}); it begins {begin!r}"
        ) from None
