"""Owns the names of the language: elements, and the spellings of a setting that are one."""

from __future__ import annotations

import re
from functools import lru_cache

LEAVES = frozenset({"source", "transform", "sink", "ai", "delay", "set", "break"})
"""Nodes in which every child element is a setting."""

BLOCKS = frozenset({"parallel", "foreach", "if", "branch", "loop", "while", "timeout", "phase"})
PARTED = {
    "context": "set",
    "output": "set",
    "include": "bind",
    "call": "arg",
    "checkpoint": "action",
}
"""Nodes with parts, and what their parts are called."""

NODES = LEAVES | BLOCKS | frozenset(PARTED)
WITHOUT_ID = frozenset({"set", "context", "phase", "break", "delay", "output"})

STRUCTURE = {
    "then": "if",
    "else": "if",
    "case": "branch",
    "default": "branch",
    "finally": "workflow, phase, branch or timeout",
    "on-workflow-error": "workflow",
    "on-error": "node",
    "compensate": "node",
    "retry": "on-error",
    "fallback": "on-error",
    "bind": "include",
    "arg": "call",
    "action": "checkpoint",
    "param": "workflow, before its nodes",
    "secret": "workflow, before its nodes",
}
"""Elements that are no nodes, and where each belongs."""

WITH_FINALLY = frozenset({"workflow", "phase", "timeout"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(4096)
def canonical(written: str) -> str:
    """The snake_case name of a setting: its kebab, camel and snake spellings are one."""
    name = _CAMEL.sub("_", written).lower().replace("-", "_")
    return "max_concurrency" if name == "concurrency" else name
