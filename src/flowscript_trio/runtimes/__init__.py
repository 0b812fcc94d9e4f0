"""Owns the runtimes; importing it fills the default registry with the built-in ones."""

from . import ai, control, database, file, http, temporal, transform
from .registry import Registry, get_runtime, has_runtime, registry, runtime

__all__ = [
    "Registry",
    "ai",
    "control",
    "database",
    "file",
    "get_runtime",
    "has_runtime",
    "http",
    "registry",
    "runtime",
    "temporal",
    "transform",
]
