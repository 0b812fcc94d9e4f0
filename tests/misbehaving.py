"""Owns a server on loopback that misbehaves: below HTTP, in its headers, in its bodies, in its encodings.

Each misbehaviour is bytes that are sent, and whether the connection is then left open, closed or reset.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import brotli
import trio
from backports import zstd

GOOD = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()
"""A body that a source, a sink and an AI can all use."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What is sent, and what is to come of it: ``error`` is the name of a class, or None for a good answer."""

    name: str
    sent: bytes
    error: str | None
    says: str = ""
    """What the error says, as a pattern."""
    passes: bool = False
    """Whether it is tried again where the method is idempotent."""
    then: Literal["close", "reset", "stay"] = "close"


def answer(
    body: bytes = GOOD,
    *headers: str,
    status: str = "200 OK",
    kind: str | None = "application/json",
    length: int | str | None = -1,
) -> bytes:
    """An answer as it is sent; ``length`` None leaves out the header of that name."""
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def encoded(name: str, body: bytes) -> bytes:
    return answer(body, f"Content-Encoding: {name}")


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return answer(parts + end, "Transfer-Encoding: chunked", length=None)


GZIP, DEFLATE = gzip.compress(GOOD), zlib.compress(GOOD)
RAW = zlib.compress(GOOD)[2:-4]
BROTLI, ZSTD = brotli.compress(GOOD), zstd.compress(GOOD)
BOMB = b"[" + b" " * 3_000_000 + b"]"

LOST = ("RemoteProtocolError", "closed the connection before its answer was whole", True)
RESET = ("ReadError", "closed the connection before its answer was whole", True)
NOT_HTTP = ("RemoteProtocolError", "answered with what is not HTTP", False)
NOT_IT = ("ContentError", "says that its body is in the encoding", False)
CUT = ("ContentError", "cut off in the middle of its encoding", True)
LARGE = ("ContentError", "larger than 1,000,000 bytes; the bound is max_bytes", False)
UNKNOWN = ("ContentError", "in the encoding 'compress', which is not known", False)
NO_END = ("RemoteProtocolError", "interim answers.*more than 262,144 bytes before", False)
LARGE_HINTS = b"HTTP/1.1 103 E\r\nLink: <" + b"x" * 60_000 + b">\r\n\r\n"
LARGE_HINTS *= 20
NO_JSON = ("FlowScriptError", "is not JSON", False)


def bad(
    name: str,
    sent: bytes,
    error: tuple[str, str, bool] | None,
    then: Literal["close", "reset", "stay"] = "close",
) -> Misbehaviour:
    return Misbehaviour(name, sent, *(error or (None, "", False)), then=then)  # type: ignore[misc]


def failing(status: int, passes: bool, *headers: str) -> Misbehaviour:
    sent = answer(b"told why", *headers, status=f"{status} X", kind="text/plain")
    return Misbehaviour(
        f"status {status}",
        sent,
        "HTTPStatusError",
        f"answered {status} X: told why",
        passes,
        "stay",
    )


