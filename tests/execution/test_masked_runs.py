"""Owns the tests that what belongs to no node shows no secret: the run's own errors, and why it was cancelled."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

SECRET = "do-not-tell-2471"
JUDGED = """---
name: w
secrets: [KEY]
output: {a: {type: number, required: true}}
---
<workflow><output><set field="a" value="{{default(input.a, $secrets.KEY)}}"/></output></workflow>
"""
WAITS = """<workflow name="w"><secret name="KEY"/><delay id="d" duration="1h"/></workflow>"""


def said_by(error: BaseException, seen: list[Any]) -> str:
    failure = fs.failure_of(error)
    assert failure is not None
    said = [*traceback.format_exception(error), repr(failure), *map(repr, seen)]
    return "\n".join([*said, *map(repr, failure.record)])


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("stored", [False, True])
async def test_an_output_that_is_not_as_declared_is_not_shown(stored: bool, tmp_path: Path) -> None:
    seen: list[Any] = []
    store = fs.Store(tmp_path / "runs.db") if stored else None
    flow = fs.loads(JUDGED, name="w.flow.md")
    with pytest.raises(fs.OutputError, match=r"a is '\*\*\*'; expected number") as caught:
        await fs.run(flow, secrets={"KEY": SECRET}, observers=[seen.append], store=store)
    assert SECRET not in said_by(caught.value, seen)
    assert SECRET.encode() not in bytes_of(tmp_path)


async def test_an_output_of_a_called_document_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "inner.flow.md").write_text(JUDGED)
    (tmp_path / "w.xml").write_text(
        '<workflow name="o"><secret name="KEY"/><call id="c" workflow="inner.flow.md"/></workflow>'
    )
    seen: list[Any] = []
    with pytest.raises(fs.OutputError, match=r"\*\*\*") as caught:
        await fs.run(fs.load(tmp_path / "w.xml"), secrets={"KEY": SECRET}, observers=[seen.append])
    assert SECRET not in said_by(caught.value, seen)


async def test_the_reason_of_who_cancels_the_run_is_masked(autojump_clock: Any) -> None:
    seen: list[Any] = []
    flow = fs.loads(WAITS)
    async with fs.open_run(flow, secrets={"KEY": SECRET}, observers=[seen.append]) as run:
        await trio.sleep(1)
        run.cancel(f"{SECRET} has expired")
    said = "\n".join([*map(repr, seen), repr(run.record), *map(repr, run.record)])
    assert "*** has expired" in said
    assert SECRET not in said
