"""Owns the functions of text as data: hashes, encodings, JSON, regular expressions, identifiers."""

from __future__ import annotations

import base64
import hashlib
import string
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from ...types.errors import EvaluationError
from ..encoding import RawJson, decode_json, encode_json, to_text
from ..scope import Services
from ..table import function
from ..values import check_text, shown
from .arguments import whole

_SAFE = "!'()*-._~"
_PLAIN = (_SAFE + string.ascii_letters + string.digits).encode()
PIECE = 4096
"""Bytes that are encoded between two looks at the clock."""


def as_bytes(services: Services, value: Any) -> bytes:
    """The bytes of a value, or of its text in UTF-8; reading each of them is counted."""
    if isinstance(value, (bytes, bytearray)):
        services.spend_scan(len(value))
        return bytes(value)
    text = to_text(value, services)
    services.spend_scan(len(text) * (1 if text.isascii() else 4))
    return text.encode()


@function("hash")
def hash_(services: Services, value: Any = None, algorithm: Any = "sha256") -> Any:
    """The digest of a text's UTF-8 or of bytes, in hexadecimal: md5, sha1, sha256 (default) or sha512."""
    if value is None:
        return None
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        raise EvaluationError(
            f"{shown(algorithm)} is not an algorithm of hash(); expected md5, sha1, sha256 or sha512"
        )
    return hashlib.new(algorithm, as_bytes(services, value), usedforsecurity=False).hexdigest()


@function("base64_encode")
def base64_encode(services: Services, value: Any = None) -> Any:
    """A text's UTF-8, or bytes, as base64."""
    if value is None:
        return None
    data = as_bytes(services, value)
    check_text((len(data) + 2) // 3 * 4, services.limits)
    return base64.b64encode(data).decode("ascii")


@function("base64_decode")
def base64_decode(services: Services, value: Any = None) -> Any:
    """Text where the bytes are UTF-8, else the bytes."""
    if value is None:
        return None
    word = to_text(value, services)
    services.spend_scan(len(word))
    word = word.strip()
    try:
        data = base64.b64decode(
            word + "=" * (-len(word) % 4),
            altchars=b"-_" if "-" in word or "_" in word else None,
            validate=True,
        )
    except ValueError:
        raise EvaluationError("the text is not base64") from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


@function("url_encode")
def url_encode(services: Services, value: Any = None) -> Any:
    """As encodeURIComponent; the bytes are those of UTF-8."""
    if value is None:
        return None
    data = as_bytes(services, value)
    check_text(len(data) + 2 * len(data.translate(None, _PLAIN)), services.limits)
    parts = [
        quote(data[at : at + PIECE], safe=_SAFE)
        for at in services.visit(range(0, len(data), PIECE), PIECE)
    ]
    return "".join(parts)


@function("url_decode")
def url_decode(services: Services, value: Any = None) -> Any:
    """What url_encode made it of; a ``+`` stays one."""
    if value is None:
        return None
    text = to_text(value, services)
    services.spend_scan(len(text))
    services.spend(text.count("%") * (16 if text.isascii() else 64))
    return unquote(text)


@function("json_encode")
def json_encode(services: Services, value: Any = None, indent: Any = None) -> str:
    """JSON; with ``indent`` (of 1 to 10 spaces) over several lines."""
    spaces = min(max(whole(services, indent, "the indent"), 0), 10)
    made = RawJson(encode_json(value, spaces or None, services=services))
    made.value = value
    return made


@function("pretty")
def pretty(services: Services, value: Any = None) -> str:
    """JSON over several lines, indented by two spaces."""
    return json_encode(services, value, 2)


@function("json_decode")
def json_decode(services: Services, value: Any = None) -> Any:
    """The value that a JSON text spells; of null null."""
    return None if value is None else decode_json(to_text(value, services), services)


@function("uuid")
def uuid(services: Services) -> str:
    """A random UUID (version 4), from the run's own chance."""
    return str(UUID(int=services.random.getrandbits(128), version=4))
