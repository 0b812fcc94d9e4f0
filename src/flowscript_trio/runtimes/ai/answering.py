"""Owns answers that fit a schema: asked for, judged, and asked for again with what was wrong."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from ...expression.encoding import decode_json
from ...types.errors import EvaluationError
from .chat import Chat
from .errors import AIError
from .schema import OutputSchema
from .steps import run_in_steps

LARGE = 64 * 1024
"""Characters of an answer from which on it is judged in a thread."""


def response_format(schema: OutputSchema, name: str) -> dict[str, Any]:
    """The part of a request that asks for structured output; ``name`` is of ASCII letters, digits, - and _."""
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": schema.strict, "schema": schema.sent},
    }


async def ask_for(
    chat: Chat, messages: list[dict[str, str]], schema: OutputSchema, repairs: int
) -> Any:
    """The value of an answer that fits the schema.

    One that does not is sent back with what is wrong with it, up to ``repairs`` times; then AIError is
    raised, with what was wrong with the last. Cancellation closes the connection at once.
    """
    for further in range(repairs, -1, -1):
        text = await chat.ask(messages)
        work = partial(judge, text, schema)
        value, problems = await run_in_steps(work, begin_here=len(text) <= LARGE)
        if not problems:
            return value
        if not further:
            break
        messages = [
            *messages,
            {"role": "assistant", "content": text},
            {"role": "user", "content": _complaint(problems, schema)},
        ]
    times = "" if repairs == 0 else f" after {repairs} repair" + ("s" if repairs > 1 else "")
    raise AIError(
        f"the answer does not fit the output-schema{times}: {chat.shown('; '.join(problems))}; "
        f"it is {chat.shown(text)!r}",
        "invalid",
    )


def judge(text: str, schema: OutputSchema) -> tuple[Any, list[str]]:
    """The value of an answer, and what is wrong with it."""
    try:
        value = schema.unwrap(decode_json(_without_fence(text)))
    except EvaluationError as exc:
        return None, [str(exc)]
    return value, schema.problems(value)


def _complaint(problems: list[str], schema: OutputSchema) -> str:
    lines = "\n".join(f"- {problem}" for problem in problems)
    wanted = json.dumps(schema.sent, ensure_ascii=False)
    return (
        f"That answer does not fit:\n{lines}\n\n"
        f"Answer again, with JSON alone, that fits this JSON Schema:\n{wanted}"
    )


def _without_fence(text: str) -> str:
    """The text without white space, a byte order mark and a Markdown code fence around it."""
    text = text.strip().removeprefix("\ufeff")
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text.partition("\n")[2][:-3].strip()
    return text
