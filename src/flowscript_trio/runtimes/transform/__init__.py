"""Owns: the transform room."""
