"""Owns what has become of context variables: which of them are not as they were."""

from __future__ import annotations

import sys
from contextvars import Context, ContextVar, copy_context
from functools import lru_cache
from typing import Any

_LAZY = frozenset({"decimal_context"})
"""Variables that Python itself sets when they are read first."""
_UNSET = object()


def changed_since(before: Context) -> list[str]:
    """The names of the context variables whose value differs from that in ``before``."""
    now = copy_context()
    return sorted(
        _name_of(variable)
        for variable in {*before, *now}
        if variable.name not in _LAZY
        and before.get(variable, _UNSET) is not now.get(variable, _UNSET)
    )


@lru_cache(maxsize=64)
def _name_of(variable: ContextVar[Any]) -> str:
    """Where people find it: its module and name there, else what it was called when it was made."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is variable:
                return f"{module.__name__}.{name}"
    return variable.name
