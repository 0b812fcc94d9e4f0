"""Owns the report of a run: one HTML page that needs nothing but itself."""

from .page import render_report
from .story import story_of

__all__ = ["render_report", "story_of"]
