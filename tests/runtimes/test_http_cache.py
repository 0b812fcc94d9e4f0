"""Owns tests of the cache of answers: what is asked for again, and what passes it by."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.hosts import HostRefused

from loopback import Answer, Loopback, Seen, loopback


def get(settings: str = "", method: str = "GET") -> fs.Flow:
    return fs.loads(
        '<workflow name="w"><source:http id="x" url="{{$config.base}}/x" '
        f'method="{method}">{settings}</source:http></workflow>'
    )


async def ask(server: Loopback, folder: Path, settings: str = "", method: str = "GET") -> Any:
    options = fs.HttpOptions(cache=folder / "answers.db")
    flow = get(settings, method)
    return (await fs.run(flow, config={"base": server.base}, http=options)).output


def keep(server: Loopback, **headers: str) -> None:
    """Answer with a number that grows, and with 304 to who has the last one."""
    count = 0

    async def give(seen: Seen) -> Answer:
        nonlocal count
        wanted = dict(seen.headers).get("if-none-match")
        if wanted is not None and wanted == headers.get("ETag"):
            return Answer(304, b"", headers)
        count += 1
        return Answer(200, {"n": count}, {"Content-Type": "application/json", **headers})

    server.pages["/x"] = give


async def test_a_fresh_answer_is_not_asked_for_again_by_this_or_another_run(tmp_path: Path) -> None:
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        assert [await ask(server, tmp_path) for _ in range(3)] == [{"n": 1}] * 3
        assert len(server.seen) == 1


async def test_a_kept_answer_is_not_read_by_a_run_that_may_not_connect_to_its_host(
    tmp_path: Path,
) -> None:
    async def ask_by(base: str, **rules: Any) -> Any:
        options = fs.HttpOptions(cache=tmp_path / "answers.db", **rules)
        return (await fs.run(get(), config={"base": base}, http=options)).output

    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        base = server.base.replace("127.0.0.1", "localhost")
        assert await ask_by(base) == {"n": 1}
        with pytest.raises(HostRefused, match="loopback addresses"):
            await ask_by(base, deny=["loopback"])
        with pytest.raises(HostRefused, match="not among those allowed"):
            await ask_by(base, allow=["10.0.0.0/8"])
        assert await ask_by(base, allow=["loopback"]) == {"n": 1}
        assert await ask_by(base, deny=["private"]) == {"n": 1}
        assert len(server.seen) == 1
    with pytest.raises(httpx.ConnectError):
        await ask_by("http://no-such-host.invalid", deny=["private"])


async def test_an_old_answer_is_asked_for_by_its_etag_and_comes_without_a_body(
    tmp_path: Path,
) -> None:
    async with loopback() as server:
        keep(server, ETag='"v1"', **{"Cache-Control": "no-cache"})
        assert [await ask(server, tmp_path) for _ in range(2)] == [{"n": 1}] * 2
        assert [dict(seen.headers).get("if-none-match") for seen in server.seen] == [None, '"v1"']


async def test_what_may_not_be_stored_is_asked_for_each_time(tmp_path: Path) -> None:
    async with loopback() as server:
        keep(server, **{"Cache-Control": "no-store"})
        assert [await ask(server, tmp_path) for _ in range(2)] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "settings",
    [
        "<auth>{type: bearer, token: t}</auth>",
        "<auth>{type: basic, username: u, password: p}</auth>",
        "<auth>{type: hmac, key: k, header: X-Sig}</auth>",
        "<headers>{Cookie: session=ann}</headers>",
        "<headers>{X-Api-Key: k}</headers>",
    ],
)
async def test_who_says_who_asks_neither_reads_nor_writes_the_cache(
    settings: str, tmp_path: Path
) -> None:
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        assert await ask(server, tmp_path) == {"n": 1}
        assert await ask(server, tmp_path, settings) == {"n": 2}
        assert await ask(server, tmp_path, settings) == {"n": 3}
        assert await ask(server, tmp_path) == {"n": 1}


async def test_cookies_of_a_scope_pass_the_cache_by(tmp_path: Path) -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="$input" item="who">'
        '<source:http id="login" url="{{$config.base}}/login"/>'
        '<source:http id="me" url="{{$config.base}}/x"/></foreach></workflow>'
    )
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        server.page("/login", 1, Set_Cookie="session=a; Path=/")
        options = fs.HttpOptions(cache=tmp_path / "answers.db")
        done = await fs.run(flow, input=["a", "b"], config={"base": server.base}, http=options)
        assert done.output == [{"n": 1}, {"n": 2}]


async def test_a_change_makes_the_stored_answer_old(tmp_path: Path) -> None:
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        assert await ask(server, tmp_path) == {"n": 1}
        assert await ask(server, tmp_path, method="DELETE") == {"n": 2}
        assert await ask(server, tmp_path) == {"n": 3}


async def test_without_the_setting_nothing_is_kept(tmp_path: Path) -> None:
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        for number in (1, 2):
            done = await fs.run(get(), config={"base": server.base}, base=tmp_path)
            assert done.output == {"n": number}
    assert os.listdir(tmp_path) == []


async def test_a_cancelled_answer_is_not_kept_and_the_connection_is_closed(tmp_path: Path) -> None:
    async with loopback() as server:
        headers = {"Cache-Control": "max-age=1000", "Content-Type": "application/json"}
        server.answer("/x", Answer(200, b"[1,", headers, stalls=True), Answer(200, b"[2]", headers))
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, server, tmp_path)
                await server.until(lambda: len(server.seen) == 1)
                for _ in range(20):
                    await trio.lowlevel.checkpoint()
                scope.cancel()
        await server.until(lambda: len(server.left) == 1)
        assert await ask(server, tmp_path) == [2]
        gc.collect()


def test_a_cache_that_is_no_path_is_refused() -> None:
    with pytest.raises(fs.InputError, match="cache is 5; expected the path of a file"):
        fs.HttpOptions(cache=5)  # type: ignore[arg-type]


async def test_the_file_is_where_it_is_said_to_be_and_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with loopback() as server:
        keep(server, **{"Cache-Control": "max-age=1000"})
        options = fs.HttpOptions(cache="answers.db")
        await fs.run(get(), config={"base": server.base}, http=options)
    names = os.listdir(tmp_path)
    assert "answers.db" in names
    assert {name.partition("-")[0] for name in names} == {"answers.db"}, "and nothing beside it"
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in names} == {0o600}
