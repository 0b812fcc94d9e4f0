"""Owns who runs a document that is read by itself: those beside it that include or call it, and what they give.

They are looked for only where something is missing in it: what they declare and bind is no mistake of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..types.ast import CallNode, Document, IncludeNode
from ..validator import Inherited
from ..validator.places import locate, word_of
from .library import Library

SUFFIXES = (".xml", ".flow.md")
MOST = 1000
"""So many files are looked at."""


@dataclass(frozen=True, slots=True)
class Given:
    """What all callers of a document give it: the names that they bind, and the members that it inherits."""

    names: frozenset[str] = frozenset()
    inherited: Inherited = field(default_factory=Inherited)


def given_by_callers(path: Path, library: Library, seen: frozenset[Path] = frozenset()) -> Given:
    """What the documents in the folder of a document, and in the one above, give it."""
    names: frozenset[str] = frozenset()
    inherited = Inherited()
    for caller in _mentioning(path, seen):
        document = library.read(caller).document
        if document is None:
            continue
        for node in _running(document, caller, path, library):
            if isinstance(node, CallNode):
                parts = [part.settings.get("name") for part in node.arguments]
            else:
                parts = [part.settings.get("key") for part in node.binds]
                outer = given_by_callers(caller, library, seen | {path}).inherited.over(document)
                inherited = Inherited(
                    inherited.config | outer.config, inherited.secrets | outer.secrets
                )
            names |= {word_of(part) for part in parts}
    return Given(names, inherited)


def _mentioning(path: Path, seen: frozenset[Path]) -> Iterator[Path]:
    """The documents around a file that have its name in them."""
    word = path.name.encode()
    looked = 0
    for folder in (path.parent, path.parent.parent):
        with suppress(OSError):
            for file in sorted(folder.iterdir()):
                if not file.name.endswith(SUFFIXES) or file == path or file in seen:
                    continue
                looked += 1
                if looked > MOST:
                    return
                if file.is_file() and word in file.read_bytes():
                    yield file


def _running(
    document: Document, caller: Path, path: Path, library: Library
) -> Iterator[IncludeNode | CallNode]:
    """The nodes of a document that run the one of that file."""
    for place in locate(document).places.values():
        node = place.node
        if isinstance(node, (IncludeNode, CallNode)):
            written = word_of(node.settings.get("workflow"))
            if written and path in library.candidates(written, caller):
                yield node
