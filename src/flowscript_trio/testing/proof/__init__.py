"""Owns the proof of a workflow: every step cancelled, every node failed, and what is promised checked."""

from .proving import prove
from .report import Report, Violation

__all__ = ["Report", "Violation", "prove"]
