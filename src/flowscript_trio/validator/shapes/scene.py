"""Owns what the check of a document leaves for its shapes: where everything stands, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..checked import CheckedBody, CheckedNode
from ..handlers import Handlers
from ..places import Index
from ..texts import Noted

__all__ = ["Noted", "Scene"]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A checked document as its shapes see it. ``noted`` are the expressions that take a member of something."""

    index: Index
    handlers: Handlers
    nodes: Mapping[int, CheckedNode]
    bodies: Mapping[int, CheckedBody]
    noted: Sequence[Noted]
