"""Owns the tests of a limit of a durable run that is a circuit breaker alone: the store counts nothing for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs


async def test_a_breaker_alone_is_that_of_the_process_and_holds_over_its_runs(
    tmp_path: Path,
) -> None:
    asked = 0
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:down")
    async def down(params: fs.ExecutionParams) -> Any:
        nonlocal asked
        asked += 1
        raise ConnectionRefusedError

    flow = fs.loads(
        '<workflow name="w"><limit name="api" breaker="1 in 1m, 30s"/>'
        '<source:down id="a" limit="api"/></workflow>',
        registry=registry,
    )
    store = fs.Store(tmp_path / "runs.db")
    with pytest.raises(ConnectionRefusedError):
        await fs.run(flow, store=store, run_id="first")
    with pytest.raises(fs.CircuitOpen):
        await fs.run(flow, store=store, run_id="second")
    assert asked == 1
