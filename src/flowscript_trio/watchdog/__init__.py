"""Owns who watches trio's thread: which step of which task holds it, and the words for where that is."""
