"""Owns tests of what ``<ai>`` sends, its failures and its cancellation; against a real server on loopback."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
import trio

import flowscript_trio as fs

from completions import PATH, ask, said, secrets_of, sent
from loopback import Answer, Seen, loopback


@pytest.mark.parametrize(
    "element", ['<ai id="a"', '<transform type="ai" id="a"', '<transform:ai id="a"']
)
async def test_every_spelling_of_the_element_asks(element: str) -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        flow = fs.loads(f'<workflow name="w">{element} model="m" user="hello"/></workflow>')
        assert (await fs.run(flow, secrets=secrets_of(server))).output == "hi"
        assert sent(server) == {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
        assert server.seen[0].method == "POST"
        assert server.seen[0].headers["content-type"] == "application/json"


async def test_all_settings_are_sent() -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        await ask(
            server,
            'system="be brief" prompt="hello {{input}}" temperature="0.5" maxTokens="9"',
            input=1,
        )
        assert sent(server) == {
            "model": "m",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hello 1"},
            ],
            "temperature": 0.5,
            "max_tokens": 9,
        }


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ("plain text", "plain text"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ([1, "x"], '[1,"x"]'),
        (3.0, "3"),
        (True, "true"),
    ],
)
async def test_without_user_the_input_is_the_message_and_so_is_a_computed_one(
    given: Any, content: str
) -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        await ask(server, "", input=given)
        await ask(server, 'user="{{$input}}"', input=given)
        for index in (0, 1):
            assert sent(server, index)["messages"] == [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    ("settings", "given"),
    [("", None), ('user="{{$input.gone}}"', None), ('user="{{$input.gone}}"', {})],
)
async def test_nothing_to_say_is_an_error_and_nothing_is_sent(settings: str, given: Any) -> None:
    async with loopback() as server:
        with pytest.raises(fs.SettingError, match=r"a: .*expected text, or any value as JSON"):
            await ask(server, settings, input=given)
        assert server.seen == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('temperature="hot"', "expected: a number"),
        ('temperature="3"', "at most 2"),
        ('max-tokens="0"', "at least 1"),
        ('repairs="11"', "at most 10"),
        ('user="a" prompt="b"', "are the same setting"),
        ('modell="x"', "did you mean 'model'"),
    ],
)
def test_a_wrong_setting_is_found_when_the_document_is_read(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w"><ai id="a" model="m" {settings}/></workflow>')
    assert message in str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_model_is_needed() -> None:
    with pytest.raises(fs.WorkflowInvalid, match="needs the setting 'model'"):
        fs.loads('<workflow name="w"><ai id="a" user="u"/></workflow>')


async def test_too_many_requests_are_tried_again_where_a_retry_says_so() -> None:
    async with loopback() as server:
        server.answer(
            PATH, Answer(429, {"error": {"message": "slow down"}}), Answer(503), said("hi")
        )
        flow = fs.loads(
            '<workflow name="w"><ai id="a" model="m" user="u"><on-error>'
            '<retry max="3" when="error.status in [429, 503]" base="0s"/></on-error></ai></workflow>'
        )
        run = await fs.run(flow, secrets=secrets_of(server))
        assert run.output == "hi"
        assert run.results["a"].attempts == 3


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (429, True), (500, True)]
)
async def test_a_failing_status_is_the_error_of_http(status: int, retryable: bool) -> None:
    async with loopback() as server:
        server.answer(PATH, Answer(status, {"error": {"message": "because"}}))
        with pytest.raises(fs.HTTPStatusError, match="because") as caught:
            await ask(server)
        assert (caught.value.status, caught.value.retryable) == (status, retryable)


@pytest.mark.parametrize("stalls", [False, True])
async def test_cancelling_the_run_closes_the_connection(stalls: bool) -> None:
    """Whether the service has not answered yet, or is in the middle of its answer."""
    async with loopback() as server:
        if stalls:
            server.answer(PATH, Answer(body=b'{"choices": [', stalls=True))
        else:
            server.hang(PATH)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, server)
            await server.until(lambda: len(server.seen) == 1)
            nursery.cancel_scope.cancel()
        await server.until(lambda: server.left == [PATH])


async def test_a_failing_sibling_closes_the_connection_of_one_that_waits() -> None:
    async with loopback() as server:
        server.hang(PATH)

        async def fail(seen: Seen) -> Answer:
            await server.until(lambda: server.now == 2)
            return Answer(500, "broken")

        server.pages["/x"] = fail
        flow = fs.loads(
            '<workflow name="w"><parallel id="p"><branch><ai id="a" model="m" user="u"/></branch>'
            f'<branch><source:http id="s" url="{server.base}/x"/></branch></parallel></workflow>'
        )
        with pytest.raises(httpx.HTTPStatusError):
            await fs.run(flow, secrets=secrets_of(server))
        await server.until(lambda: server.left == [PATH])


async def test_the_timeout_of_the_node_bounds_the_answer() -> None:
    async with loopback() as server:
        server.hang(PATH)
        with pytest.raises(trio.TooSlowError):
            await ask(server, 'user="u" timeout="50ms"')
        assert fs.registry.get_runtime("transform:ai").timeout == 120


async def test_one_client_serves_many_questions() -> None:
    async with loopback() as server:
        server.answer(PATH, said("hi"))
        flow = fs.loads(
            '<workflow name="w"><foreach id="each" collection="range(5)">'
            '<ai id="a" model="m" user="{{item}}"/></foreach></workflow>'
        )
        assert (await fs.run(flow, secrets=secrets_of(server))).output == ["hi"] * 5
        assert server.connections == 1


def test_jsonschema_is_not_imported_before_it_is_used() -> None:
    code = (
        "import sys, flowscript_trio as fs;"
        'fs.loads(\'<workflow name="w"><ai id="a" model="m" output-schema="{a: number}"/></workflow>\');'
        "sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
