"""Owns the cases of every setting: a document with it and without it, and what that shows."""
