"""Owns what becomes of an answer: an error of its status, or its body read and decoded."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import trio

from ...expression.bulk import decode_text
from ...expression.encoding import decode_json
from ...types.errors import EvaluationError, FlowScriptError
from ..charsets import charset_named
from ..collector import LARGE as MANY
from ..collector import FullCollections
from ..pace import Pace
from ..threads import run_in_thread
from ..types import RunServices
from .coding import Body, ContentError
from .types import RequestConfig
from .waiting import retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

EXCERPT_BYTES = 2000
LARGE = 64 * 1024
"""Bytes of a body from which on it is decoded in a thread."""
EXCERPT_SECONDS = 2.0  # that the body of a failure is waited for

_TEXT_ENDS = (
    "+xml", "/xml", "+yaml", "yaml", "javascript", "urlencoded", "jsonl", "ndjson", "graphql", "sql",
    "csv", "toml", "json-seq",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole: its body as its encodings of content hid it."""

    status: int
    headers: httpx.Headers
    url: httpx.URL
    content: bytes
    charset: str | None


async def read_answer(answer: httpx.Response, limit: int, run: RunServices | None) -> Answer:
    """Read an answer, at most ``limit`` bytes, and close it.

    Raises HTTPStatusError for a status of 400 or more, ContentError for a body that cannot be decoded or is too
    large, and httpx's own errors for one that breaks off. Cancellation closes the connection at once.
    """
    try:
        await refuse_failure(answer, None if run is None else run.services.now)
        content = bytearray()
        await read_body(answer, limit, content.extend)
        return Answer(
            answer.status_code,
            answer.headers,
            answer.url,
            bytes(content),
            charset_named(answer.charset_encoding),
        )
    finally:
        with trio.CancelScope(shield=True):  # it does not block: the connection is dropped
            await answer.aclose()


async def read_body(
    answer: httpx.Response,
    limit: int | None,
    take: Callable[[bytes], object],
    flush: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Hand the decoded pieces of a body to ``take``, after each of which ``flush`` is awaited; raises as
    :func:`read_answer`.
    """
    import httpx

    from .errors import bare_url
    from .failing import explained

    request = answer.request
    body = Body(
        encoding_of(answer), limit, f"the answer of {request.method} {bare_url(request.url)}"
    )
    failed: BaseException | None = None
    pace = Pace()
    try:
        async for part in answer.aiter_raw():
            if failed is not None:
                continue
            try:
                for piece in body.feed(part):
                    take(piece)
                    await pace.step()
                    if flush is not None:
                        await flush()
            except BaseException as exc:  # a cancellation too: it is raised again below
                failed = exc
                # The loop goes on until the closed connection ends it: to leave it here would leave
                # httpx's own generators to the garbage collector, of which trio warns.
                with trio.CancelScope(shield=True):  # it does not block: the connection is dropped
                    await answer.aclose()
    except httpx.RequestError as exc:
        if failed is None:
            raise explained(exc, request) from exc
    if failed is not None:
        raise failed
    body.end()


def encoding_of(answer: httpx.Response) -> str:
    """The encodings of a body; what has no body has none, whatever its headers say."""
    if answer.request.method == "HEAD" or answer.status_code in (204, 304):
        return ""
    return str(answer.headers.get("content-encoding", ""))


class _Enough(Exception):
    """The beginning of a failure's body has come."""


async def refuse_failure(answer: httpx.Response, now: Callable[[], datetime] | None) -> None:
    """Raise HTTPStatusError for a status of 400 or more, with the beginning of the body.

    A body that does not come, or that breaks off, does not hold the error up or hide it.
    """
    if answer.status_code < 400:
        return
    import httpx

    from .errors import HTTPStatusError

    begin = bytearray()

    def take(piece: bytes) -> None:
        begin.extend(piece[: EXCERPT_BYTES - len(begin)])
        if len(begin) >= EXCERPT_BYTES:
            raise _Enough

    with (
        trio.move_on_after(EXCERPT_SECONDS),
        suppress(httpx.HTTPError, ContentError, _Enough),
    ):
        await read_body(answer, None, take)
    excerpt = _decode_text(bytes(begin), charset_named(answer.charset_encoding)).strip()
    asked = retry_after(answer.headers, datetime.now(UTC) if now is None else now())
    raise HTTPStatusError(answer, excerpt, asked)


async def decoded(answer: Answer, config: RequestConfig) -> Any:
    """As :func:`decode`, of a large body in a thread. Cancellation frees the node; the thread ends by itself."""
    if len(answer.content) <= LARGE:
        return decode(answer, config)
    with FullCollections() as full:
        if len(answer.content) >= MANY:
            full.hold_off()
        return await run_in_thread(decode, answer, config, abandon_on_cancel=True)


def decode(answer: Answer, config: RequestConfig) -> Any:
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
        value = data if form == "bytes" else _decode_text(data, answer.charset)
    if config.extract is None:
        return value
    if form != "json":
        raise FlowScriptError(f"extract is for JSON, and the format is {form!r}")
    return config.extract(value)


def form_of(answer: Answer, data: bytes) -> Any:
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


def _decode_text(data: bytes, charset: str | None) -> str:
    """Text by the charset of the content type, else UTF-8; what is not of it is marked, never an error."""
    return decode_text(data, charset or "utf-8-sig", "replace")


def _decode_json(answer: Answer, data: bytes) -> Any:
    """The value of a JSON body, null for an empty one.

    JSON is UTF-8, -16 or -32 (RFC 8259), which it shows itself; a charset that is wrong does not make it
    unreadable.
    """
    if not data.strip():
        return None
    failed: Exception | None = None
    for charset in (answer.charset, json.detect_encoding(data)):
        try:
            if charset is not None:
                return decode_json(decode_text(data, charset))
        except (EvaluationError, UnicodeError) as exc:
            failed = exc
    from .errors import bare_url

    begin = _decode_text(data[:80], answer.charset)
    raise FlowScriptError(
        f"the answer of {bare_url(answer.url)} is not JSON ({failed}); it begins {begin!r}"
    )
