"""Owns the tests of what HTTP nodes of durable runs say of requests that are one and the same."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.types.storing import StoreFailed

from loopback import Answer, Loopback, Seen, loopback


def keys(server: Loopback) -> list[str | None]:
    return [seen.headers.get("idempotency-key") for seen in server.seen]


async def run(body: str, server: Loopback, store: fs.Store | None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=options.pop("registry", None))
    run_id = None if store is None else "r"
    return await fs.run(flow, store=store, run_id=run_id, config={"b": server.base}, **options)


@pytest.mark.parametrize(
    ("element", "has_key"),
    [
        ('<sink:http id="a" url="{{$config.b}}/x"/>', True),
        ('<sink:http id="a" url="{{$config.b}}/x" method="patch"/>', True),
        ('<source:http id="a" url="{{$config.b}}/x" method="POST" body="x"/>', True),
        ('<sink:http id="a" url="{{$config.b}}/x" method="PUT"/>', False),
        ('<sink:http id="a" url="{{$config.b}}/x" method="DELETE"/>', False),
        ('<source:http id="a" url="{{$config.b}}/x"/>', False),
        ('<sink:http id="a" url="{{$config.b}}/x" idempotent="false"/>', False),
    ],
)
async def test_methods_that_are_not_idempotent_bear_a_key_in_durable_runs_only(
    element: str, has_key: bool
) -> None:
    async with loopback() as server:
        server.page("/x", {})
        await run(element, server, fs.Store.memory(), input={})
        await run(element, server, None, input={})
        first, second = keys(server)
    assert (first is not None) is has_key
    assert second is None


async def test_a_key_of_the_settings_stands() -> None:
    async with loopback() as server:
        server.page("/x", {})
        element = """<sink:http id="a" url="{{$config.b}}/x">
          <headers><idempotency-key>mine</idempotency-key></headers></sink:http>"""
        await run(element, server, fs.Store.memory(), input={})
        assert keys(server) == ["mine"]


async def test_a_request_that_is_sent_again_after_a_crash_or_by_retry_has_the_same_key() -> None:
    store = fs.Store.memory()
    element = """<sink:http id="a" url="{{$config.b}}/x">
      <on-error><retry max="1" base="0s"/></on-error></sink:http>"""
    async with loopback() as server:
        crashes = [True]

        async def answer(seen: Seen) -> Answer:
            if len(server.seen) == 1:
                return Answer(status=503)
            if crashes.pop():
                store.crash()
            return Answer(body={})

        server.pages["/x"] = answer
        with pytest.raises(StoreFailed):
            await run(element, server, store, input={})
        crashes.append(False)
        await run(element, server, store, input={})
        found = keys(server)
    assert len(found) == 3
    assert len(set(found)) == 1
    assert found[0]


async def test_each_iteration_has_a_key_of_its_own() -> None:
    element = """<foreach id="f" collection="[1,2,3]"><sink:http id="a" url="{{$config.b}}/x"/></foreach>"""
    async with loopback() as server:
        server.page("/x", {})
        await run(element, server, fs.Store.memory(), input={})
        assert len(set(keys(server))) == 3


async def test_each_page_has_a_key_of_its_own_and_again_the_same() -> None:
    element = """<source:http id="a" url="{{$config.b}}/x" method="POST" body="q" next="page"/>"""
    async with loopback() as server:

        async def page(seen: Seen) -> Answer:
            number = int(seen.target.partition("page=")[2] or 1)
            return Answer(body=[number] if number < 3 else [])

        server.pages["/x"] = page
        store = fs.Store.memory()
        done = await run(element, server, store, input={})
        assert done.output == [1, 2]
        first = keys(server)
        assert len(set(first)) == 3
        again = fs.Store.memory()
        server.seen.clear()
        await run(element, server, again, input={})
        assert keys(server) == first  # the same run, by its id


async def test_each_question_to_a_model_has_a_key_of_its_own() -> None:
    element = """<ai id="a" model="m" base-url="{{$config.b}}/v1" api-key="k" user="hi"
      output-schema="{n: number}"/>"""
    async with loopback() as server:
        texts = ["no json", '{"n": 1}']

        async def chat(seen: Seen) -> Answer:
            return Answer(
                body={"choices": [{"message": {"content": texts.pop(0)}, "finish_reason": "stop"}]}
            )

        server.pages["/v1/chat/completions"] = chat
        done = await run(element, server, fs.Store.memory())
        assert done.output == {"n": 1}
        assert len(set(keys(server))) == 2
        assert None not in keys(server)
