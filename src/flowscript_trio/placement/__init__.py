"""Owns places: nodes that run in threads, in other processes and on other machines."""
