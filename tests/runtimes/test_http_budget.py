from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

from loopback import Answer, Loopback, loopback


def workflow(body: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{body}</workflow>')


async def sent(server: Loopback, body: str, requests: int) -> tuple[int, str | None]:
    """How many requests arrived, and the path where the budget was exceeded."""
    server.seen.clear()
    flow = workflow(body.replace("BASE", server.base))
    try:
        await fs.run(flow, budget=fs.Budget(requests=requests))
    except fs.BudgetExceeded as error:
        return len(server.seen), error.path if error.bound == "requests" else error.bound
    return len(server.seen), None


THREE = {
    "nodes": "".join(
        f'<source:http id="h{n}" url="BASE/ok" after="{f"h{n - 1}" if n else ""}"/>'
        for n in range(3)
    ).replace(' after=""', ""),
    "a foreach": '<foreach id="f" collection="range(3)"><source:http id="h" url="BASE/ok"/></foreach>',
    "redirects": '<source:http id="h" url="BASE/a"/>',
    "retries": """<source:http id="h" url="BASE/flaky"><on-error><retry max="5" base="1ms"/></on-error>
      </source:http>""",
    "a sink": '<foreach id="f" collection="range(3)"><sink:http id="h" url="BASE/ok" body="b"/></foreach>',
    "a token": """<source:http id="h" url="BASE/b"><auth>{type: oauth2, token-url: 'BASE/token',
      client-id: me, client-secret: mine}</auth></source:http>""",
}


@pytest.mark.parametrize("kind", THREE)
async def test_every_request_that_is_sent_counts(kind: str) -> None:
    async with loopback() as server:
        for within in (True, False):
            server.page("/ok", "fine")
            server.page("/a", status=302, Location="/b")
            server.page("/b", status=302, Location="/ok")
            server.page("/token", {"access_token": "t"})
            server.answer("/flaky", Answer(503), Answer(503), Answer(200, "fine"))
            count, path = await sent(server, THREE[kind], 3 if within else 2)
            assert count == (3 if within else 2)
            assert (path is None) == within


async def test_no_request_is_sent_where_none_may_be() -> None:
    async with loopback() as server:
        server.page("/ok", "fine")
        body = '<source:http id="h" url="BASE/ok"><on-error><retry max="9" when="true"/></on-error></source:http>'
        assert await sent(server, body, 0) == (0, "h")


async def test_a_runtime_of_an_application_counts_its_own_requests() -> None:
    own = fs.Registry(base=fs.registry)
    asked = 0

    @own.runtime("source:asks")
    async def asks(params: fs.ExecutionParams) -> None:
        nonlocal asked
        params.run.count_request()
        asked += 1

    text = '<foreach id="f" collection="range(9)"><source:asks id="a"/></foreach>'
    flow = fs.loads(f'<workflow name="w">{text}</workflow>', registry=own)
    await fs.run(flow)
    assert asked == 9
    with pytest.raises(fs.BudgetExceeded):
        await fs.run(flow, budget=fs.Budget(requests=5))
    assert asked == 9 + 5


async def test_a_runtime_of_an_application_counts_what_it_makes(autojump_clock: Any) -> None:
    own = fs.Registry(base=fs.registry)
    made: list[str] = []

    @own.runtime("source:makes")
    async def makes(params: fs.ExecutionParams) -> list[str]:
        for number in range(100):
            made.append(f"{number}" * 10_000)
            params.run.grow(made, number)
        params.run.keep(made)
        return made

    flow = fs.loads('<workflow name="w"><source:makes id="m"/></workflow>', registry=own)
    await fs.run(flow)
    made.clear()
    with pytest.raises(fs.BudgetExceeded):
        await fs.run(flow, budget=fs.Budget(output_bytes=200_000))
    assert len(made) < 30
