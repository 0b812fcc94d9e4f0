"""Owns what a check finds: whom it concerns, and a sentence that says what happened and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..story import Story


class Finding(NamedTuple):
    """``subject`` is the node, block or runtime that it is about: findings about one subject are one."""

    subject: str
    message: str


Check = Callable[[Story], Iterator[Finding]]
"""One promise: what of it did not hold in a trial. Its name, with spaces, is how people know it."""
