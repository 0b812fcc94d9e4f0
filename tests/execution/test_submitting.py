"""Owns the tests of ``submit``: a run is checked and queued, and nothing of it runs."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.journal.values import decode_value

TEXT = """<workflow name="w"><param name="n" type="number" required="true"/>
  <secret name="TOKEN"/><source:act id="a"/></workflow>"""


def _flow(text: str = TEXT) -> fs.Flow:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:act")
    async def act(params: fs.ExecutionParams) -> Any:
        pytest.fail("a node has run")

    return fs.loads(text, registry=registry)


async def test_a_submitted_run_is_queued_and_nothing_of_it_runs() -> None:
    store = fs.Store.memory()
    run_id = await fs.submit(_flow(), store=store, config={"n": 1})
    (state,) = await store.runs()
    assert (state.run_id, state.state, state.workflow, state.rows) == (run_id, "queued", "w", 0)
    assert [each.run_id for each in await store.ready()] == [run_id]


async def test_the_same_again_under_one_id_changes_nothing_and_other_things_are_refused() -> None:
    store = fs.Store.memory()
    for _ in range(2):
        assert await fs.submit(_flow(), store=store, run_id="r", config={"n": 1}) == "r"
    others: list[dict[str, Any]] = [
        {"config": {"n": 2}},
        {"config": {"n": 1}, "input": 1},
        {"config": {"n": 1}, "seed": 1},
        {"config": {"n": 1}, "env": {"A": "b"}},
        {"config": {"n": 1}, "max_concurrency": 2},
        {"config": {"n": 1}, "secrets": {"OTHER": "x"}},
    ]
    for given in others:
        with pytest.raises(fs.InputError, match="with another document, input or config"):
            await fs.submit(_flow(), store=store, run_id="r", **given)
    assert len(await store.runs()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "'n' is missing"),
        ({"config": {"n": "x"}}, "'n' is 'x'; expected"),
        ({"config": {"n": 1}, "input": {"rows": [object()]}}, r"rows\[0\]"),
        ({"config": {"n": 1}, "max_concurrency": 0}, "max_concurrency is 0"),
        ({"config": {"n": 1}, "run_id": ""}, "run_id"),
        ({"config": {"n": 1}, "budget": 7}, "budget"),
        ({"config": {"n": 1}, "secrets": {"A": 1}}, "secrets must be texts"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_queued(
    given: dict[str, Any], said: str
) -> None:
    store = fs.Store.memory()
    with pytest.raises(fs.InputError, match=said):
        await fs.submit(_flow(), store=store, **given)
    assert await store.runs() == []


@pytest.mark.parametrize("setting", ["timeout", "max-concurrency"])
async def test_what_the_document_makes_of_its_configuration_is_checked_too(setting: str) -> None:
    text = TEXT.replace('name="w"', f'name="w" {setting}="{{{{$config.n}}}}"')
    with pytest.raises(fs.FlowScriptError, match="-3"):
        await fs.submit(_flow(text), store=fs.Store.memory(), config={"n": -3})


async def test_an_error_about_what_is_given_shows_no_secret() -> None:
    secrets = {"TOKEN": "s3cr3t-text"}
    with pytest.raises(fs.InputError, match="'n' is") as caught:
        await fs.submit(
            _flow(), store=fs.Store.memory(), config={"n": "s3cr3t-text"}, secrets=secrets
        )
    assert "s3cr3t" not in str(caught.value)


async def test_a_store_that_is_none_is_refused() -> None:
    with pytest.raises(fs.InputError, match="expected a Store"):
        await fs.submit(_flow(), store=None, config={"n": 1})  # type: ignore[arg-type]


async def test_of_secrets_the_names_are_kept_also_of_those_that_only_a_worker_has() -> None:
    store = fs.Store.memory()
    secrets = {"A": "hidden-value", "B": None}
    await fs.submit(
        _flow(), store=store, run_id="r", config={"n": 1}, secrets=secrets, input=["hidden-value"]
    )
    journal = await store.open("r")
    _, names, given = decode_value(journal.document)
    await journal.aclose()
    assert names == ["A", "B", "TOKEN"]
    assert b"hidden-value" not in journal.document + given


async def test_a_submitted_run_may_be_begun_by_whoever_gives_the_same() -> None:
    flow = fs.loads(
        '<workflow name="w"><transform:template id="t" input="$input" template="{{$input}}"/></workflow>'
    )
    store = fs.Store.memory()
    await fs.submit(flow, store=store, run_id="r", input=1, seed=7)
    with pytest.raises(fs.InputError, match="with another"):
        await fs.run(flow, store=store, run_id="r", input=1)
    run = await fs.run(flow, store=store, run_id="r", input=1, seed=7)
    assert run.output == 1
    assert [each.state for each in await store.runs()] == ["completed"]


async def test_items_in_the_input_are_refused_since_no_worker_could_read_them() -> None:
    store = fs.Store.memory()
    items = fs.Items(lambda start: range(start, 3))
    with pytest.raises(fs.InputError, match=r"no worker could read input\.rows"):
        await fs.submit(_flow(), store=store, config={"n": 1}, input={"rows": items})
    assert await store.runs() == []
