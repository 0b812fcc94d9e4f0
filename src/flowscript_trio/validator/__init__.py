"""Owns: the validator room."""
