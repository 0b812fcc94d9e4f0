"""Owns what the front matter of a document says."""

from __future__ import annotations

from typing import Any

from ..types.ast import Parameter, Secret, Setting, Shaped
from ..types.deferred import dataclass


@dataclass(slots=True)
class Front:
    """What the front matter says. ``offset`` is its place, None where there is none; ``unfinished`` says
    that it has no end, so that nothing follows it; ``unreadable`` that its name cannot be read.
    """

    offset: int | None = None
    unfinished: bool = False
    unreadable: bool = False
    name: str = ""
    version: str | None = None
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
    input: tuple[Shaped, ...] = ()
    output: tuple[Shaped, ...] = ()
    timeout: Setting | None = None
    max_concurrency: Setting | None = None
    retry: Setting | None = None
    trigger: Any = None
    schemas: Any = None
    evolution: Any = None
