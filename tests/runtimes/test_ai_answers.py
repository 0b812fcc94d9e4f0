"""Owns tests of the answers that ``<ai>`` gets: right ones, repaired ones, and every kind that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

from completions import PATH, ask, said, secrets_of, sent
from loopback import Answer, loopback

SCHEMA = 'user="u" output-schema="{score: number, tags: string[], note: string?}"'
RIGHT = {"score": 0.5, "tags": ["a"], "note": None}


def body(value: Any) -> Answer:
    return Answer(body=value)


async def test_a_schema_is_sent_as_a_structured_output_request() -> None:
    async with loopback() as server:
        server.answer(PATH, said(RIGHT))
        assert await ask(server, SCHEMA) == RIGHT
        assert sent(server)["response_format"] == {
            "type": "json_schema",
            "json_schema": {
                "name": "a",
                "strict": True,
                "schema": {
                    "type": "object",
                    "properties": {
                        "score": {"type": "number"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "note": {"type": ["string", "null"]},
                    },
                    "required": ["score", "tags", "note"],
                    "additionalProperties": False,
                },
            },
        }


async def test_the_name_of_the_schema_is_one_that_services_accept() -> None:
    async with loopback() as server:
        server.answer(PATH, said(RIGHT))
        flow = fs.loads(
            f'<workflow name="w"><ai id="rate-{"x" * 80}" model="m" {SCHEMA}/></workflow>'
        )
        await fs.run(flow, secrets=secrets_of(server))
        assert sent(server)["response_format"]["json_schema"]["name"] == "rate-" + "x" * 59


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 1, "tags": []}',
        '  \n{"score": 1, "tags": []}\n',
        '```json\n{"score": 1, "tags": []}\n```',
        '```\n{"score": 1, "tags": []}```  ',
        '\ufeff{"score": 1, "tags": []}',
    ],
)
async def test_white_space_and_a_code_fence_around_the_json_are_no_mistake(text: str) -> None:
    async with loopback() as server:
        server.answer(PATH, said(text))
        assert await ask(server, SCHEMA) == {"score": 1, "tags": []}
        assert len(server.seen) == 1


async def test_a_wrong_answer_is_sent_back_with_what_is_wrong_with_it() -> None:
    async with loopback() as server:
        wrong = '{"score": "high", "tags": [1]}'
        server.answer(PATH, said("Sure! Here it is."), said(wrong), said(RIGHT))
        assert await ask(server, SCHEMA) == RIGHT
        roles = [message["role"] for message in sent(server)["messages"]]
        assert roles == ["user", "assistant", "user", "assistant", "user"]
        _, first, complaint, second, last = (m["content"] for m in sent(server)["messages"])
        assert (first, second) == ("Sure! Here it is.", wrong)
        assert "the text is not valid JSON" in complaint
        assert "$.score is 'high'; expected number" in last
        assert "$.tags[0] is 1; expected string" in last
        assert '"additionalProperties": false' in last


@pytest.mark.parametrize(
    ("repairs", "times"), [("0", ""), ("1", " after 1 repair"), ("3", " after 3 repairs")]
)
async def test_when_the_repairs_are_spent_the_error_says_what_was_wrong(
    repairs: str, times: str
) -> None:
    async with loopback() as server:
        server.answer(PATH, said("x" * 1000))
        with pytest.raises(
            fs.AIError, match=f"does not fit the output-schema{times}: the text is no"
        ) as caught:
            await ask(server, f'{SCHEMA} repairs="{repairs}"')
        assert caught.value.reason == "invalid"
        assert not caught.value.retryable
        assert len(server.seen) == 1 + int(repairs)
        assert "x" * 300 + "…" in str(caught.value)
        assert len(str(caught.value)) < 1000


async def test_two_repairs_are_the_default() -> None:
    async with loopback() as server:
        server.answer(PATH, said("no"))
        with pytest.raises(fs.AIError, match="after 2 repairs"):
            await ask(server, SCHEMA)
        assert len(server.seen) == 3


async def test_what_no_object_is_asked_for_as_the_field_of_one() -> None:
    async with loopback() as server:
        server.answer(PATH, said({"value": ["a"]}), said(["b"]))
        settings = 'user="u" output-schema="string[]"'
        assert await ask(server, settings) == ["a"]
        assert await ask(server, settings) == ["b"]
        schema = sent(server)["response_format"]["json_schema"]["schema"]
        assert schema["properties"] == {"value": {"type": "array", "items": {"type": "string"}}}


async def test_a_computed_schema_is_read_when_the_node_runs() -> None:
    async with loopback() as server:
        server.answer(PATH, said({"a": 1}))
        settings = 'user="u" output-schema="{{$config.schema}}"'
        for schema in ("{a: number}", {"a": "number"}, {"type": "object", "required": ["a"]}):
            assert await ask(server, settings, config={"schema": schema}) == {"a": 1}
        with pytest.raises(fs.SettingError, match=r"output-schema.*no type 'numbr'.*'number'"):
            await ask(server, settings, config={"schema": "{a: numbr}"})


@pytest.mark.parametrize("schema", ["", SCHEMA.partition(" ")[2]])
@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (
            body({"error": {"message": "no such model"}}),
            "service",
            "reports the error: no such model",
        ),
        (body({"error": "plain"}), "service", "reports the error: plain"),
        (body({"error": {"type": "x"}}), "service", "reports the error: {'type': 'x'}"),
        (body({"choices": []}), "empty", "has no choices"),
        (body({"choices": None}), "malformed", "is not a chat completion: {'choices': None}"),
        (body({"id": 1}), "malformed", "is not a chat completion: {'id': 1}"),
        (body([1]), "malformed", r"is not a chat completion: \[1\]"),
        (body(b""), "malformed", "is not a chat completion: None"),
        (body({"choices": ["x"]}), "malformed", "has no message: x"),
        (body({"choices": [{"text": "x"}]}), "malformed", "has no message"),
        (body({"choices": [{"error": {"message": "overloaded"}}]}), "service", "error: overloaded"),
        (said(None), "empty", r"has no content \(stop\)"),
        (said(""), "empty", r"has no content \(stop\)"),
        (said(" \n"), "empty", r"has no content \(stop\)"),
        (said("", reasoning="hm"), "empty", "only its reasoning"),
        (said(None, "tool_calls"), "empty", r"has no content \(tool_calls\)"),
        (said(None, refusal="I cannot"), "refused", "the model refused: I cannot"),
        (said("so", "content_filter"), "refused", "a content filter of .* stopped the answer"),
        (said('{"score": 1', "max_tokens"), "cut-off", "cut off at the limit of tokens"),
        (said('{"score": 1', "length"), "cut-off", "cut off at the limit of tokens .* it begins"),
        (
            said(None, "length"),
            "cut-off",
            r"cut off at the limit of tokens \(see max-tokens\)(\n|$)",
        ),
    ],
)
async def test_what_is_no_answer_is_an_error_that_says_why_and_is_not_asked_for_again(
    answer: Answer, reason: str, message: str, schema: str
) -> None:
    async with loopback() as server:
        server.answer(PATH, answer)
        with pytest.raises(fs.AIError, match=message) as caught:
            await ask(server, f'user="u" {schema}')
        assert caught.value.reason == reason
        assert not caught.value.retryable
        assert len(server.seen) == 1


async def test_a_body_that_is_no_json_is_an_error_that_shows_its_beginning() -> None:
    async with loopback() as server:
        server.page(PATH, b"<html>bad gateway", Content_Type="text/html")
        with pytest.raises(fs.FlowScriptError, match=r"is not JSON .* begins '<html>bad gateway'"):
            await ask(server)


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        (429, 429, True),
        ("502", 502, True),
        (400, 400, False),
        ("rate_limit", None, False),
        (True, None, False),
    ],
)
async def test_an_error_under_the_status_200_has_the_status_that_it_tells(
    code: Any, status: int | None, retryable: bool
) -> None:
    async with loopback() as server:
        server.answer(PATH, body({"error": {"message": "no", "code": code}}))
        with pytest.raises(fs.AIError) as caught:
            await ask(server)
        assert (caught.value.status, caught.value.retryable) == (status, retryable)


async def test_an_error_under_the_status_200_can_be_tried_again() -> None:
    async with loopback() as server:
        server.answer(PATH, body({"error": {"message": "slow down", "code": 429}}), said("hi"))
        flow = fs.loads(
            '<workflow name="w"><ai id="a" model="m" user="u">'
            '<on-error><retry base="0s"/></on-error></ai></workflow>'
        )
        assert (await fs.run(flow, secrets=secrets_of(server))).output == "hi"


async def test_an_answer_in_parts_is_joined() -> None:
    async with loopback() as server:
        parts = [{"type": "text", "text": "a"}, {"type": "other"}, {"type": "text", "text": "b"}]
        in_parts = body({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
        server.answer(PATH, in_parts)
        assert await ask(server) == "ab"


@pytest.mark.parametrize("text", ["half an", None])
async def test_an_answer_that_the_service_broke_off_is_an_error_that_may_be_tried_again(
    text: str | None,
) -> None:
    async with loopback() as server:
        server.answer(PATH, said(text, "error"))
        with pytest.raises(fs.AIError, match="broke off the answer with an error") as caught:
            await ask(server)
        assert (caught.value.reason, caught.value.retryable) == ("service", True)
        assert ("it begins" in str(caught.value)) == (text is not None)


async def test_an_answer_that_is_too_large_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from flowscript_trio.runtimes.ai import chat

    assert chat.LARGEST == 8 * 1024 * 1024
    monkeypatch.setattr(chat, "LARGEST", 1000)
    async with loopback() as server:
        server.answer(PATH, said("x" * 1000))
        with pytest.raises(fs.AIError, match="bytes; expected at most 1,000") as caught:
            await ask(server)
        assert caught.value.reason == "malformed"


async def test_a_handler_sees_why_and_stands_in() -> None:
    async with loopback() as server:
        server.answer(PATH, said(None, refusal="I cannot"))
        flow = fs.loads(
            '<workflow name="w"><ai id="a" model="m" user="u"><on-error><fallback node="f"/></on-error></ai>'
            '<transform:template id="f" template="{{$error.type}}: {{$error.message}}"/></workflow>'
        )
        assert (await fs.run(flow, secrets=secrets_of(server))).output == (
            "AIError: the model refused: I cannot"
        )
