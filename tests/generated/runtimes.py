"""Owns the runtime of generated leaves: it takes virtual time, fails, hangs, and misbehaves as it is told."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import trio
from pydantic import BaseModel, ConfigDict

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeStarted


class LeafConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    takes: int
    end: Literal["ok", "fail", "group", "hang", "flaky"]
    cancelled: Literal["pass", "swallow", "shield", "fail"]
    fails: int = 0
    shield: int = 0


class Leaves:
    """A registry with ``source:generated``; ``entered`` and ``left`` count its shielded clean-ups."""

    def __init__(self) -> None:
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:generated", config=LeafConfig)(self._execute)
        self.reset()

    def reset(self) -> None:
        """Forget what was: the next run begins."""
        self.entered = self.left = 0
        self._attempts: Counter[tuple[trio.lowlevel.Task, str]] = Counter()

    def observe(self, event: Event) -> None:
        """A node that starts has not been tried."""
        if isinstance(event, NodeStarted):
            self._attempts.pop((trio.lowlevel.current_task(), event.node.label), None)

    async def _execute(self, params: fs.ExecutionParams) -> str:
        config: LeafConfig = params.config
        label = params.node.label
        key = (trio.lowlevel.current_task(), label)
        self._attempts[key] += 1
        try:
            if config.end == "hang":
                await trio.sleep_forever()
            await trio.sleep(config.takes)  # virtual
        except trio.Cancelled:
            await self._clean_up(label, config)
            if config.cancelled != "swallow":
                raise
            return label
        if config.end == "group":
            raise ExceptionGroup(label, [ValueError("one"), KeyError("two")])
        if config.end == "fail" or (config.end == "flaky" and self._attempts[key] <= config.fails):
            raise ValueError(label)
        return label

    async def _clean_up(self, label: str, config: LeafConfig) -> None:
        if config.cancelled == "fail":
            raise ValueError(f"clean-up of {label}")
        if config.cancelled == "shield":
            self.entered += 1
            with trio.CancelScope(shield=True):
                await trio.sleep(config.shield)  # virtual
            self.left += 1
