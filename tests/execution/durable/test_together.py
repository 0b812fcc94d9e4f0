"""Owns the test of a durable run that has a budget, a limit, a place, a stream and a pace at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flowscript_trio as fs

LEAF = '<source:a id="x" {}/>'
LIMIT = '<limit name="api" max="1"/>'


def _registry() -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:a")
    async def a(params: fs.ExecutionParams) -> Any:
        return 1

    return registry


def _read(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>', registry=_registry())


async def test_they_go_together(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("1\n2\n")
    flow = _read(
        LIMIT
        + LEAF.format('place="thread" limit="api"')
        + f'<source:file id="rows" path="{rows}" stream="true"/>'
        + '<foreach id="e" collection="rows" throttle="1ms"><source:a id="y"/></foreach>'
    )
    budget = fs.Budget(nodes=5)
    run = await fs.run(flow, store=fs.Store.memory(), run_id="r", budget=budget)
    assert run.output == [1, 1]
