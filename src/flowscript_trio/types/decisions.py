"""Owns what a run asks people: actions to choose from, answers, and who decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from .deferred import dataclass
from .errors import FlowScriptError

APPROVE: Literal["approve"] = "approve"
"""The answer that goes on with the next node; it is always allowed."""

REJECT: Literal["reject"] = "reject"
"""The answer that fails the run, unless the checkpoint has an action of that name; always allowed."""


@dataclass(frozen=True, slots=True)
class Action:
    """One of the answers that a ``<checkpoint>`` offers. ``label`` is what people read.

    Plain data: cancellation means nothing to it.
    """

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a decider answers: the id of an action, and what the person gave along with it, if anything.

    Plain data: cancellation means nothing to it.
    """

    action: str
    input: Any = None


Decider = Callable[[str, Sequence[Action]], Awaitable[str | Answer]]
"""Asks a person: an async function of the prompt and the actions, which gives the id of one, or an
:class:`Answer`. It is cancelled when the checkpoint's time has passed, and when the run is."""


class CheckpointRejected(FlowScriptError):
    """A ``<checkpoint>`` was answered with ``reject``, and has no action of that name.

    ``prompt`` is what was asked; ``timed_out`` says that nobody answered in time.

    It is a failure and no cancellation: what it ends is cancelled, it is not.
    """

    def __init__(self, label: str, prompt: str, timed_out: bool) -> None:
        late = ": nobody answered in time" if timed_out else ""
        asked = f" ({prompt})" if prompt else ""
        super().__init__(f"{label!r} was rejected{late}{asked}")
        self.prompt = prompt
        self.timed_out = timed_out
