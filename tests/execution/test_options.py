"""What is given to a run beside the workflow: one frozen object, with the signatures to match."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import opening
from flowscript_trio.execution.run import run_with
from flowscript_trio.testing import prove

from stubs import Stubs

TEXT = '<transform type="template" id="a" template="{{$input + 1}}"/>'


@pytest.mark.parametrize("way", [fs.run, fs.open_run])
def test_each_way_to_run_shows_every_option_with_its_type_and_default(way: Any) -> None:
    taken = inspect.signature(way).parameters
    shown = {
        name: (parameter.annotation, parameter.default)
        for name, parameter in taken.items()
        if name not in {"flow", "task_status"}
    }
    options = fs.RunOptions()
    assert shown == {f.name: (f.type, getattr(options, f.name)) for f in fields(options)}


def test_options_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        fs.RunOptions().seed = 1  # type: ignore[misc]


def test_options_do_not_show_secrets() -> None:
    assert "hunter2" not in repr(fs.RunOptions(secrets={"TOKEN": "hunter2"}))


def given() -> dict[str, Any]:
    """A value of its own for every option, none of them the default."""
    return {
        f.name: f.name.encode() if f.name != "observers" else [print] for f in fields(fs.RunOptions)
    }


@pytest.mark.parametrize("way", ["run", "open_run"])
def test_every_option_arrives_by_its_name(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from flowscript_trio.execution import run as module

    arrived: list[fs.RunOptions] = []

    @asynccontextmanager
    async def begun(store: Any, flow: Any, options: fs.RunOptions) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(opening, "begun", begun)

    def prepare(flow: Any, passes: Any, options: fs.RunOptions) -> Any:
        arrived.append(options)
        raise fs.InputError("enough")

    async def prepare_owned(flow: Any, passes: Any, options: fs.RunOptions, owned: Any) -> Any:
        return prepare(flow, passes, options)

    monkeypatch.setattr(module, "prepare", prepare)
    monkeypatch.setattr(module, "prepare_owned", prepare_owned)
    monkeypatch.setattr(module, "check_options", lambda *_: None)

    async def main() -> None:
        if way == "run":
            await fs.run(None, **given())  # type: ignore[arg-type]
        else:
            async with fs.open_run(None, **given()):  # type: ignore[arg-type]
                pass

    with pytest.raises(fs.InputError, match="enough"):
        trio.run(main)
    assert arrived == [fs.RunOptions(**given())]


async def test_a_run_takes_its_options_in_one_object() -> None:
    run = await run_with(Stubs().load(TEXT), fs.RunOptions(input=1))
    assert run.output == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"input": 1},
        fs.RunOptions(input=1),
        lambda: {"input": 1},
        lambda: fs.RunOptions(input=1),
    ],
    ids=["mapping", "object", "makes a mapping", "makes an object"],
)
def test_a_proof_takes_options_as_an_object_or_by_name_or_made_anew(options: Any) -> None:
    assert prove(Stubs().load(TEXT), options=options, pairs=0).holds


def test_a_proof_refuses_an_option_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="confg"):
        prove(Stubs().load(TEXT), options={"confg": {}}, pairs=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"store": "runs.db"}, "store is of type str; expected a Store"),
        ({"store": fs.Store.memory(), "run_id": 7}, "run_id is 7; expected text, or None"),
        ({"suspend_after": 1}, "suspend_after is given without a store"),
    ],
    ids=["store", "run_id", "suspend_after"],
)
async def test_options_that_name_no_store_and_no_run_are_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(fs.InputError, match=said):
        await fs.run(Stubs().load(TEXT), **given)
