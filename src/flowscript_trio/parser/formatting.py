"""Owns the layout of documents: the same document with one element a line, indented, comments kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..types.errors import Problem, WorkflowInvalid
from ..types.findings import Findings
from ..types.location import Source, Text
from .fences import read_front
from .files import decode
from .limits import ReadLimits
from .markup import SPACE
from .pieces import Leaf, Tag, pieces_of
from .scanner import scan
from .texts import dedent
from .xml import read_xml

WIDTH = 100
"""The longest line of a start tag that is not divided, in characters."""
_STEP = "  "
_FURTHER = "    "


def format_document(text: str, *, file: str, limits: ReadLimits = ReadLimits()) -> str:  # noqa: B008
    """The text of a document in the one layout that it has; what it means is the same.

    One element is on a line, indented by two spaces; a start tag that is longer than 100 characters has
    each attribute on a line of its own. Up to one blank line stays between elements. Comments stay where they
    are, and so do the order of attributes, front matter, and what follows the workflow in a ``.flow.md``.
    Text of several lines is indented as a whole. A raw ``<`` or ``&`` that reading repairs is written out.

    Formatting twice is formatting once. Raises WorkflowInvalid where the text is not well-formed.
    """
    source = Source(file, text)
    start = 1 if text.startswith("\ufeff") else 0
    fronted = file.endswith(".flow.md") or text.startswith("---", start)
    if fronted:
        _, start = read_front(Findings(source), start)
        start += len(text[start:]) - len(text[start:].lstrip(SPACE))
    findings = Findings(source)
    if read_xml(findings, limits, start, one=fronted) is None:
        raise WorkflowInvalid(tuple(findings))
    end = scan(Findings(source), start, limits.depth, fronted).end
    newline = "\r\n" if "\r\n" in text else "\n"
    body = text[start:end].replace("\r\n", "\n").replace("\r", "\n")
    laid_out = "\n".join(_lines(pieces_of(body), ""))
    rest = text[end:]
    return text[:start] + laid_out.replace("\n", newline) + (rest if rest.strip(SPACE) else newline)


def format_file(data: bytes, *, file: str, limits: ReadLimits = ReadLimits()) -> bytes:  # noqa: B008
    """As :func:`format_document` of a file's bytes, in the encoding that they are in."""
    found = decode(data, file=file)
    if isinstance(found, Problem):
        raise WorkflowInvalid([found])
    return found.encode(format_document(found.text, file=file, limits=limits))


def _lines(content: Sequence[Tag | Leaf], indent: str) -> Iterator[str]:
    """The lines of pieces that are below each other. A line may hold line ends of its own."""
    line: str | None = None
    breaks = 0
    for piece in content:
        if isinstance(piece, Leaf) and piece.kind == "text":
            breaks += piece.raw.count("\n")
            continue
        made = _element(piece, indent) if isinstance(piece, Tag) else piece.raw
        if line is not None and not breaks and isinstance(piece, Leaf):
            line += " " + made  # a comment behind what it is about
        else:
            if line is not None:
                yield indent + line
                if breaks > 1:
                    yield ""
            line = made
        breaks = 0
    if line is not None:
        yield indent + line


def _element(tag: Tag, indent: str) -> str:
    """An element without the indent of its first line."""
    content = _content(tag.content, indent)
    closing = "/>" if content is None else ">"
    start = f"<{' '.join([tag.name, *tag.attributes])}{closing}"
    if len(tag.attributes) > 1 and len(indent) + max(map(len, start.split("\n"))) > WIDTH:
        start = f"\n{indent}{_FURTHER}".join([f"<{tag.name}", *tag.attributes]) + closing
    return start if content is None else f"{start}{content}</{tag.name}>"


def _content(content: Sequence[Tag | Leaf], indent: str) -> str | None:
    """What is between an element's tags; None for nothing."""
    says = [piece for piece in content if not _is_blank(piece)]
    if not says:
        return None
    if not any(isinstance(piece, Leaf) and piece.kind in ("text", "cdata") for piece in says):
        lines = _lines(content, indent + _STEP)
        return "\n" + "\n".join(lines) + f"\n{indent}"
    raw = "".join(piece.raw for piece in content if isinstance(piece, Leaf))
    only_text = all(isinstance(piece, Leaf) for piece in content)
    if not only_text or "<!--" in raw or "<?" in raw or "&#" in raw:
        return "".join(_verbatim(piece) for piece in content)
    return _text([piece for piece in content if isinstance(piece, Leaf)], indent)


def _text(pieces: Sequence[Leaf], indent: str) -> str:
    """Text, indented as a whole where it has several lines. Its white space at both ends means nothing."""
    if all(piece.kind == "text" for piece in pieces):
        return _indented("".join(piece.raw for piece in pieces), indent)
    says = [piece for piece in pieces if not _is_blank(piece)]
    if len(says) == 1:  # one CDATA section
        inner = says[0].raw[len("<![CDATA[") : -len("]]>")]
        return f"<![CDATA[{_indented(inner, indent)}]]>"
    return "".join(piece.raw for piece in pieces)


def _indented(raw: str, indent: str) -> str:
    text = dedent(Text(raw, Source("", ""), ((0, 0),))).value
    if "\n" not in text:
        return text
    lines = [line and f"{indent}{_STEP}{line}" for line in text.split("\n")]
    return "\n" + "\n".join(lines) + f"\n{indent}"


def _is_blank(piece: Tag | Leaf) -> bool:
    return isinstance(piece, Leaf) and piece.kind == "text" and not piece.raw.strip(SPACE)


def _verbatim(piece: Tag | Leaf) -> str:
    """A piece as it is written, but for the quotes and spaces of its tags."""
    if isinstance(piece, Leaf):
        return piece.raw
    start = " ".join([piece.name, *piece.attributes])
    inner = "".join(map(_verbatim, piece.content))
    return f"<{start}>{inner}</{piece.name}>" if inner else f"<{start}/>"
