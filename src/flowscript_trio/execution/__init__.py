"""Owns the walk: state, the one node boundary, the record, the run."""
