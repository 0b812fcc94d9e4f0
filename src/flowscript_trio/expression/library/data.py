"""Owns the functions of text as data: hashes, encodings, JSON, regular expressions, identifiers."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from ...types.errors import EvaluationError
from ..encoding import RawJson, decode_json, encode_json, to_text
from ..scope import Services
from ..table import function
from ..values import shown
from .arguments import whole


def as_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else to_text(value).encode()


@function("hash")
def hash_(services: Services, value: Any = None, algorithm: Any = "sha256") -> Any:
    """The digest of a text's UTF-8 or of bytes, in hexadecimal: md5, sha1, sha256 (default) or sha512."""
    if value is None:
        return None
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        raise EvaluationError(
            f"{shown(algorithm)} is not an algorithm of hash(); expected md5, sha1, sha256 or sha512"
        )
    return hashlib.new(algorithm, as_bytes(value), usedforsecurity=False).hexdigest()


@function("base64_encode")
def base64_encode(_: Services, value: Any = None) -> Any:
    """A text's UTF-8, or bytes, as base64."""
    return None if value is None else base64.b64encode(as_bytes(value)).decode("ascii")


@function("base64_decode")
def base64_decode(services: Services, value: Any = None) -> Any:
    """Text where the bytes are UTF-8, else the bytes."""
    if value is None:
        return None
    word = to_text(value, services).strip()
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
def url_encode(services: Services, value: Any = None) -> Any:
    """As encodeURIComponent; the bytes are those of UTF-8."""
    return None if value is None else quote(to_text(value, services), safe="!'()*-._~")


@function("url_decode")
def url_decode(services: Services, value: Any = None) -> Any:
    """What url_encode made it of; a ``+`` stays one."""
    return None if value is None else unquote(to_text(value, services))


@function("json_encode")
def json_encode(services: Services, value: Any = None, indent: Any = None) -> str:
    """JSON; with ``indent`` (of 1 to 10 spaces) over several lines."""
    spaces = min(max(whole(indent, "the indent"), 0), 10)
    made = RawJson(encode_json(value, spaces or None, services=services))
    made.value = value
    return made


@function("json_decode")
def json_decode(services: Services, value: Any = None) -> Any:
    """The value that a JSON text spells; of null null."""
    return None if value is None else decode_json(to_text(value, services))


@function("uuid")
def uuid(services: Services) -> str:
    """A random UUID (version 4), from the run's own chance."""
    return str(UUID(int=services.random.getrandbits(128), version=4))
