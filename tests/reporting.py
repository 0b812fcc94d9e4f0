"""Owns the report of a run in virtual time, for tests."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from flowscript_trio.cli.drawing import drawing_of
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.report import render_report

from stubs import Stubs


def page_of(body: str, path: Path, **options: Any) -> Path:
    """The report of a run, with the drawing of its workflow, as a file."""
    entries: list[Entry] = []
    stubs = Stubs()
    flow = stubs.load(body)

    async def main() -> None:
        with contextlib.suppress(ValueError):
            await stubs.run(body, observers=[Chronicle(entries.append, "w.xml")], **options)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    path.write_text(render_report(entries, drawing_of(flow)), encoding="utf-8")
    return path
