"""Owns: the file room."""
