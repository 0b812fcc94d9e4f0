"""Owns which encoding the text of an answer is in: by the setting, its mark, its content type, or its own word.

What cannot be read is an error that names the encoding. Only what is shown of a failure may be marked with U+FFFD:
it must not take the place of the status.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from ...expression import bulk
from ..charsets import charset_named
from ..file.records import Texts, marked
from .coding import ContentError

_XML = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.:-]*)["']""")
_HTML = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z][\w.:-]*)""", re.IGNORECASE)
_KIND = re.compile(r"[a-z0-9][\w!#$&^.+-]*/[a-z0-9][\w!#$&^.+-]*", re.ASCII)
_MARKED_ONLY = ("utf-16", "utf-32")
"""Encodings in which a text without a mark is an error: two orders of bytes are possible, and both give text."""
MARKED = 1024
"""Bytes in which a page names its encoding (HTML standard, 13.2.3.2)."""
_SETTING = "expected the setting encoding, or format: bytes"


def texts_of(
    place: str,
    charset: str | None,
    encoding: str | None,
    *,
    form: str = "text",
    kind: str = "",
    begin: bytes = b"",
) -> Texts:
    """What takes the bytes of an answer and gives its text; what it raises says what the text was taken for.

    Args:
        place: what was answered, for messages.
        charset: what the content type names, or None.
        encoding: the setting, or None.
        form: the format that the text is read in.
        kind: the content type itself.
        begin: the first bytes, in which a page or an XML document may name its encoding.

    Raises ContentError for a charset that is not known, where nothing else says what the text is in.
    """
    if encoding is not None:
        return Texts(place, encoding, "expected another encoding in the setting of that name")
    if form == "events":  # the standard says so, whatever the server does
        return Texts(place, None, f"server-sent events always are; {_SETTING}")
    if not charset and form == "text":
        charset = _named_in(kind, begin)
    if not charset:
        return Texts(place, None, f"its content type names no charset; {_SETTING}")
    known = charset_named(charset)
    if known is None and form != "jsonl" and marked(begin) is None:
        raise ContentError(
            f"{place} is text in the charset {charset!r}, which is not known; {_SETTING}"
        )
    said = "its content type says so" if known is not None else "the format is always that"
    return Texts(place, None, f"{said}; {_SETTING}", known or "utf-8")


def kind_of(content_type: str) -> str:
    """The kind of content without its parameters: of several headers, that of the last one that is valid."""
    kinds = [part.partition(";")[0].strip().lower() for part in content_type.split(",")]
    valid = [kind for kind in kinds if _KIND.fullmatch(kind)]
    return (valid or kinds)[-1]


def whole_text(data: bytes, texts: Texts) -> str:
    """The text of a whole body; raises FlowScriptError for what is not of its encoding."""
    return bulk.grown(_fed(data, texts))


def shown_text(begin: bytes, charset: str | None, *, is_cut: bool) -> str:
    """The beginning of a body, for a message: what cannot be read is marked, and half a character left out."""
    encoding = marked(begin) or charset_named(charset) or "utf-8"
    if encoding in _MARKED_ONLY and marked(begin) is None:
        encoding += "-le"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(begin, not is_cut).removeprefix("\ufeff")


def _fed(data: bytes, texts: Texts) -> Iterator[str]:
    view = memoryview(data)
    for at in range(0, len(data), bulk.PIECE):
        yield texts.feed(bytes(view[at : at + bulk.PIECE]))
    yield texts.feed(b"", last=True)


def _named_in(kind: str, begin: bytes) -> str | None:
    """The encoding that a page or an XML document names itself, in letters of ASCII."""
    kind = kind_of(kind)
    begin = begin[:MARKED]
    found = None
    if kind in ("text/xml", "application/xml") or kind.endswith("+xml"):
        found = _XML.match(begin)
    if found is None and kind in ("text/html", "application/xhtml+xml"):
        found = _HTML.search(begin)
    if found is None:
        return None
    name = found[1].decode("ascii")
    # What could be read so far is not in units of two or four bytes.
    return "utf-8" if name.lower().startswith(("utf-16", "utf-32", "ucs-", "iso-10646")) else name
