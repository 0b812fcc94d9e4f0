"""Owns the ways in which a secret may be written: normal forms, character sets, hex and base64. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from unicodedata import normalize
from urllib.parse import quote, quote_plus

from .unescaping import layers


def spellings_of(secret: str) -> set[bytes]:
    """The byte sequences that tell of the whole secret and of nothing else.

    Escapes are not among them: they are undone where a secret is looked for. Of base64 there are the digits
    that tell of the secret wherever it begins in what was encoded.
    """
    texts = {secret, *(normalize(form, secret) for form in ("NFC", "NFD", "NFKC", "NFKD"))}
    texts |= {text.strip() for text in texts}
    texts.discard("")
    plain = {_utf8(text) for text in texts}
    others = set(_in_other_sets(texts))
    forms = plain | others
    for text in texts:
        forms |= {_utf8(each) for each in (text.lower(), text.upper(), text.replace(" ", "+"))}
    for data in plain:
        forms |= set(layers(data))  # a secret that itself looks escaped
    for data in plain | others | {data for text in texts for data in _escaped(text)}:
        forms |= _encoded(data)
    for data in plain:
        for once in _encoded(data):
            forms |= _encoded(once)
    return forms


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _in_other_sets(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts in other character sets, and as they look where those are taken for another."""
    for text in texts:
        utf8 = _utf8(text)
        wide = [text.encode(name, "surrogatepass") for name in ("utf-16-le", "utf-16-be")]
        yield from wide
        if utf8.isascii():
            continue
        yield b"".join(bytes([ord(char)]) if ord(char) < 256 else _utf8(char) for char in text)
        for data in (utf8, *wide):
            yield _utf8(data.decode("latin-1"))
        try:
            yield text.encode("utf-8", "surrogateescape")  # the bytes of the environment
        except UnicodeEncodeError:
            continue


def _escaped(text: str) -> Iterator[bytes]:
    """The text as it is escaped before it is encoded."""
    for ascii_only in (True, False):
        yield _utf8(json.dumps(text, ensure_ascii=ascii_only)[1:-1])
    for write in (quote, quote_plus):
        yield write(text, safe="", errors="surrogatepass").encode()


def _encoded(data: bytes) -> set[bytes]:
    """In hex and in base64, with both of its alphabets, from each place in three bytes."""
    digits = data.hex()
    forms = {digits.encode(), digits.upper().encode()}
    for shift in range(3):
        first = -(-8 * shift // 6)
        last = 8 * (shift + len(data)) // 6
        core = base64.b64encode(bytes(shift) + data + bytes(3))[first:last]
        forms |= {core, core.translate(_FOR_URLS)}
    return forms


_FOR_URLS = bytes.maketrans(b"+/", b"-_")
