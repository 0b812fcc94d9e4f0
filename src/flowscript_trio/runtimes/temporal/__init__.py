"""Owns: the temporal room."""
