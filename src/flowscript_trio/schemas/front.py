"""Owns the JSON Schema of front matter."""

from __future__ import annotations

from typing import Any

from ..parser.frontkeys import KEYS


def front_matter_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the front matter of a ``.flow.md`` document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The front matter of a FlowScript document",
        "type": "object",
        "properties": KEYS,
    }
