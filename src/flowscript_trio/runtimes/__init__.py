"""Owns: the runtimes room."""
