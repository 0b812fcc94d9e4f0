"""Owns bodies that were lost with their worker: the ``<retry>`` of the only node in one decides what follows.

A body that runs elsewhere takes the ``<retry>``s in it along, and they are lost with it. Where one node is all
that is in it, the loss is that of the node, and its rules are asked here. Of several nobody knows which it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ..expression.scope import Overlay, Scope
from ..program.compiled import CompiledBody
from ..types.errors import WorkerDied
from .frame import Frame
from .recovery import seconds_before
from .retrying import Retries
from .walk import Walk

T = TypeVar("T")


async def relaunched(
    walk: Walk, body: CompiledBody, frame: Frame, carry: Callable[[], Awaitable[T]]
) -> T:
    """What ``carry`` gives, which brings a body to its place and back; made again where its worker was lost.

    Raises the last WorkerDied where no ``<retry>`` takes it, and what the rules themselves raise. A cancellation
    ends the wait between two attempts.
    """
    retries: Retries | None = None
    number = 0
    while True:
        try:
            return await carry()
        except WorkerDied as exc:
            step = body.steps[0]
            if len(body.steps) > 1 or step.retry is None:
                raise
            number += 1
            path = f"{frame.prefix}{step.label}"
            if retries is None:
                scope: Scope = frame.state
                if step.draws:
                    services = walk.run.services_of(path, "lost")
                    scope = Overlay(scope, {"$attempt": 1}, services)
                retries = Retries(step, scope)
            delay = seconds_before(walk, retries, path, exc, number)
            if delay is None:
                raise
            said = (
                f"{path!r} is sent again in {delay:g} s, since it was lost with its worker: {exc}"
            )
            walk.run.note_warning(path, said)
        await trio.sleep(delay)
