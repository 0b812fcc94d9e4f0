"""Owns the look-up of functions: the library is imported when the first one is looked up, and fills the table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .table import FUNCTIONS, Implementation


@cache
def functions() -> Mapping[str, Implementation]:
    """Every function by its name; each takes the run's services and then its arguments."""
    from .library import everything

    assert everything  # imported for what it does: most expressions call no function
    return FUNCTIONS
