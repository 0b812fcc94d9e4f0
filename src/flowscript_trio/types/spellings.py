"""Owns the ways in which a secret may be written: normal forms, character sets, escapes, hex, base64. Pure."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from contextlib import suppress
from unicodedata import normalize
from urllib.parse import quote, quote_plus

from .unescaping import layers


def spellings_of(secret: str) -> set[bytes]:
    """The byte sequences that tell of the whole secret and of nothing else.

    Escapes are undone where a secret is looked for; the usual ones are among the spellings all the same, for
    what is cut off in the middle of one. Of base64 there are the digits that tell of the secret wherever it begins
    in what was encoded.
    """
    normal = {normalize(form, secret) for form in ("NFC", "NFD")}
    cases = {secret.lower(), secret.upper(), secret.replace(" ", "+")}
    compatible = {normalize(form, secret) for form in ("NFKC", "NFKD")}
    plain = {_utf8(text) for text in (secret, *normal)}
    others = set(_in_other_sets(secret))
    escaped = set(_escaped(secret))
    forms = plain | others | escaped | {_utf8(text) for text in cases | compatible}
    for data in plain:
        forms |= set(layers(data))  # a secret that itself looks escaped
    for data in plain | others | set(_before_encoding(secret)):
        forms |= _encoded(data)
    for once in _encoded(_utf8(secret)):
        forms |= _encoded(once)
    forms |= {
        again for data in _before_encoding(secret) for again in _before_encoding(data.decode())
    }
    forms |= {repr(data)[2:-1].encode() for data in plain | others}
    forms.discard(b"")
    return forms


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _in_other_sets(text: str) -> Iterator[bytes]:
    """The text in other character sets, and as it looks where those are taken for another."""
    utf8 = _utf8(text)
    wide = [text.encode(name, "surrogatepass") for name in ("utf-16-le", "utf-16-be")]
    yield from wide
    if utf8.isascii():
        return
    yield b"".join(bytes([ord(char)]) if ord(char) < 256 else _utf8(char) for char in text)
    for data in (utf8, *wide):
        yield _utf8(data.decode("latin-1"))
    with suppress(UnicodeEncodeError):
        yield text.encode("utf-8", "surrogateescape")  # the bytes of the environment


def _before_encoding(text: str) -> Iterator[bytes]:
    """The text as it is escaped where it is encoded once more."""
    yield _utf8(json.dumps(text)[1:-1])
    yield quote(text, safe="", errors="surrogatepass").encode()


def _escaped(text: str) -> Iterator[bytes]:
    """The text as it is escaped in JSON, Python, XML and URLs."""
    for ascii_only in (True, False):
        yield _utf8(json.dumps(text, ensure_ascii=ascii_only)[1:-1])
    yield ascii(text)[1:-1].encode()
    yield _utf8(repr(text)[1:-1])
    yield _utf8(html.escape(text))
    for safe in ("", "/", "!'()*-._~"):
        yield quote(text, safe=safe, errors="surrogatepass").encode()
    yield quote_plus(text, errors="surrogatepass").encode()
    yield quote(text, safe="", encoding="latin-1", errors="replace").encode()


def _encoded(data: bytes) -> set[bytes]:
    """In hex and in base64, with both of its alphabets, from each place in three bytes."""
    digits, whole = data.hex(), base64.b64encode(data)
    forms = {digits.encode(), digits.upper().encode(), whole, whole.translate(_FOR_URLS)}
    for shift in range(3):
        first = -(-8 * shift // 6)
        last = 8 * (shift + len(data)) // 6
        core = base64.b64encode(bytes(shift) + data + bytes(3))[first:last]
        forms |= {core, core.translate(_FOR_URLS)}
    return forms


_FOR_URLS = bytes.maketrans(b"+/", b"-_")
