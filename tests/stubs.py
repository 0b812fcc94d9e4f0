"""Owns stub runtimes for workflows in tests: nodes that take virtual time, fail, hang, or misbehave."""

from __future__ import annotations

from typing import Any

import trio
from pydantic import BaseModel, ConfigDict

import flowscript_trio as fs


class StubConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    takes: fs.Duration = 0.0
    gives: Any = None
    fails: str | None = None
    hangs: bool = False
    cleanup: str | None = None
    swallows: bool = False


class Stubs:
    """A registry with ``source:stub`` (and ``transform:stub``, ``sink:stub``) and what they did, in order.

    ``takes`` is a duration; ``gives`` the output; ``fails`` the message of a ValueError; ``hangs`` never
    ends by itself; ``cleanup`` is what it does when it is cancelled: ``fail`` raises, ``slow`` takes a
    shielded second, ``mask`` raises and reaches a checkpoint; ``swallows`` ends normally after all that.
    """

    def __init__(self) -> None:
        self.registry = fs.Registry(base=fs.registry)
        self.events: list[str] = []
        self.errors: dict[str, BaseException] = {}
        for kind in ("source", "transform", "sink"):
            self.registry.runtime(f"{kind}:stub", config=StubConfig)(self.execute)

    async def execute(self, params: fs.ExecutionParams) -> Any:
        config: StubConfig = params.config
        label = params.node.label
        self.events.append(f"start {label}")
        try:
            if config.hangs:
                await trio.sleep_forever()
            await trio.sleep(config.takes)  # virtual
        except trio.Cancelled:
            self.events.append(f"cancelled {label}")
            await self.clean_up(label, config.cleanup)
            if not config.swallows:
                raise
        if config.fails is not None:
            self.events.append(f"fail {label}")
            self.errors[label] = ValueError(config.fails)
            raise self.errors[label]
        self.events.append(f"end {label}")
        return config.gives

    async def clean_up(self, label: str, how: str | None) -> None:
        if how == "fail":
            raise ValueError(f"clean-up of {label}")
        if how == "slow":
            with trio.CancelScope(shield=True):
                await trio.sleep(1)  # virtual
            self.events.append(f"cleaned {label}")
        if how == "mask":
            try:
                raise ValueError(f"masked in {label}")
            finally:
                await trio.lowlevel.checkpoint()

    def load(self, body: str, **attributes: str) -> fs.Flow:
        """The flow of a workflow with that body."""
        written = "".join(f' {name}="{value}"' for name, value in attributes.items())
        text = f'<workflow name="test"{written}>\n{body}\n</workflow>'
        return fs.loads(text, name="test.xml", registry=self.registry)

    async def run(self, body: str, **options: Any) -> fs.Run:
        return await fs.run(self.load(body), **options)
