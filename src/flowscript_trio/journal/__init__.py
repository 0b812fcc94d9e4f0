"""Owns durable runs on disk: values as bytes, journals, the stores that keep them, who owns a run."""
