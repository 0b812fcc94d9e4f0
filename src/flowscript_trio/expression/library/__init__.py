"""Owns the functions of expressions: a module for each kind of them, put into the table when it is imported."""
