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
from .charset import MARKED, kind_of, shown_text, texts_of, whole_text
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

_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since"})

_TEXT_ENDS = (
    "+xml", "/xml", "+yaml", "yaml", "javascript", "urlencoded", "jsonl", "ndjson", "graphql", "sql",
    "csv", "toml", "json-seq",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole: its body as its encodings of content hid it.

    ``place`` is what messages call it, and ``charset`` what its content type names, whether there is such a one.
    """

    status: int
    headers: httpx.Headers
    url: httpx.URL
    content: bytes
    charset: str | None
    place: str


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
            answer.charset_encoding,
            place_of(answer),
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

    from .failing import explained

    request = answer.request
    body = Body(encoding_of(answer), limit, place_of(answer))
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


def place_of(answer: httpx.Response) -> str:
    """What messages call an answer."""
    from .errors import bare_url

    request = answer.request
    return f"the answer of {request.method} {bare_url(request.url)}"


def encoding_of(answer: httpx.Response) -> str:
    """The encodings of a body; what has no body has none, whatever its headers say."""
    if answer.request.method == "HEAD" or answer.status_code in (204, 304):
        return ""
    return str(answer.headers.get("content-encoding", ""))


class _Enough(Exception):
    """The beginning of a failure's body has come."""


async def refuse_failure(answer: httpx.Response, now: Callable[[], datetime] | None) -> None:
    """Raise HTTPStatusError for a status of 400 or more, with the beginning of the body.

    So it does for a status that says that the body is not what was asked for.

    A body that does not come, or that breaks off, does not hold the error up or hide it.
    """
    if answer.status_code < 400:
        _refuse_unasked(answer)
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
    is_cut = len(begin) >= EXCERPT_BYTES
    excerpt = shown_text(bytes(begin), answer.charset_encoding, is_cut=is_cut).strip()
    asked = retry_after(answer.headers, datetime.now(UTC) if now is None else now())
    raise HTTPStatusError(answer, excerpt, asked)


def _refuse_unasked(answer: httpx.Response) -> None:
    """Raise HTTPStatusError for a part of a body, or none, where the request was for the whole of it."""
    asked = answer.request.headers
    why = ""
    if answer.status_code == 206 and "range" not in asked:
        why = "a part, and the request is for the whole"
    elif answer.status_code == 304 and _CONDITIONS.isdisjoint(asked):
        why = "and the request names no version that it could be"
    if why:
        from .errors import HTTPStatusError

        raise HTTPStatusError(answer, why)


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
        value = _decode_json(answer, data, config.encoding)
    else:
        value = data if form == "bytes" else _text(answer, data, config.encoding)
    if config.extract is None:
        return value
    if form != "json":
        raise FlowScriptError(f"extract is for JSON, and the format is {form!r}")
    return config.extract(value)


def form_of(answer: Answer, data: bytes) -> Any:
    """The format by the content type: json, text or bytes. Without one: text where it is UTF-8."""
    kind = kind_of(answer.headers.get("content-type", ""))
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


def _text(answer: Answer, data: bytes, encoding: str | None) -> str:
    kind = answer.headers.get("content-type", "")
    texts = texts_of(answer.place, answer.charset, encoding, kind=kind, begin=data[:MARKED])
    return whole_text(data, texts)


def _decode_json(answer: Answer, data: bytes, encoding: str | None) -> Any:
    """The value of a JSON body, null for an empty one.

    JSON is UTF-8, -16 or -32 (RFC 8259), which it shows itself; the charset of the content type is asked where it
    is neither. The setting goes before both.
    """
    if not data.strip():
        return None
    shown = (json.detect_encoding(data), charset_named(answer.charset))
    failed: Exception | None = None
    for charset in shown if encoding is None else (encoding,):
        try:
            if charset is not None:
                return decode_json(decode_text(data, charset))
        except (EvaluationError, UnicodeError) as exc:
            failed = failed or exc
    begin = shown_text(data[:80], encoding or answer.charset, is_cut=len(data) > 80)
    raise FlowScriptError(f"{answer.place} is not JSON ({failed}); it begins {begin!r}")
