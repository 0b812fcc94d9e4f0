"""Owns the ways in which a secret may be written: normal forms, character sets, escapes, hex, base64. Pure."""

from __future__ import annotations

import base64
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
    return set(named_spellings(secret).values())


def named_spellings(secret: str) -> dict[str, bytes]:
    """The same by their names, each of which is made of another secret in the same way."""
    plain = {"plain": _utf8(secret)} | {
        form: _utf8(normalize(form, secret)) for form in ("NFC", "NFD")
    }
    others = dict(_in_other_sets(secret))
    before = dict(_before_encoding(secret))
    forms = plain | others | dict(_escaped(secret))
    forms |= {"lower": _utf8(secret.lower()), "upper": _utf8(secret.upper())}
    forms["plus"] = _utf8(secret.replace(" ", "+"))
    forms |= {form: _utf8(normalize(form, secret)) for form in ("NFKC", "NFKD")}
    for name, data in plain.items():  # a secret that itself looks escaped
        forms |= {
            f"{name} undone {depth}": each for depth, each in enumerate(layers(data)) if depth
        }
    for name, data in (plain | others | before).items():
        forms |= _under(name, _encoded(data))
    for name, once in _encoded(_utf8(secret)).items():
        forms |= _under(name, _encoded(once))
    for name, data in before.items():
        forms |= _under(name, dict(_before_encoding(data.decode())))
    for name, data in (plain | others).items():
        forms[f"{name} bytes"] = repr(data)[2:-1].encode()
    return {name: data for name, data in forms.items() if data}


def _under(name: str, forms: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name} {form}": data for form, data in forms.items()}


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _in_other_sets(text: str) -> Iterator[tuple[str, bytes]]:
    """The text in other character sets, and as it looks where those are taken for another."""
    utf8 = _utf8(text)
    wide = {name: text.encode(name, "surrogatepass") for name in ("utf-16-le", "utf-16-be")}
    yield from wide.items()
    if utf8.isascii():
        return
    yield "latin", b"".join(bytes([ord(c)]) if ord(c) < 256 else _utf8(c) for c in text)
    for name, data in {"utf-8": utf8, **wide}.items():
        yield f"{name} as latin", _utf8(data.decode("latin-1"))
    with suppress(UnicodeEncodeError):
        yield "environment", text.encode("utf-8", "surrogateescape")


def _before_encoding(text: str) -> Iterator[tuple[str, bytes]]:
    """The text as it is escaped where it is encoded once more."""
    yield "json", _utf8(json.dumps(text)[1:-1])
    yield "url", quote(text, safe="", errors="surrogatepass").encode()


def _escaped(text: str) -> Iterator[tuple[str, bytes]]:
    """The text as it is escaped in JSON, Python, XML and URLs."""
    yield "json", _utf8(json.dumps(text)[1:-1])
    yield "json of characters", _utf8(json.dumps(text, ensure_ascii=False)[1:-1])
    yield "ascii", ascii(text)[1:-1].encode()
    yield "repr", _utf8(repr(text)[1:-1])
    from html import escape  # with its table of entities: only runs with secrets need it

    yield "html", _utf8(escape(text))
    for name, safe in {"url": "", "path": "/", "component": "!'()*-._~"}.items():
        yield name, quote(text, safe=safe, errors="surrogatepass").encode()
    yield "form", quote_plus(text, errors="surrogatepass").encode()
    yield "url latin", quote(text, safe="", encoding="latin-1", errors="replace").encode()


def _encoded(data: bytes) -> dict[str, bytes]:
    """In hex and in base64, with both of its alphabets, from each place in three bytes."""
    digits, whole = data.hex(), base64.b64encode(data)
    forms = {"hex": digits.encode(), "HEX": digits.upper().encode(), "base64": whole}
    for shift in range(3):
        first = -(-8 * shift // 6)
        last = 8 * (shift + len(data)) // 6
        forms[f"base64+{shift}"] = base64.b64encode(bytes(shift) + data + bytes(3))[first:last]
    urls = {
        f"{name} for urls": form.translate(_FOR_URLS)
        for name, form in forms.items()
        if name.startswith("base64")
    }
    return forms | urls


_FOR_URLS = bytes.maketrans(b"+/", b"-_")