MISBEHAVIOURS = [
    # below HTTP
    bad("closes without a word", b"", LOST),
    bad("resets without a word", b"", RESET, "reset"),
    bad("closes in the status line", b"HTTP/1.1 2", LOST),
    bad("closes in the headers", b"HTTP/1.1 200 OK\r\nContent-Le", LOST),
    bad("speaks another protocol", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", NOT_HTTP),
    bad("sends zeros", bytes(64) + b"\r\n\r\n", NOT_HTTP),
    bad("answers in HTTP 0.9", b"<html>hello</html>\r\n\r\n", NOT_HTTP),
    bad("has a status that is not a number", b"HTTP/1.1 two OK\r\n\r\n", NOT_HTTP),
    bad("has a header without a colon", b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", NOT_HTTP),
    bad("has a header that does not end", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000, NOT_HTTP),
    bad("has no reason", answer(status="200"), None),
    bad("has a reason of another alphabet", answer(status="200 sch\xf6n"), None),
    bad("answers in HTTP 1.0", answer().replace(b"HTTP/1.1", b"HTTP/1.0"), None),
    bad("sends 100 first", b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), None),
    bad("sends early hints first", b"HTTP/1.1 103 E\r\nLink: <x>\r\n\r\n" + answer(), None),
    bad("sends interim answers for a while", b"HTTP/1.1 102 P\r\n\r\n" * 9000 + answer(), None),
    bad("sends interim answers without end", b"HTTP/1.1 102 P\r\n\r\n" * 90_000, NO_END),
    bad("sends large hints without end", LARGE_HINTS, NO_END),
    bad("closes although it did not say so", answer(), None),
    bad("says that it closes, and stays", answer(GOOD, "Connection: close"), None, "stay"),
    # lengths and chunks
    bad("sends less than its length", answer(length=len(GOOD) + 9), LOST),
    bad("sends half of it and resets", answer(length=len(GOOD) + 9), RESET, "reset"),
    bad("sends more than its length", answer() + b"more", None),
    bad("has no length and closes", answer(length=None), None),
    bad("has two lengths", answer(GOOD, "Content-Length: 1"), NOT_HTTP),
    bad("has a length that is not a number", answer(length="many"), NOT_HTTP),
    bad("has a negative length", answer(length="-5"), NOT_HTTP),
    bad("sends a chunk at a time", chunked(*(GOOD[i : i + 1] for i in range(len(GOOD)))), None),
    bad("has trailers", chunked(GOOD, end=b"0\r\nX-Sum: 1\r\n\r\n"), None),
    bad("closes between chunks", chunked(GOOD[:9], end=b""), LOST),
    bad("closes inside a chunk", chunked(end=b"ff\r\nabc"), LOST),
    bad("has a chunk whose size is not a number", chunked(end=b"zz\r\nabc\r\n"), NOT_HTTP),
    bad(
        "has a length beside its chunks",
        chunked(GOOD).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1),
        None,
    ),
    bad("is chunked by an unknown coding", answer(GOOD, "Transfer-Encoding: magic"), NOT_HTTP),
    bad("answers 204", answer(b"", status="204 No Content", length=None), None),
    # encodings of content
    bad("gzip", encoded("gzip", GZIP), None),
    bad(
        "gzip in two members",
        encoded("gzip", gzip.compress(GOOD[:9]) + gzip.compress(GOOD[9:])),
        None,
    ),
    bad("x-gzip", encoded("x-gzip", GZIP), None),
    bad("deflate", encoded("deflate", DEFLATE), None),
    bad("deflate without its header", encoded("deflate", RAW), None),
    bad("br", encoded("br", BROTLI), None),
    bad("zstd", encoded("zstd", ZSTD), None),
    bad(
        "zstd in two frames",
        encoded("zstd", zstd.compress(GOOD[:9]) + zstd.compress(GOOD[9:])),
        None,
    ),
    bad("identity", encoded("identity", GOOD), None),
    bad("gzip of br", encoded("br, gzip", gzip.compress(BROTLI)), None),
    bad("an empty body in gzip", encoded("gzip", b""), None),
    bad("gzip that is not", encoded("gzip", GOOD), NOT_IT),
    bad("deflate that is not", encoded("deflate", b"\x08" + GOOD), NOT_IT),
    bad("br that is not", encoded("br", b"\xff\xff\xff" + GOOD), NOT_IT),
    bad("zstd that is not", encoded("zstd", GOOD), NOT_IT),
    bad("an unknown encoding", encoded("compress", GOOD), UNKNOWN),
    bad("gzip cut off", encoded("gzip", GZIP[:-9]), CUT),
    bad("deflate cut off", encoded("deflate", DEFLATE[:-9]), CUT),
    bad("br cut off", encoded("br", BROTLI[:-9]), CUT),
    bad("zstd cut off", encoded("zstd", ZSTD[:-5]), CUT),
    bad("gzip with zeros behind", encoded("gzip", GZIP + bytes(512)), None),
    bad("gzip with bytes behind", encoded("gzip", GZIP + b"junk" * 9), NOT_IT),
    bad("gzip with a wrong sum", encoded("gzip", GZIP[:-8] + bytes(8)), NOT_IT),
    bad("too large", answer(BOMB), LARGE),
    bad("too large in gzip", encoded("gzip", gzip.compress(BOMB)), LARGE),
    bad("too large in deflate", encoded("deflate", zlib.compress(BOMB)), LARGE),
    bad("too large in br", encoded("br", brotli.compress(BOMB, quality=3)), LARGE),
    bad("too large in zstd", encoded("zstd", zstd.compress(BOMB)), LARGE),
    bad(
        "gzip of gzip that is too large",
        encoded("gzip, gzip", gzip.compress(gzip.compress(BOMB))),
        LARGE,
    ),
    # content types and charsets
    bad("JSON with a mark of byte order", answer(b"\xef\xbb\xbf" + GOOD), None),
    bad("JSON in UTF-16", answer(GOOD.decode().encode("utf-16")), None),
    bad("a charset that is not known", answer(kind="application/json; charset=foo"), None),
    bad("a charset that is not true", answer(kind="application/json; charset=utf-16"), None),
    bad("a page that says it is JSON", answer(b"<html>log in</html>"), NO_JSON),
    bad("JSON behind a guard", answer(b")]}'\n" + GOOD), NO_JSON),
    bad("JSON that is cut off by the server", answer(GOOD[:-9]), NO_JSON),
    bad("NaN", answer(b'{"a": NaN}'), NO_JSON),
    bad("JSON that nests too deep", answer(b"[" * 100_000), NO_JSON),
    # statuses
    *(failing(status, False) for status in (400, 401, 403, 404, 409, 410, 422, 501, 505)),
    *(failing(status, True) for status in (408, 425, 429, 500, 502, 503, 504, 507)),
    bad(
        "a failure whose body is not what it says",
        answer(b"junk", "Content-Encoding: gzip", status="400 X"),
        ("HTTPStatusError", "answered 400 X", False),
    ),
    bad(
        "a failure that breaks off",
        answer(b"half", status="400 X", length=99),
        ("HTTPStatusError", "answered 400 X: half", False),
    ),
    # redirects
    bad(
        "redirects without end",
        answer(b"", "Location: /again", status="307 X"),
        ("TooManyRedirects", "more than 10 redirects", False),
        "stay",
    ),
    bad(
        "redirects to what is not a URL",
        answer(b"", "Location: http://x:port/", status="307 X"),
        ("RemoteProtocolError", "Invalid URL in location header", False),
    ),
    bad(
        "redirects to another scheme",
        answer(b"", "Location: ftp://127.0.0.1/x", status="303 X"),
        ("RedirectRefused", "redirects to the scheme 'ftp'; expected http or https", False),
    ),
]
"""In no order that matters; each has a name of its own."""


@asynccontextmanager
async def misbehaving(what: Misbehaviour) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that does always that: its URL, and the heads of the requests that it got."""
    heads: list[bytes] = []

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            while (head := await _read(stream)) is not None:
                heads.append(head)
                try:
                    await stream.send_all(what.sent)
                    if what.then == "stay":
                        continue
                    if what.then == "reset":
                        linger = struct.pack("ii", 1, 0)
                        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                except trio.BrokenResourceError:
                    pass  # the client had enough
                return

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        yield f"http://127.0.0.1:{port}", heads
        nursery.cancel_scope.cancel()


async def _read(stream: trio.SocketStream) -> bytes | None:
    """The head of the next request, once its body has come, too; None where the client has gone."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (more := await stream.receive_some()):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        wanted = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                wanted = int(line.partition(b":")[2])
        while len(body) < wanted:
            body += await stream.receive_some()
    except trio.BrokenResourceError:
        return None
    return head
