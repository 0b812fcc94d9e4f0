"""Owns: the expression room."""
