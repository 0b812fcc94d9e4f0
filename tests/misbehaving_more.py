"""Owns further misbehaviours of a server: in the framing of an answer, its status, its types, and in its JSON."""

from __future__ import annotations

import gzip

from misbehaving import (
    CUT,
    GOOD,
    LOST,
    NO_JSON,
    NOT_HTTP,
    NOT_IT,
    Misbehaviour,
    answer,
    bad,
    chunked,
    encoded,
)

LENGTH = f"Content-Length: {len(GOOD)}"
JSON = "Content-Type: application/json"
UNKNOWN_CODING = ("ContentError", "which is not known", False)
A_PART = ("HTTPStatusError", "answered 206 P: a part, and the request is for the whole", False)
UNASKED = ("HTTPStatusError", "answered 304 N: .*names no version that it could be", False)
NOWHERE = ("RedirectRefused", "answered 302 without saying where to", False)
FAILED = ("HTTPStatusError", "answered 400 X: a\ufffd", False)
STAYS = ("TooManyRedirects", "more than 10 redirects", False)


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", JSON, *lines]).encode("latin-1") + b"\r\n\r\n" + GOOD


def in_chunks(body: bytes, coding: str = "chunked") -> bytes:
    return answer(body, f"Transfer-Encoding: {coding}", length=None)


WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)

