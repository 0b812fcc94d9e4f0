"""Owns: the scheduler room."""
