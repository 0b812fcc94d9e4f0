"""Owns the tests of what a run with a store cannot have yet: it is refused before anything is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs

LEAF = '<source:a id="x" {}/>'
EACH = '<foreach id="e" collection="$input"{}><source:a id="x"/></foreach>'
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


@pytest.mark.parametrize("pace", ["stagger", "throttle", "debounce"])
async def test_the_pace_of_a_block_is_refused(pace: str) -> None:
    await _refused(_read(EACH.format(f' {pace}="1s"')), f"a block with {pace}")


async def test_a_stream_is_refused() -> None:
    body = '<source:file id="x" path="rows.csv" stream="true"/>' + (
        '<foreach id="e" collection="x"><source:a id="y"/></foreach>'
    )
    await _refused(_read(body), "'x' at .* a stream has no position")


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (EACH.format(' throttle="1s"'), "a block with throttle"),
    ],
)
@pytest.mark.parametrize("element", ["include", "call"])
async def test_documents_that_are_run_are_looked_at_too(
    element: str, inner: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "part.xml").write_text(f'<workflow name="part">{inner}</workflow>')
    main = tmp_path / "main.xml"
    main.write_text(f'<workflow name="w"><{element} id="i" workflow="part.xml"/></workflow>')
    await _refused(fs.load(main, registry=_registry()), said)


async def test_what_has_no_such_thing_in_use_is_durable() -> None:
    flow = _read(LIMIT + LEAF.format('place="here"'))
    run = await fs.run(flow, store=fs.Store.memory(), run_id="r", places={})
    assert run.status == "completed"
