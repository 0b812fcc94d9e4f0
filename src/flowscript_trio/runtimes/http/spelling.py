"""Owns what is seen of a URL and of headers without httpx: they are looked at when a document is read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...expression import written_text
from ...types.errors import SettingError, nearest

EXPECTED = "expected http://… or https://… with a valid host and port"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d)")
"""What comes before a colon, unless a port follows."""
_BARE = re.compile(r"(?!localhost\Z)[\w-]+", re.ASCII)
_AUTHORITY = re.compile(
    r"(?i:https?)://(?P<user>[^/?#]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:@]*)(?P<port>:[^/?#]*)?(?=[/?#]|\Z)"
)
HOST = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*\.?", re.ASCII)

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Of a header."""
_BAD_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = ("content-length", "transfer-encoding")


def check_url(text: str, name: str = "url") -> None:
    """Raise SettingError for what no server can be asked by. What may be a secret in it is not shown.

    A bare word is let through: it stands for a URL where nodes are stubbed, and fails when it is asked.
    """
    if "${" in text:
        return  # what another language would put in has a word of its own
    text = text.strip()
    if _BARE.fullmatch(text):
        return
    shown = re.sub(r"//[^/?#]*@", "//…@", re.split("[?#]", text, maxsplit=1)[0])
    found = _AUTHORITY.match(text)
    if found is None:
        raise SettingError(f"the {name} is {shown!r}; expected {_instead(text, shown)}")
    host, port = found["host"], (found["port"] or ":")[1:]
    is_host = host.startswith("[") or not host.isascii() or "%" in host or HOST.fullmatch(host)
    is_port = not port or (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536)
    if not host or not is_host or not is_port:
        raise SettingError(f"the {name} is {shown!r}; {EXPECTED}")


def _instead(text: str, shown: str) -> str:
    """What to write for a URL that does not begin with http:// or https:// and a host."""
    scheme = _SCHEME.match(text)
    if scheme is not None:
        near = nearest(scheme[1].lower(), ("http", "https"))
        return f"{near}://…" if near else "http://… or https://…"
    place = shown.lstrip("/")
    if place.startswith(("localhost", "127.")):
        return f"a scheme before it, such as http://{place}"
    if "." in place.partition("/")[0]:
        return f"a scheme before it, such as https://{place}"
    return "http://… or https://…, with a host"


def check_headers(headers: Mapping[str, Any]) -> None:
    """Raise SettingError for a header that cannot be sent."""
    for name, value in headers.items():
        if value is not None:  # else it is left out, as a line end around the value is
            checked_header(name, written_text(value).strip("\r\n"))


def checked_header(name: str, value: str) -> str:
    """The value of a header that can be sent. An error never shows it: secrets are in headers."""
    if not NAME.fullmatch(name):
        raise SettingError(
            f"{name!r} is not a valid name of a header; expected letters, digits and dashes"
        )
    if name.lower() in _FRAMING:
        raise SettingError(
            f"the header {name} follows from the body, and a wrong one would end the request in the middle; "
            "leave it out"
        )
    if found := _BAD_IN_VALUE.search(value):
        raise SettingError(
            f"the header {name!r} has the character {found[0]!r} in its value; expected one line of text"
        )
    return value.strip()
