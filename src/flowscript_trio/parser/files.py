"""Owns the reading of files: bytes → text, by the encoding that they say they have."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from ..types.deferred import dataclass
from ..types.errors import Problem, problem_at
from ..types.location import Source
from .document import Parsed, parse, too_large
from .limits import ReadLimits

_DECLARED = re.compile(r"<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"'>]*)")
_BEHIND_FRONT = re.compile(
    rf"---[ \t]*\r?(?>(?s:.*?)\n---[ \t]*\r?\n)[ \t\r\n]*{_DECLARED.pattern}"
)
"""A declaration that comes too late to say anything, since front matter was read before it."""
_ENCODINGS = ("utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252")
"""The encodings of files without a byte order mark, as Python calls them.

In each of them the characters of ASCII are what they are in ASCII: what an editor, a tool for reviews and a person
see of the markup in such a file is what is read.
"""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", ("utf-8",)),
    (codecs.BOM_UTF16_LE, "utf-16-le", ("utf-16", "utf-16-le")),
    (codecs.BOM_UTF16_BE, "utf-16-be", ("utf-16", "utf-16-be")),
)
"""Byte order marks, the encoding of each, and what a declaration may then say."""
_EXPECTED = (
    "UTF-8, UTF-16 with a byte order mark, US-ASCII, ISO-8859-1, ISO-8859-15 or windows-1252"
)
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
    mark, encoding, allowed = next(
        (known for known in _MARKS if data.startswith(known[0])), (b"", "", _ENCODINGS)
    )
    data = data[len(mark) :]
    # The declaration itself is ASCII in every encoding that is read without a mark.
    start = data[: max(data.find(b">") + 1, 1000)].decode(encoding or "latin-1", "replace")
    declared = _DECLARED.match(start)
    if "\0" in start[:4]:
        return _refused(file, start, 0, 1, "the file begins as one in UTF-16 or UTF-32 does")
    if declared is not None and _name_of(declared[1]) not in allowed:
        message = f"the file is not read as {declared[1]!r}"
        if mark:
            message = (
                f"the file begins with the byte order mark of {_family_of(encoding)}, and says "
            )
            message += f"that it is in {declared[1]!r}"
        return _refused(file, start, declared.start(1), len(declared[1]), message)
    encoding = encoding or (declared[1] if declared else "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as exc:
        return _undecodable(file, data, exc, encoding)
    late = _BEHIND_FRONT.match(text)
    if late is not None and _name_of(late[1]) not in (allowed if mark else ("utf-8",)):
        message = f"the file is read as {_family_of(encoding)}, and says after its front matter that it is in "
        return _refused(file, text, late.start(1), len(late[1]), f"{message}{late[1]!r}")
    return Decoded(text, encoding, mark)


def _name_of(encoding: str) -> str:
    """What Python calls an encoding; empty for anything else."""
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):  # ValueError: a null character in it
        return ""


def _family_of(encoding: str) -> str:
    """``UTF-8`` or ``UTF-16``, without the order of bytes."""
    return encoding[:6].upper()


def _refused(file: str, start: str, offset: int, length: int, message: str) -> Problem:
    source = Source(file, start)
    return problem_at(source, offset, "encoding", message, length=length, expected=_EXPECTED)


def _undecodable(file: str, data: bytes, exc: UnicodeDecodeError, encoding: str) -> Problem:
    before = data[: exc.start].decode(encoding, "ignore")
    source = Source(file, before)
    return problem_at(
        source,
        len(before),
        "encoding",
        f"the byte 0x{data[exc.start]:02X} here is not {encoding.upper()}: {exc.reason}",
        expected="UTF-8, or the file's encoding in its XML declaration",
    )
