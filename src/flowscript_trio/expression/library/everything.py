"""Owns the list of all that has functions of expressions; importing it fills the table."""

from . import (
    calendar,
    data,
    dates,
    items,
    lists,
    numbers,
    objects,
    ordering,
    parts,
    patterns,
    reading_dates,
    tables,
    text,
    times,
    types,
)

__all__ = [
    "calendar",
    "data",
    "dates",
    "items",
    "lists",
    "numbers",
    "objects",
    "ordering",
    "parts",
    "patterns",
    "reading_dates",
    "tables",
    "text",
    "times",
    "types",
]
