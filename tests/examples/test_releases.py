"""Owns the test of the example with a page of approvals: a restart before the answer, and two who answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs

from exampling import program


@asynccontextmanager
async def served(path: Path) -> AsyncIterator[tuple[Any, fs.Store]]:
    """A client of a new process's application over the store, which is stopped at the end of the block."""
    app = program("releases", "app.py").app
    app.config["STORE"] = path
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = (
        0.01  # seconds for a worker that ends only when it is cancelled
    )
    with trio.fail_after(60):
        async with app.test_app() as running:
            yield running.test_client(), fs.Store(path)


async def until_page(client: Any, text: str) -> str:
    """The page, once it says that; the runs of the application go on in tasks of their own."""
    page = ""
    while text not in page:
        page = await (await client.get("/")).get_data(as_text=True)
    return page


async def test_a_question_outlives_the_server_and_the_first_answer_stands(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    async with served(path) as (client, _):
        for _ in range(2):  # who asks twice begins one run
            begun = await client.post("/release/1.3")
            assert (begun.status_code, await begun.get_json()) == (202, {"run": "1.3"})
        page = await until_page(client, "Release 1.3?")
        assert page.count("<form") == 1
        assert [page.count(f'value="{each}"') for each in ("later", "approve", "reject")] == [1] * 3

    async with served(path) as (client, store):
        await until_page(client, "Release 1.3?")
        unknown = await client.post("/answer/1.3/approval", form={"action": "aprove"})
        assert unknown.status_code == 404
        said = await client.post("/answer/1.3/approval", form={"action": "approve", "who": "Ada"})
        assert (said.status_code, await said.get_data(as_text=True)) == (200, "thank you")
        late = await client.post("/answer/1.3/approval", form={"action": "later", "who": "Bob"})
        assert (late.status_code, await late.get_data(as_text=True)) == (
            409,
            "Ada was first: approve",
        )
        state = ""
        while state != "completed":
            state = (await (await client.get("/release/1.3")).get_json())["state"]
    # The worker has let go of the run by now, and not as soon as the store says that it is completed.
    assert (await fs.resume(store, "1.3")).output == "1.3: approve, says Ada"


async def test_a_page_with_nothing_to_decide_says_so(tmp_path: Path) -> None:
    async with served(tmp_path / "runs.db") as (client, _):
        assert await until_page(client, "nothing to decide")
        gone = await client.get("/release/9")
        assert (gone.status_code, await gone.get_json()) == (
            404,
            {"error": "there is no run '9' in the store"},
        )
