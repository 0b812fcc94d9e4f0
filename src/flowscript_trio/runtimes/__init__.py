"""Owns the runtimes; importing it fills the default registry with the built-in ones."""

from . import control, temporal, transform
from .registry import Registry, get_runtime, has_runtime, registry, runtime

__all__ = [
    "Registry",
    "control",
    "get_runtime",
    "has_runtime",
    "registry",
    "runtime",
    "temporal",
    "transform",
]
