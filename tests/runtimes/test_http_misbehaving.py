"""Owns tests of sources, sinks and AI against a server that misbehaves in many ways."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from misbehaving import GOOD, MISBEHAVIOURS, Misbehaviour, misbehaving
from misbehaving_more import EMPTY, MORE

ALL = [*MISBEHAVIOURS, *MORE]

ELEMENTS = {
    "source": '<source:http id="x" url="{url}"{format}>{retry}</source:http>',
    "sink": '<sink:http id="x" url="{url}" body="b"{format}>{retry}</sink:http>',
    "ai": '<ai id="x" model="m" user="u" base-url="{url}" api-key="k">{retry}</ai>',
}
RETRY = '<on-error><retry max="2" base="0s" retry-after="ignore"/></on-error>'
OPTIONS = fs.HttpOptions(max_bytes=1_000_000)


async def run_one(element: str, url: str) -> Any:
    is_ai = element == "ai"
    text = ELEMENTS[element].format(url=url, retry=RETRY, format="" if is_ai else ' format="json"')
    flow = fs.loads(f'<workflow name="w">{text}</workflow>')
    with trio.fail_after(20):
        return (await fs.run(flow, http=OPTIONS)).output


def empty(what: Misbehaviour) -> bool:
    return what.name in EMPTY


@pytest.mark.parametrize("what", ALL, ids=lambda what: what.name)
@pytest.mark.parametrize("element", ELEMENTS)
async def test_what_becomes_of_a_misbehaviour(element: str, what: Misbehaviour) -> None:
    async with misbehaving(what) as (url, heads):
        if element == "ai" and empty(what):
            with pytest.raises(fs.AIError, match="is not a chat completion"):
                await run_one(element, url)
            return
        if what.error is None:
            output = await run_one(element, url)
            if element == "ai":
                assert output == "hi"
            else:
                body = output if element == "source" else output["body"]
                assert body == (None if empty(what) else json.loads(GOOD))
            assert len(heads) == 1
            return
        with pytest.raises(Exception, match=what.says) as caught:
            await run_one(element, url)
        error = caught.value
        assert type(error).__name__ == what.error
        assert re.search(r"(GET|POST|answer of) .*http://127\.0\.0\.1:\d+", str(error)), str(error)
        # A POST whose connection was lost may have been acted on; a status and a body say more.
        lost = what.error in ("RemoteProtocolError", "ReadError")
        again = what.passes and (element == "source" or not lost)
        assert getattr(error, "retryable", False) is again
        if what.error != "TooManyRedirects":
            assert len(heads) == (3 if again else 1)


def test_there_are_many_misbehaviours_each_of_its_own() -> None:
    assert len({what.name for what in ALL}) == len(ALL) >= 150
