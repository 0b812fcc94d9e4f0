"""Owns the elements of the language as data: one declaration each, read by every room that asks about elements."""
