"""Owns the functions of expressions; importing it fills the table."""

from . import data, lists, numbers, objects, text, times, types

__all__ = ["data", "lists", "numbers", "objects", "text", "times", "types"]
