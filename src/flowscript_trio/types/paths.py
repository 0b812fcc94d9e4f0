"""Owns the way up in the path of a node, a branch or an iteration."""

from __future__ import annotations


def parent_of(path: str) -> str:
    """What a branch, an iteration, or the node of a body belongs to: the path one level up."""
    return path.rpartition("[" if path.endswith("]") else "/")[0]
