"""Owns what runs a document that is read by itself: those beside it that include or call it, and what they give.

They are looked for only where something is missing in it: what they declare and bind is not its mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from ..types.ast import CallNode, Document, IncludeNode
from ..types.deferred import dataclass
from ..validator import Inherited
from ..validator.positions import locate, word_of
from .library import Library

SUFFIXES = (".xml", ".flow.md")
MOST = 1000
"""This many files are looked at."""


@dataclass(frozen=True, slots=True)
class Given:
    """What all callers of a document give it: the names that they bind, and the members that it inherits."""

    names: frozenset[str] = frozenset()
    inherited: Inherited = field(default_factory=Inherited)


def given_by_callers(path: Path, library: Library) -> Given:
    """What the documents in the folder of a document, and in the one above, give it.

    Those that include one of them hand on what they declare as well.
    """
    around = _Neighbours(library)
    names: set[str] = set()
    inherited = Inherited()
    pending, seen = [path], {path}
    while pending:
        inner = pending.pop()
        for caller, document in around.mentioning(inner):
            for node in _running(document, caller, inner, library):
                if inner == path:
                    names |= _bound_by(node)
                if isinstance(node, IncludeNode):
                    inherited = inherited.over(document)
                    if caller not in seen:
                        seen.add(caller)
                        pending.append(caller)
    return Given(frozenset(names), inherited)


def _bound_by(node: IncludeNode | CallNode) -> set[str]:
    """The names that a node binds for the document that it runs."""
    if isinstance(node, CallNode):
        return {word_of(part.settings.get("name")) for part in node.arguments}
    return {word_of(part.settings.get("key")) for part in node.binds}


class _Neighbours:
    """The documents around a file; a bounded number of them is looked at in all."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._left = MOST

    def mentioning(self, path: Path) -> Iterator[tuple[Path, Document]]:
        """Those in its folder and in the one above that have the name of a file in them."""
        for folder in (path.parent, path.parent.parent):
            with suppress(OSError):
                for file in sorted(folder.iterdir()):
                    if file.name.endswith(SUFFIXES) and file != path and self._mentions(file, path):
                        document = self._library.read(file).document
                        if document is not None:
                            yield file, document

    def _mentions(self, file: Path, path: Path) -> bool:
        self._left -= 1
        if self._left < 0 or not file.is_file() or file.stat().st_size > self._library.limits.size:
            return False
        return path.name.encode() in file.read_bytes()


def _running(
    document: Document, caller: Path, path: Path, library: Library
) -> Iterator[IncludeNode | CallNode]:
    """The nodes of a document that run the one of that file."""
    for position in locate(document).positions.values():
        node = position.node
        if isinstance(node, (IncludeNode, CallNode)):
            written = word_of(node.settings.get("workflow"))
            if written and path in library.candidates(written, caller):
                yield node
