"""Owns the names of the language: elements, and the spellings of a setting that are one."""

from __future__ import annotations

import re
from functools import lru_cache

LIFTED = ("request", "response")
"""Elements whose keys are settings of the node that they stand in."""
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
CONTROLS = NODES - {"source", "transform", "sink", "ai"}
WITHOUT_ID = frozenset({"set", "context", "phase", "break", "delay", "output"})

SETTINGS_TOO = frozenset({"timeout", "if", "break"})
"""Nodes whose names are also settings of blocks: with text and nothing else in it the element is the setting
(``<loop …><break>{{done}}</break>``)."""

STRUCTURE = {
    "then": "an <if>",
    "else": "an <if>",
    "case": "a <branch> outside of <parallel>",
    "default": "a <branch> outside of <parallel>",
    "finally": "a workflow, a phase, a branch of <parallel> or a timeout",
    "on-workflow-error": "the workflow",
    "on-error": "a node",
    "compensate": "a node",
    "retry": "an <on-error>",
    "fallback": "an <on-error>",
    "bind": "an <include>",
    "arg": "a <call>",
    "action": "a <checkpoint>",
    "param": "the workflow, before its nodes",
    "secret": "the workflow, before its nodes",
    "workflow": "no other element: it is the document's root",
}
"""Elements that are no nodes, and where each belongs."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(4096)
def canonical(written: str) -> str:
    """The snake_case name of a setting: its kebab, camel and snake spellings are one."""
    name = _CAMEL.sub("_", written).lower().replace("-", "_")
    return "max_concurrency" if name == "concurrency" else name


def kind_of(family: str, local: str) -> str:
    """Which element it is: ``source`` for ``<source:http>``, ``parallel`` for ``<control:parallel>``.

    What is no control element keeps the prefix: ``<control:source>`` is no element at all.
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
