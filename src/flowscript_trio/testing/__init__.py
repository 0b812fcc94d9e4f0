"""Owns: the testing room."""
