"""Owns the runtimes: what a node's type names. Those that are built in are imported when they are asked for."""

from .registry import Registry, blocking_runtime, get_runtime, has_runtime, registry, runtime

__all__ = [
    "Registry",
    "blocking_runtime",
    "get_runtime",
    "has_runtime",
    "registry",
    "runtime",
]
