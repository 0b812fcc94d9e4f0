"""Owns shapes through a document: what is known of every node's output, and the members that cannot be there."""

from .document import DocumentShapes

__all__ = ["DocumentShapes"]
