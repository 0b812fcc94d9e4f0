"""Owns: the http room."""
