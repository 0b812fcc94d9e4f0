"""Owns the reading of files: bytes → text, by the encoding that they say they have."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from ..types.errors import Problem, problem_at
from ..types.location import Source
from .document import Parsed, parse, too_large
from .limits import ReadLimits

_DECLARED = re.compile(rb"<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z0-9._-]*)")
_MARKED = ("utf-16-le", "utf-16-be")
_NO_FILE_HAS = {"unicode-escape", "raw-unicode-escape", "utf-7", "idna", "punycode", "undefined"}
_WIDEST = 4
"""Bytes that a character has at most in the encodings that documents come in."""


def read(path: str | Path, *, limits: ReadLimits = ReadLimits()) -> Parsed:  # noqa: B008
    """Read a document from a file: UTF-8, UTF-16 with a byte order mark, or what its XML declaration says.

    Raises OSError where the file cannot be read; all else is among the problems, as with :func:`parse`.
    """
    file = str(path)
    most = limits.size * _WIDEST
    with open(path, "rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        return too_large(file, limits)
    found = decode(data, file=file)
    if isinstance(found, Problem):
        return Parsed(None, (found,))
    return parse(found.text, file=file, limits=limits)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, its encoding, and the byte order mark that it begins with."""

    text: str
    encoding: str
    mark: bytes

    def encode(self, text: str) -> bytes:
        """Another text as this one was written."""
        return self.mark + text.encode(self.encoding)


def decode(data: bytes, *, file: str) -> Decoded | Problem:
    """The text of a document's bytes, or what is wrong with them."""
    encoding, mark = _encoding_of(data)
    data = data[len(mark) :]
    try:
        return Decoded(data.decode(_known(encoding)), encoding, mark)
    except UnicodeDecodeError as exc:
        return _undecodable(file, data, exc, encoding)
    except LookupError:
        source = Source(file, data[:200].decode("ascii", "replace"))
        return problem_at(
            source,
            max(source.text.find(encoding), 0),
            "encoding",
            f"the file cannot be read as {encoding!r}",
            length=len(encoding),
            expected="UTF-8",
        )


def _known(encoding: str) -> str:
    """The encoding; raises LookupError for what is none, or none of a file without a byte order mark."""
    name = codecs.lookup(encoding).name
    if name in _NO_FILE_HAS or name.startswith(("utf-32", "utf-16")) != (encoding in _MARKED):
        raise LookupError(encoding)
    return encoding


def _encoding_of(data: bytes) -> tuple[str, bytes]:
    """The encoding that the bytes of a document say they have, and the byte order mark that they begin with."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return encoding, mark
    declared = _DECLARED.match(data[:200])
    return (declared[1].decode("ascii") if declared else "utf-8"), b""


def _undecodable(file: str, data: bytes, exc: UnicodeDecodeError, encoding: str) -> Problem:
    before = data[: exc.start].decode(encoding, "ignore")
    source = Source(file, before)
    return problem_at(
        source,
        len(before),
        "encoding",
        f"the byte 0x{data[exc.start]:02X} here is no {encoding.upper()}: {exc.reason}",
        expected="UTF-8, or the file's encoding in its XML declaration",
    )
