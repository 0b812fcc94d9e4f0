"""Owns: the observe room."""
