"""Owns the names of the language: which element a name means, and the spellings of a setting that are one."""

from __future__ import annotations

import re
from functools import lru_cache

from ..language.structure import CONTROLS, STRUCTURE

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(4096)
def canonical(written: str) -> str:
    """The snake_case name of a setting: its kebab, camel and snake spellings are one."""
    name = _CAMEL.sub("_", written).lower().replace("-", "_")
    return "max_concurrency" if name == "concurrency" else name


def kind_of(family: str, local: str) -> str:
    """Which element it is: ``source`` for ``<source:http>``, ``parallel`` for ``<control:parallel>``.

    Any other element keeps the prefix: ``<control:source>`` is not an element at all.
    """
    if not family:
        return local
    if family != "control":
        return family
    return local if local in CONTROLS or local in STRUCTURE else f"control:{local}"


def spellings(name: str) -> tuple[str, ...]:
    """Every spelling of a setting's snake_case name, the one with hyphens first: what ``canonical`` undoes."""
    words = name.split("_")
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    found = dict.fromkeys(("-".join(words), camel, name))
    return (*found, "concurrency") if name == "max_concurrency" else tuple(found)
