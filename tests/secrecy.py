"""Owns random secrets, the ways in which they are written, and the search for what is left of one in a text."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable
from random import Random
from unicodedata import normalize
from urllib.parse import quote, quote_plus

RUN = 8

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_SIGNS = "+/=-_.~!$%&'()*,;:@<>\"\\{}[]#? "
_UNICODE = "äöüßéèñçåøÅñĄЖдя漢字かな한글😀🔑ﬁ½Ω"


def random_secret(random: Random) -> str:
    """A secret of 8 to 200 characters: a token, with signs, lines, Unicode, a JSON text or a URL."""
    kind = random.choice(["token", "signs", "spaced", "lines", "unicode", "json", "url", "mixed"])
    length = random.choice([8, 9, 12, 20, 40, 100, 200])
    token = _some(random, _LETTERS, length)
    match kind:
        case "token":
            return token
        case "signs":
            return _some(random, _LETTERS + _SIGNS, length).strip() + "aB3dE6gH"
        case "spaced":
            return random.choice([" ", "\n", "\t"]) + token + random.choice(["\n", "\r\n", "  "])
        case "lines":
            lines = [_some(random, _LETTERS, 24) for _ in range(1 + length // 30)]
            return "-----BEGIN KEY-----\n" + "\n".join(lines) + "\n-----END KEY-----\n"
        case "unicode":
            return _some(random, _UNICODE, length)
        case "json":
            value = {"who": _some(random, _LETTERS, 12), "pin": f"{token[:60]}\n{token[60:]}"}
            return json.dumps(value, indent=random.choice([None, 1]))
        case "url":
            return f"https://me:{token[:20]}@{token[:9].lower()}.test/{quote(token[20:])}?a=%2F"
        case _:
            return _some(random, _LETTERS + _SIGNS + _UNICODE, length)


def _some(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choice(alphabet) for _ in range(length))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: _base64(text.encode()),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of base64": lambda text: _base64(_base64(text.encode()).encode()),
    "base64 of hex": lambda text: _base64(text.encode().hex().encode()),
    "URL": lambda text: quote(text, safe=""),
    "path of a URL": quote,
    "form": quote_plus,
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "URL of base64": lambda text: quote(_base64(text.encode()), safe=""),
    "base64 of URL": lambda text: _base64(quote(text, safe="").encode()),
    "UTF-16": lambda text: repr(text.encode("utf-16-le"))[2:-1],
    "UTF-16 as base64": lambda text: _base64(text.encode("utf-16-be")),
    "UTF-16 as hex": lambda text: text.encode("utf-16-le").hex(),
    "Latin-1 in a URL": lambda text: quote(text, safe="", encoding="latin-1", errors="replace"),
    "NFD": lambda text: normalize("NFD", text),
    "NFC": lambda text: normalize("NFC", text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON of JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "ascii": lambda text: ascii(text)[1:-1],
    "XML": html.escape,
    "base64 of JSON": lambda text: _base64(json.dumps(text)[1:-1].encode()),
    "lower case": str.lower,
}
"""How what a secret stands in may be written."""


def left_of(secret: str, shown: str, public: Iterable[str] = ()) -> str | None:
    """A run of eight characters of a secret that a text shows, or None.

    What stands in public texts is no such run.
    """
    known = "\n".join(public)
    runs = {shown[at : at + RUN] for at in range(len(shown) - RUN + 1)}
    for encode in ENCODINGS.values():
        written = encode(secret)
        for at in range(len(written) - RUN + 1):
            run = written[at : at + RUN]
            if run in runs and run not in known and _tells(run):
                return run
    return None


def _tells(run: str) -> bool:
    """Whether it stands for letters; the signs of escapes do not, even where the first is cut off."""
    bare = _SIGN.sub("", run)
    return sum(map(str.isalnum, bare)) > (0 if bare == run else 5)


_SIGN = re.compile(
    r"%(?:25)*(?:5Cn|[0-9A-F]{0,2})|\\+(?:x[0-9a-f]{0,2}|u[0-9a-f]{0,4}|[nrt])?|&[#\w]*;?"
)
