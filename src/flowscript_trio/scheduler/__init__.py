"""Owns scheduling: one nursery and one limiter a block; thunks, not nodes."""
