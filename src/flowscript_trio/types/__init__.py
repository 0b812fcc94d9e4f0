"""Owns the words that all rooms share: places, problems, the syntax tree, results, events."""
