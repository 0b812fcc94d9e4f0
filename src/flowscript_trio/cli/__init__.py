"""Owns: the cli room."""
