"""Owns the test of the example with a language model, against a stand-in for a service."""

from __future__ import annotations

import json

import flowscript_trio as fs

from completions import PATH, said, secrets_of
from exampling import EXAMPLES
from loopback import Answer, Seen, loopback

FLOW = fs.load(EXAMPLES / "llm" / "triage.xml")


async def test_a_complaint_is_sorted_summed_up_and_answered() -> None:
    asked = []

    async def respond(seen: Seen) -> Answer:
        [*system, user] = json.loads(seen.body)["messages"]
        asked.append(user["content"])
        if system and "sort" in system[0]["content"]:
            return said({"urgency": "high", "about": "roofs"})
        return said("A roof leaks." if user["content"].startswith("In one") else "We are coming.")

    async with loopback() as server:
        server.pages[PATH] = respond
        run = await fs.run(FLOW, input={"text": "The roof leaks!"}, secrets=secrets_of(server))
    assert run.output == {
        "urgency": "high",
        "summary": "A roof leaks.",
        "draft": "We are coming.",
    }
    assert sorted(asked[:2]) == ["In one sentence: The roof leaks!", "The roof leaks!"]
    assert asked[2:] == ["A roof leaks."]
