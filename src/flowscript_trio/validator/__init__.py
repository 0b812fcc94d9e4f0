"""Owns the check of a document: its problems, all at once, and everything bound that a run needs."""

from .check import check
from .checked import Checked, CheckedBody, CheckedNode
from .members import Inherited, Wanted
from .values import BoundSetting, BoundSettings

__all__ = [
    "BoundSetting",
    "BoundSettings",
    "Checked",
    "CheckedBody",
    "CheckedNode",
    "Inherited",
    "Wanted",
    "check",
]
