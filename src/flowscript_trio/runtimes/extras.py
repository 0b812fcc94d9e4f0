"""Owns the packages that extras bring: whether one is there, before a node fails for the lack of it."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def is_installed(module: str) -> bool:
    """Whether a module can be imported; it is not imported."""
    if module in sys.modules:
        return sys.modules[module] is not None
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def how_to_install(what: str, package: str, extra: str) -> str:
    """What to say where the package of an extra is missing."""
    return f"{what} needs {package}: pip install 'flowscript-trio[{extra}]'"
