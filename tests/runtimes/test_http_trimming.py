"""Owns the tests of line breaks at the ends of secrets: they reach no header, and a warning says so."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import flowscript_trio as fs

from loopback import loopback

TOKEN = "tok-SECRET-12345678"


async def sent(inside: str, secret: str) -> tuple[dict[str, str], list[str]]:
    """The headers that a request has, and the warnings of its run."""
    flow = fs.loads(
        f"""<workflow name="w"><param name="base"/><secret name="TOKEN"/>
          <source:http id="x" url="{{{{base}}}}/x">{inside}</source:http></workflow>"""
    )
    async with loopback() as server:
        server.page("/x", 1)
        run = await fs.run(flow, config={"base": server.base}, secrets={"TOKEN": secret})
        headers: Any = server.seen[0].headers
    return {k.lower(): v for k, v in dict(headers).items()}, [
        w.message for w in run.record.warnings
    ]


@pytest.mark.filterwarnings("ignore::flowscript_trio.FlowScriptWarning")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
async def test_a_secret_file_that_ends_in_a_line_break_is_usable_in_a_header(end: str) -> None:
    inside = "<headers>{Authorization: 'Bearer {{$secrets.TOKEN}}'}</headers>"
    headers, warned = await sent(inside, TOKEN + end)
    assert headers["authorization"] == f"Bearer {TOKEN}"
    (message,) = warned
    assert message.startswith("the header 'Authorization' has a line break at its end")


@pytest.mark.filterwarnings("ignore::flowscript_trio.FlowScriptWarning")
async def test_so_is_one_in_auth() -> None:
    headers, warned = await sent(
        "<auth>{type: bearer, token: '{{$secrets.TOKEN}}'}</auth>", TOKEN + "\n"
    )
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert warned[0].startswith("the token of auth has a line break")
    headers, _ = await sent(
        "<auth>{type: basic, username: me, password: '{{$secrets.TOKEN}}'}</auth>", TOKEN + "\n"
    )
    assert base64.b64decode(headers["authorization"].split()[1]).decode() == f"me:{TOKEN}"


async def test_without_one_nothing_is_said() -> None:
    headers, warned = await sent(
        "<headers>{X-Key: '{{$secrets.TOKEN}}', X-Number: 3}</headers>", TOKEN
    )
    assert headers["x-key"] == TOKEN
    assert warned == []


async def test_a_line_break_inside_a_header_is_refused_without_showing_the_value() -> None:
    flow = fs.loads(
        """<workflow name="w"><secret name="TOKEN"/><source:http id="x" url="http://127.0.0.1:9">
          <headers>{X-Key: '{{$secrets.TOKEN}}'}</headers></source:http></workflow>"""
    )
    with pytest.raises(fs.SettingError, match=r"'X-Key' has the character '\\n'") as caught:
        await fs.run(flow, secrets={"TOKEN": "tok-SECRET\n12345678"})
    assert "SECRET" not in str(caught.value)
