"""Owns: the parser room."""
