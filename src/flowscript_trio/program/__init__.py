"""Owns documents ready to run: loaded, linked with what they run, and compiled."""
