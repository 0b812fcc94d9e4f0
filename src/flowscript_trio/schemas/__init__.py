"""Owns the schemas of the language, for editors and other tools: XML Schema, and JSON Schema of front matter."""

from __future__ import annotations

from .files import schema_files

__all__ = ["schema_files"]
