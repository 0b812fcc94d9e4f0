"""Owns what tests say in the stead of a service of chat completions."""

from __future__ import annotations

import json
from typing import Any

import flowscript_trio as fs

from loopback import Answer, Loopback

KEY = "sk-do-not-tell"
PATH = "/v1/chat/completions"


def said(content: Any, finish: str = "stop", **message: Any) -> Answer:
    """A completion whose message has that content; what is no text is its JSON."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    return Answer(body={"object": "chat.completion", "choices": [choice]})


def secrets_of(server: Loopback, **further: str) -> dict[str, str]:
    """The secrets with which ``<ai>`` finds the server."""
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.base}/v1", **further}


async def ask(server: Loopback, settings: str = 'user="hello"', **options: Any) -> Any:
    """The output of one ``<ai>`` with these settings."""
    flow = fs.loads(
        f'<workflow name="w"><ai id="a" model="m" {settings}/></workflow>', name="w.xml"
    )
    options.setdefault("secrets", secrets_of(server))
    return (await fs.run(flow, **options)).output


def sent(server: Loopback, index: int = -1) -> dict[str, Any]:
    """The body of a request that the server saw."""
    found: dict[str, Any] = json.loads(server.seen[index].body)
    return found
