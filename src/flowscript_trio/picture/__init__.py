"""Owns pictures of workflows: a document as boxes and arrows, without running it."""

from .dot import as_dot
from .folding import folded
from .mermaid import as_mermaid
from .model import picture_of
from .svg import as_svg

__all__ = ["as_dot", "as_mermaid", "as_svg", "folded", "picture_of"]
