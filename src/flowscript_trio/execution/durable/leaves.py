"""Owns the attempts of nodes that run no others: restored where they had ended, on disk before they may act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import trio
from pydantic import BaseModel
from trio.lowlevel import checkpoint_if_cancelled

from ...runtimes.wrapping import innermost
from ...scheduler.signals import Failed
from ...types.durable import Diverged, Interrupted
from ...types.errors import view_of
from ..describing import describe_safely, remember_view
from ..frame import Attempt, Outcome
from ..walk import Walk
from .entries import AttemptFailed, Late, Started
from .recorder import Recorder
from .timers import sleep_durably
