"""Owns the keys of front matter: what each means, and in JSON Schema what its value may be."""

from __future__ import annotations

from typing import Any

from .declared import TYPES

Schema = dict[str, Any]

VERSION = r"\d+\.\d+(\.\d+)?"
_SCALAR = ["string", "number", "boolean"]


def _means(description: str, **schema: Any) -> Schema:
    return {"description": description, **schema}


PARAMETER: dict[str, Schema] = {
    "type": _means(
        "what the value must be",
        anyOf=[{"enum": list(TYPES)}, {"type": "string", "pattern": r"^\s*enum\[.+\]\s*$"}],
    ),
    "default": _means("the value where none is given"),
    "required": _means("whether a value must be given", type="boolean"),
    "description": _means("what it is for"),
}
"""The keys of a configuration key."""

RUNTIME: dict[str, Schema] = {
    "timeout": _means("how long a run may take, such as 5m", type=_SCALAR),
    "concurrency": _means(
        "how many nodes of a body run at once, where nothing else is said (default: 10)",
        anyOf=[{"type": "integer", "minimum": 1}, {"type": "string"}],
    ),
    "retry": _means(
        "how many further attempts leaf nodes have that do not say so themselves",
        anyOf=[{"type": "integer", "minimum": 0}, {"type": "string"}],
    ),
}
"""The keys of ``runtime``."""

KEYS: dict[str, Schema] = {
    "name": _means("the workflow's name (required, here or on the workflow)", type=_SCALAR),
    "version": _means(
        "X.Y or X.Y.Z", anyOf=[{"type": "string", "pattern": f"^{VERSION}$"}, {"type": "number"}]
    ),
    "description": _means("what it is for", type=[*_SCALAR, "null"]),
    "config": _means(
        "what an application may configure, by name: a description of it, or its default",
        type=["object", "null"],
        additionalProperties={
            "anyOf": [
                {"type": "object", "properties": PARAMETER},
                {"not": {"type": "object"}},
            ]
        },
    ),
    "secrets": _means(
        "the names of the secrets that it uses",
        type=["array", "null"],
        items={"type": _SCALAR},
    ),
    "runtime": _means("how it is run", type=["object", "null"], properties=RUNTIME),
    "trigger": _means("kept, not acted on: manual: true, or type: …"),
    "input": _means(
        "the members that the input must have, by name: a type in the short form, or described as in config; "
        "or the name of one of the schemas",
        type=["object", "string", "null"],
    ),
    "output": _means(
        "the members that the output must have, by name, as those of input",
        type=["object", "string", "null"],
    ),
    "schemas": _means(
        "schemas by name, which stand for them in output-schema, input and output",
    ),
    "evolution": _means("kept, not acted on"),
}
"""The keys of the front matter."""
