"""Owns the report of a run: one self-contained HTML page."""

from .page import DrawStates, render_report
from .story import story_of

__all__ = ["DrawStates", "render_report", "story_of"]
