"""Owns the settings that no runtime declares: those of every node, and those of the document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field as Bounds

from ..runtimes.control.types import Name
from ..runtimes.control.values import Limit
from ..runtimes.markers import Constant
from ..types.durations import Duration, WaitingTime
from .fields import Field, Form

TIMEOUT = Field("timeout", "timeout", "timeout", Form.SCALAR, type=Duration)
WAITING_TIME = Field("timeout", "timeout", "timeout", Form.SCALAR, type=WaitingTime)
"""The timeout of a node that waits for an answer."""

PLACE = Field("place", "place", "place", Form.SCALAR, constant=Constant(), type=Name)
ON_CRASH = Field(
    "on_crash",
    "on_crash",
    "on_crash",
    Form.SCALAR,
    constant=Constant("retry or fail"),
    type=Literal["retry", "fail"],
)
"""Of a node that runs no others."""

CONDITION = Field("if", "if", "if", Form.EXPRESSION)
LIMIT = Field("max_concurrency", "max_concurrency", "max_concurrency", Form.SCALAR, type=Limit)
RETRY = Field("retry", "retry", "retry", Form.SCALAR, type=Annotated[int, Bounds(ge=0)])
