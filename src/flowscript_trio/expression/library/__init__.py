"""Owns the functions of expressions; importing it fills the table."""

from . import (
    data,
    dates,
    items,
    lists,
    numbers,
    objects,
    ordering,
    patterns,
    tables,
    text,
    times,
    types,
)

__all__ = [
    "data",
    "dates",
    "items",
    "lists",
    "numbers",
    "objects",
    "ordering",
    "patterns",
    "tables",
    "text",
    "times",
    "types",
]
