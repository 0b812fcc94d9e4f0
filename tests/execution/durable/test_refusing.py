"""Owns the tests of what a run with a store cannot have yet: it is refused before anything is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs

LEAF = '<source:a id="x" {}/>'
LIMIT = '<limit name="api" max="1"/>'


def _registry() -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:a")
    async def a(params: fs.ExecutionParams) -> Any:
        return 1

    return registry


async def _refused(flow: fs.Flow, said: str) -> None:
    store = fs.Store.memory()
    with pytest.raises(fs.InputError, match=said):
        await fs.run(flow, store=store, run_id="r", input=[1])
    with pytest.raises(fs.InputError, match=said):
        async with fs.open_run(flow, store=store, run_id="r", input=[1]):
            pytest.fail("the run was opened")
    assert not await store.runs()


def _read(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>', registry=_registry())


NOBODY = '<checkpoint id="c" prompt="?"/>'


@pytest.mark.parametrize("element", ["include", "call"])
async def test_documents_that_are_run_are_looked_at_too(element: str, tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(f'<workflow name="part">{NOBODY}</workflow>')
    main = tmp_path / "main.xml"
    main.write_text(f'<workflow name="w"><{element} id="i" workflow="part.xml"/></workflow>')
    await _refused(fs.load(main, registry=_registry()), "'c' at .* nobody could answer it")


async def test_what_was_refused_once_is_durable(tmp_path: Path) -> None:
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
