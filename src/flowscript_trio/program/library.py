"""Owns the files that a workflow is made of: where its documents may be, and each read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from os.path import relpath
from pathlib import Path

from ..parser import Parsed, ReadLimits, read
from ..scheduler.limits.limit import Limit
from ..types.ast import Document
from ..types.deferred import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A document with the file that it was read from (resolved), or None for a text."""

    parsed: Parsed
    path: Path | None


@dataclass(slots=True, eq=False)
class Library:
    """The files of a workflow: each is read once, and only from where it may be.

    ``roots`` are folders from which documents may be taken besides the including document's own,
    ``base`` is one more, where a relative path is looked for second; without one that is the current folder.
    """

    limits: ReadLimits
    roots: Sequence[Path] = ()
    base: Path | None = None
    limits_declared: dict[str, Limit] = field(default_factory=dict)
    """The limits that its documents declare, by name: all runs of the workflow share them."""
    files: dict[Path, Parsed] = field(default_factory=dict)
    """Those that were read, by their resolved paths."""

    def candidates(self, written: str, including: Path | None) -> list[Path]:
        """Where a document of that name may be: resolved paths, links followed."""
        folders = [] if including is None else [including.parent]
        if self.base is not None:
            folders.append(self.base)
        elif including is not None:
            folders.append(Path())
        return list(dict.fromkeys((folder / written).resolve() for folder in folders))

    def allows(self, path: Path, including: Path | None) -> bool:
        """Whether a document may be taken from there: the including one's tree, or a given folder."""
        trees = [root.resolve() for root in self.roots]
        trees += [] if including is None else [including.parent]
        trees += [] if self.base is None else [self.base.resolve()]
        return any(path.is_relative_to(tree) for tree in trees)

    def has(self, path: Path) -> bool:
        """Whether a file is there, or was when it was read."""
        return path in self.files or path.is_file()

    @property
    def documents(self) -> list[Document]:
        """Those that were read."""
        return [parsed.document for parsed in self.files.values() if parsed.document is not None]

    @property
    def found(self) -> dict[Path, Document]:
        """Those that were read, by their files."""
        return {
            path: parsed.document
            for path, parsed in self.files.items()
            if parsed.document is not None
        }

    def give(self, path: Path, parsed: Parsed) -> None:
        """Let a document stand for a file, which is not read."""
        self.files[path] = parsed

    def read(self, path: Path) -> Parsed:
        """The document of a file; raises OSError where it cannot be read."""
        if path not in self.files:
            self.files[path] = read(shown(path), limits=self.limits)
        return self.files[path]


def shown(path: Path) -> str:
    """A path as people know it: from the current folder where it is in it."""
    near = relpath(path)
    return str(path) if near.startswith("..") else near
