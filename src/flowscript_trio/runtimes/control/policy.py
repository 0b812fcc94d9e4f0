"""Owns how the settings of a block become the policy that decides it. Pure."""

from __future__ import annotations

from ...scheduler.policy import Policy
from .types import BlockConfig
from .values import TolerateCount, TolerateShare, WaitAny, WaitN


def policy_of(config: BlockConfig, total: int | None) -> Policy:
    """The policy of a block of ``total`` branches, None where the number is not known yet."""
    need: int | None = None
    match config.wait:
        case WaitAny():
            need = 1
        case WaitN(count):
            need = count
    tolerate: int | float = 0
    match config.tolerate:
        case TolerateCount(count):
            tolerate = count
        case TolerateShare(fraction):
            tolerate = fraction
    return Policy(need, config.fail_fast, tolerate, total)
