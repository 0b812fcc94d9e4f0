"""Owns: the execution room."""
