"""Owns shapes through a document: what is known about each node's output, and members that cannot be there."""

from .document import DocumentShapes

__all__ = ["DocumentShapes"]
