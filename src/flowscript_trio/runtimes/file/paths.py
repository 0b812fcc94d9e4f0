"""Owns where a file may be: paths confined to a base folder, symbolic links and ``..`` included."""

from __future__ import annotations

from pathlib import Path

from ...types.errors import FlowScriptError


class PathOutside(FlowScriptError):
    """A path leads out of the run's base folder."""


def resolve(path: str, base: Path | None) -> Path:
    """The file that a path names. Without a base it is taken from the current folder, and may be anywhere.

    Raises PathOutside where it leads out of the base, be it by ``..``, from the root, or through a
    symbolic link. Blocks: it looks at the file system.
    """
    if "\0" in path:
        raise FlowScriptError(f"{path!r} is no path")
    if base is None:
        return Path(path).absolute()
    root = base.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root):
        raise PathOutside(f"{path!r} leads out of the base folder {str(base)!r}")
    return found
