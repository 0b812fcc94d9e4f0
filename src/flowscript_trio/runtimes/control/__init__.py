"""Owns: the control room."""
