"""Owns the functions of text as data: hashes, encodings, JSON, regular expressions, identifiers."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from ...types.errors import EvaluationError
from ..encoding import decode_json, encode_json, to_text
from ..scope import Services
from ..table import function
from .text import bound_text


def as_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else to_text(value).encode()


@function("hash")
def hash_(_: Services, value: Any = None, algorithm: Any = "sha256") -> Any:
    if value is None:
        return None
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        raise EvaluationError(f"{to_text(algorithm)!r} is none of md5, sha1, sha256, sha512")
    return hashlib.new(algorithm, as_bytes(value), usedforsecurity=False).hexdigest()


@function("base64_encode")
def base64_encode(_: Services, value: Any = None) -> Any:
    return None if value is None else base64.b64encode(as_bytes(value)).decode("ascii")


@function("base64_decode")
def base64_decode(_: Services, value: Any = None) -> Any:
    """Text where the bytes are UTF-8, else the bytes."""
    if value is None:
        return None
    word = to_text(value).strip()
    try:
        data = base64.b64decode(
            word + "=" * (-len(word) % 4),
            altchars=b"-_" if "-" in word or "_" in word else None,
            validate=True,
        )
    except ValueError:
        raise EvaluationError("the text is no base64") from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


@function("url_encode")
def url_encode(_: Services, value: Any = None) -> Any:
    """As encodeURIComponent."""
    return None if value is None else quote(to_text(value), safe="!'()*-._~")


@function("url_decode")
def url_decode(_: Services, value: Any = None) -> Any:
    return None if value is None else unquote(to_text(value))


@function("json_encode")
def json_encode(services: Services, value: Any = None, indent: Any = None) -> str:
    return encode_json(value, int(indent) if isinstance(indent, (int, float)) and indent else None)


@function("json_decode")
def json_decode(_: Services, value: Any = None) -> Any:
    return None if value is None else decode_json(to_text(value))


@function("uuid")
def uuid(services: Services) -> str:
    return str(UUID(int=services.random.getrandbits(128), version=4))


def _compile(pattern: Any, flags: Any) -> Any:
    """A pattern of RE2, whose time is linear in the text."""
    import re2

    word = to_text(pattern)
    letters = "".join(letter for letter in to_text(flags) if letter in "ims")
    try:
        return re2.compile(f"(?{letters}){word}" if letters else word)
    except re2.error as exc:
        told = exc.args[0] if exc.args else exc
        told = told.decode() if isinstance(told, bytes) else told
        raise EvaluationError(f"{word[:60]!r} is no regular expression: {told}") from None


@function("regex_match")
def regex_match(_: Services, value: Any = None, pattern: Any = "", flags: Any = "") -> Any:
    """The first match: the list of the whole and its groups, or null; with flag ``g`` all whole matches."""
    if value is None:
        return None
    compiled, text = _compile(pattern, flags), to_text(value)
    if "g" in to_text(flags):
        return [found.group(0) for found in compiled.finditer(text)]
    found = compiled.search(text)
    return None if found is None else [found.group(0), *found.groups()]


@function("regex_replace")
def regex_replace(
    services: Services, value: Any = None, pattern: Any = "", new: Any = "", flags: Any = "g"
) -> Any:
    """Every match; ``$1`` or ``\\1`` stands for a group, ``$&`` for the whole."""
    if value is None:
        return None
    compiled, text, template = _compile(pattern, flags), to_text(value), to_text(new)
    made: list[str] = []
    size = at = 0
    for found in compiled.finditer(text):
        piece = text[at : found.start()] + _expand(template, found)
        at = found.end()
        size += len(piece)
        bound_text(services, size)
        made.append(piece)
    return "".join(made) + text[at:]


def _expand(template: str, found: Any) -> str:
    out: list[str] = []
    at = 0
    while at < len(template):
        char, follow = template[at], template[at + 1 : at + 2]
        if char in "$\\" and follow.isdigit():
            number = int(follow)
            out.append(
                (found.group(number) or "") if number <= len(found.groups()) else char + follow
            )
            at += 2
        elif char == "$" and follow in ("&", "$"):
            out.append(found.group(0) if follow == "&" else "$")
            at += 2
        else:
            out.append(char)
            at += 1
    return "".join(out)
