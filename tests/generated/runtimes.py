"""Owns the runtime of generated leaves: it takes virtual time, fails, hangs, and misbehaves as it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import trio
from pydantic import BaseModel, ConfigDict
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeStarted


class LeafConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    takes: int
    end: Literal[
        "ok",
        "fail",
        "group",
        "hang",
        "flaky",
        "stubborn",
        "block",
        "frozen",
        "slotted",
        "noted",
        "shared",
    ]
    cancelled: Literal["pass", "swallow", "shield", "fail"]
    fails: int = 0
    shield: int = 0


@dataclass(frozen=True)
class FrozenError(Exception):
    """An error on which nothing can be set."""

    message: str

    def __str__(self) -> str:
        return self.message


class SlottedError(Exception):
    """An error that takes no notes."""

    __slots__ = ()

    def add_note(self, note: str) -> None:
        raise AttributeError("it takes no notes")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("nothing can be set on it")


class NotedError(Exception):
    """An error whose notes are no list."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.__notes__ = "no list"  # type: ignore[assignment]


RESISTING: dict[str, Callable[[str], Exception]] = {
    "frozen": FrozenError,
    "slotted": SlottedError,
    "noted": NotedError,
}


class Leaves:
    """A registry with ``source:generated``; ``entered`` and ``left`` count its shielded clean-ups."""

    def __init__(self) -> None:
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:generated", config=LeafConfig)(self._execute)
        self.reset()

    def reset(self) -> None:
        """Forget what was: the next run begins."""
        self.entered = self.left = 0
        self.clock = MockClock(autojump_threshold=0)
        self._shared = ValueError("shared")
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
        if config.end == "block":
            self.clock.jump(config.takes)
            await trio.lowlevel.cancel_shielded_checkpoint()  # trio looks at its deadlines
            return label
        if config.end == "stubborn":
            with trio.CancelScope(shield=True):
                await trio.sleep(config.takes)  # virtual
            return label
        try:
            if config.end == "hang":
                await trio.sleep_forever()
            await trio.sleep(config.takes)  # virtual
        except trio.Cancelled:
            await self._clean_up(label, config)
            if config.cancelled != "swallow":
                raise
            return label
        if config.end in RESISTING:
            raise RESISTING[config.end](label)
        if config.end == "shared":
            raise self._shared
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