MORE: list[Misbehaviour] = [
    # the head
    bad("folds a header", head("X-A: 1\r\n 2", LENGTH), None),
    bad("has a space before a colon", head("X-A : 1", LENGTH), NOT_HTTP),
    bad("has a header without a name", head(": a", LENGTH), NOT_HTTP),
    bad("has a null in a header", head("X-A: a\0b", LENGTH), NOT_HTTP),
    bad("has a name of another alphabet", head("X-\xe9: a", LENGTH), NOT_HTTP),
    bad("has a value of another alphabet", head("X-A: \xe9\xff", LENGTH), None),
    bad("ends its lines with line feeds", answer().replace(b"\r\n", b"\n"), None),
    bad("begins with empty lines", b"\r\n\r\n" + answer(), NOT_HTTP),
    bad("writes HTTP small", answer().replace(b"HTTP", b"http"), NOT_HTTP),
    bad("says that it is HTTP 2", answer().replace(b"HTTP/1.1", b"HTTP/2.0"), None),
    bad("has a status of two digits", answer(status="20 X"), NOT_HTTP),
    bad("has a status of four digits", answer(status="1000 X"), NOT_HTTP),
    bad("has a status below 100", answer(status="099 X"), NOT_HTTP),
    bad("has a status beyond 599", answer(status="999 X"), ("HTTPStatusError", "answered 999 X", False)),
    bad("switches protocols", answer(status="101 X", length=None), NOT_HTTP),
    bad("has 2,000 headers", answer(GOOD, *(f"X-{n}: a" for n in range(2000))), None),
    bad("has 20,000 headers", answer(GOOD, *(f"X-{n}: a" for n in range(20_000))), NOT_HTTP),
    # lengths and chunks
    bad("has the same length twice", answer(length=f"{len(GOOD)}, {len(GOOD)}"), None),
    bad("has a length with a sign", answer(length=f"+{len(GOOD)}"), NOT_HTTP),
    bad("has a length in hex", answer(length="0x10"), NOT_HTTP),
    bad("has an empty length", answer(length=""), NOT_HTTP),
    bad("has a length of thirty digits", answer(length="9" * 30), NOT_HTTP),
    bad("says that there is nothing", answer(length=0), None),
    bad("has extensions of chunks", in_chunks(WHOLE.replace(b"\r\n", b";a=b\r\n", 1)), None),
    bad("has zeros before the size of a chunk", in_chunks(b"0000" + WHOLE), None),
    bad("has a chunk larger than memory", in_chunks(b"f" * 16 + b"\r\n" + GOOD), LOST),
    bad("has a chunk of less than nothing", in_chunks(b"-5\r\n" + GOOD), NOT_HTTP),
    bad("has a chunk that is longer than it says", in_chunks(b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"), NOT_HTTP),
    bad("does not end after the last chunk", in_chunks(WHOLE[:-2]), LOST),
    bad("has trailers without end", chunked(GOOD, end=b"0\r\nX: " + b"y" * 200_000), NOT_HTTP),
    bad("has a trailer without a colon", chunked(GOOD, end=b"0\r\nnonsense\r\n\r\n"), NOT_HTTP),
    bad("has a length in its trailers", chunked(GOOD, end=b"0\r\nContent-Length: 3\r\n\r\n"), None),
    bad("sends more after the last chunk", chunked(GOOD) + b"more", None, "stay"),
    bad("writes chunked large", in_chunks(WHOLE, "CHUNKED"), None),
    bad("is chunked and more", in_chunks(WHOLE, "gzip, chunked"), NOT_HTTP),
    # what a status says of the body
    bad("answers 204 with a body", answer(status="204 N"), None),
    bad("answers 205 with a body", answer(status="205 R"), None),
    bad("answers 206 unasked", answer(GOOD, "Content-Range: bytes 0-9/99", status="206 P"), A_PART),
    bad("answers 304 to a request without a condition", answer(b"", status="304 N", length=None), UNASKED),
    bad("answers 304 with a body", answer(status="304 N"), UNASKED),
    bad("answers 201 with a place", answer(GOOD, "Location: /x", status="201 C"), None),
    bad("redirects nowhere", answer(status="302 M"), NOWHERE),
    bad("redirects to itself", answer(b"", "Location: ", status="307 M"), STAYS, "stay"),
    # types and encodings of content
    bad("has a type in capitals", answer(kind="APPLICATION/JSON"), None),
    bad("has a type with empty parameters", answer(kind="application/json;;; charset"), None),
    bad("has a charset in quotes", answer(kind='application/json; charset="UTF-8"'), None),
    bad("has its type twice", answer(GOOD, JSON), None),
    bad("has a null in its charset", answer(kind="application/json; charset=a\0b"), NOT_HTTP),
    bad("gzip in capitals", encoded("GZIP", gzip.compress(GOOD)), None),
    bad("gzip and a comma", encoded("gzip,", gzip.compress(GOOD)), None),
    bad("gzip with a quality", encoded("gzip;q=1", gzip.compress(GOOD)), UNKNOWN_CODING),
    bad("a charset for an encoding", encoded("utf-8", GOOD), UNKNOWN_CODING),
    bad("gzip once more than it says", encoded("gzip", gzip.compress(gzip.compress(GOOD))), NO_JSON),
    bad("gzip once less than it says", encoded("gzip, gzip", gzip.compress(GOOD)), NOT_IT),
    bad("only the beginning of gzip", encoded("gzip", gzip.compress(GOOD)[:5]), CUT),
    # JSON that is nearly right
    bad("JSON with a comma at the end", answer(b'{"a": 1,}'), NO_JSON),
    bad("JSON with a comment", answer(b'{"a": 1} // one'), NO_JSON),
    bad("two values", answer(b'{"a": 1}{"a": 2}'), NO_JSON),
    bad("a control character in a text", answer(b'"a\x01"'), NO_JSON),
    bad("an integer of 5,000 digits", answer(b"9" * 5000), NO_JSON),
    bad("a number beyond all floats", answer(b'{"a": 1e400}'), NO_JSON),
    bad("an infinity", answer(b'{"a": -Infinity}'), NO_JSON),
    bad("bytes that are not UTF-8", answer(b'"\xff\xfd"'), NO_JSON),
    bad("two marks of byte order", answer(b"\xef\xbb\xbf" * 2 + GOOD), NO_JSON),
    bad("JSON with nulls behind", answer(GOOD + bytes(3)), NO_JSON),
    bad("JSON in UTF-32", answer(GOOD.decode().encode("utf-32")), None),
    bad("JSON in UTF-16 without a mark", answer(GOOD.decode().encode("utf-16-be")), None),
    bad("a failure in no charset", answer(b"a\xff", status="400 X", kind="text/plain; charset=nope"), FAILED),
]  # fmt: skip
"""In no order that matters; each has a name of its own."""
EMPTY = frozenset(
    {
        "answers 204",
        "an empty body in gzip",
        "answers 204 with a body",
        "says that there is nothing",
    }
)
"""Those that have no body, and are not errors."""
