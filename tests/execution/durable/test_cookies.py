"""Owns the tests of cookies in durable runs: with a key they outlive a process, without one nodes log in again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.types.cookies import Cookies
from logins import FLOW, LOGIN, SENT, TOKEN, Shop, files_with_the_token

from loopback import Answer, Seen, loopback


@pytest.mark.parametrize("kind", ["source", "sink"])
async def test_with_a_key_cookies_outlive_the_process_and_no_byte_of_them_is_in_the_store(
    kind: str, tmp_path: Path
) -> None:
    key = Fernet.generate_key()
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), kind)
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert shop.logins == 1
    assert run.results["l"].output is not None
    if kind == "sink":
        assert TOKEN in str(run.results["l"].output["headers"])
    assert run.output == SENT
    assert not files_with_the_token(tmp_path)


@pytest.mark.parametrize("kind", ["source", "sink"])
async def test_without_a_key_the_login_is_done_again_and_no_byte_of_it_is_in_the_store(
    kind: str, tmp_path: Path
) -> None:
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db"), kind)
        assert not files_with_the_token(tmp_path)
        run = await shop.resume(fs.Store(tmp_path / "runs.db"))
    assert shop.logins == 2
    assert run.output == SENT


async def test_another_key_or_none_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db", key=Fernet.generate_key()))
        with pytest.raises(fs.InputError, match="begun with a different key"):
            await shop.resume(fs.Store(tmp_path / "runs.db", key=Fernet.generate_key()))
        with pytest.raises(fs.InputError, match="the store has none"):
            await shop.resume(fs.Store(tmp_path / "runs.db"))
        assert len(server.seen) == 1


async def test_a_run_that_began_without_a_key_goes_on_without_one(tmp_path: Path) -> None:
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db"))
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=Fernet.generate_key()))
    assert (shop.logins, run.status) == (2, "completed")


LOOP = """<loop id="loop" max="30">
  <if id="i" condition="{login_at}"><then>{login}</then></if>
  <source:http id="me" url="{{{{$config.base}}}}/me"/>
  <if id="j" condition="$iteration == {wait_at}"><then><source:wait id="w"/></then></if></loop>
  <source:http id="m" after="loop" url="{{{{$config.base}}}}/me"/>
  <output><set field="sent" value="{{{{m.cookie}}}}"/></output>"""


async def kinds_of(store: fs.Store) -> list[str]:
    _, _, rows = await store.copy("r")
    return [row.kind for _, row in rows]


@pytest.mark.parametrize(
    ("login_at", "logins"), [("$iteration == 0", 1), ("true", 30), ("$iteration % 7 == 0", 5)]
)
@pytest.mark.parametrize("wait_at", [25, 29])
async def test_with_a_key_a_loop_is_compacted_and_its_cookies_go_on(
    login_at: str, logins: int, wait_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 10)
    key = Fernet.generate_key()
    async with loopback() as server:
        shop = Shop(server)
        text = LOOP.format(login_at=login_at, login=LOGIN.format(kind="sink"), wait_at=wait_at)
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), text=text)
        kinds = await kinds_of(fs.Store(tmp_path / "runs.db", key=key))
        assert "compacted" in kinds
        assert len(kinds) < 40
        assert not files_with_the_token(tmp_path)
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert (shop.logins, run.output) == (logins, SENT)
    assert not files_with_the_token(tmp_path)


async def test_without_a_key_a_loop_that_sets_cookies_is_not_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 10)
    async with loopback() as server:
        shop = Shop(server)
        login = LOGIN.format(kind="sink")
        text = LOOP.format(login_at="$iteration == 0", login=login, wait_at=25)
        await shop.die(fs.Store(tmp_path / "runs.db"), text=text)
        assert "compacted" not in await kinds_of(fs.Store(tmp_path / "runs.db"))
        run = await shop.resume(fs.Store(tmp_path / "runs.db"))
    assert (shop.logins, run.output) == (2, SENT)
    assert not files_with_the_token(tmp_path)


@pytest.mark.parametrize("key", [Fernet.generate_key(), None], ids=["key", "no key"])
@pytest.mark.parametrize(
    "block",
    [
        '<foreach id="b" collection="range(0, 20)">{login}</foreach>',
        '<loop id="b" max="20"><parallel id="p"><branch>{login}</branch></parallel></loop>',
        '<loop id="b" max="9"><foreach id="f" collection="range(0, 9)">{login}</foreach></loop>',
        '<loop id="b" max="9"><loop id="f" max="9">{login}</loop></loop>',
    ],
    ids=["foreach", "parallel in loop", "foreach in loop", "loop in loop"],
)
async def test_what_a_block_gave_that_is_compacted_has_no_cookie_in_the_clear(
    block: str, key: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 10)
    async with loopback() as server:
        shop = Shop(server)
        text = block.format(login=LOGIN.format(kind="sink")) + '<source:wait id="w" after="b"/>'
        text += '<set var="n" value="1" after="w"/>'
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), text=text)
        assert not files_with_the_token(tmp_path)
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert run.status == "completed"
    assert not files_with_the_token(tmp_path)


async def test_keys_can_be_changed_while_runs_are_under_way(tmp_path: Path) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db", key=old))
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=[new, old]))
    assert (shop.logins, run.output) == (1, SENT)


@pytest.mark.parametrize("key", [Fernet.generate_key(), None], ids=["key", "no key"])
async def test_cookies_of_an_attempt_that_failed_are_never_in_the_clear(
    key: bytes | None, tmp_path: Path
) -> None:
    async with loopback() as server:
        shop = Shop(server)
        asked: list[str] = []

        async def picky(seen: Seen) -> Answer:
            asked.append(seen.headers.get("cookie", ""))
            return Answer(status=403, body="no", headers={"Set-Cookie": f"s={TOKEN}; Path=/"})

        server.pages["/login"] = picky
        login = LOGIN.format(kind="source").replace(
            "/>",
            '><on-error><fallback node="f"/></on-error></source:http><set id="f" var="f" value="1"/>',
        )
        flow = fs.loads(FLOW.format(login=login), registry=shop.registry)
        config = {"base": server.base}
        store = fs.Store(tmp_path / "runs.db", key=key)
        async with fs.open_run(flow, store=store, run_id="r", config=config) as run:
            await shop.waits.wait()
            run.leave()
        shop.may_end = True
        assert not files_with_the_token(tmp_path)
        resumed = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert asked == [""]
    error: Any = resumed.results["l"].error
    assert error.status == 403
    assert error.headers["content-type"]
    assert (TOKEN in str(error.headers)) is (key is not None)
    assert (resumed.output == SENT) is (key is not None)


@pytest.mark.parametrize("key", [Fernet.generate_key(), None], ids=["key", "no key"])
async def test_a_run_that_fails_keeps_no_cookie_in_the_clear(
    key: bytes | None, tmp_path: Path
) -> None:
    async with loopback() as server:
        shop = Shop(server)
        server.page("/login", "no", status=403, Set_Cookie=f"s={TOKEN}; Path=/")
        flow = fs.loads(FLOW.format(login=LOGIN.format(kind="source")), registry=shop.registry)
        store, config = fs.Store(tmp_path / "runs.db", key=key), {"base": server.base}
        with pytest.raises(fs.HTTPStatusError):
            await fs.run(flow, store=store, run_id="r", config=config)
        with pytest.raises(fs.HTTPStatusError) as again:
            await fs.run(flow, store=store, run_id="r", config=config)
    assert again.value.status == 403
    assert not files_with_the_token(tmp_path)


@pytest.mark.parametrize("key", ["", "short", b"x" * 44, 7, [], ["short"]])
def test_what_is_not_a_key_is_refused_without_showing_it(key: Any, tmp_path: Path) -> None:
    with pytest.raises(fs.InputError, match="not valid") as caught:
        fs.Store(tmp_path / "runs.db", key=key)
    assert "short" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_of_two_cookies_of_one_name_the_later_stands_whoever_is_restored_first() -> None:
    from http.cookiejar import Cookie

    from flowscript_trio.execution.durable.cookies import changed, changes_of

    def cookie(value: str) -> Cookie:
        return Cookie(
            0,
            "s",
            value,
            None,
            False,
            "x",
            False,
            False,
            "/",
            True,
            False,
            None,
            True,
            None,
            None,
            {},
        )

    key = ("x", "/", "s")
    none = Cookies()
    first = none.changed([(key, cookie("first"))])
    second = first.changed([(key, cookie("second"))])
    told = [changes_of(none, first)[0], changes_of(first, second)[0]]
    for order in (told, told[::-1]):
        restored = none
        for changes in order:
            restored = changed(restored, changes)
        assert [each.value for each in restored] == ["second"]
        assert vars(next(iter(restored))) == vars(cookie("second"))


async def test_cookies_of_a_document_that_ran_whole_elsewhere_are_kept(tmp_path: Path) -> None:
    (tmp_path / "login.xml").write_text(
        '<workflow name="login"><source:http id="l" url="{{$config.base}}/login"/></workflow>'
    )
    (tmp_path / "w.xml").write_text("""<workflow name="w">
      <include id="session" workflow="login.xml" place="thread"/>
      <checkpoint id="ask" prompt="?"/>
      <source:http id="me" url="{{$config.base}}/me"/></workflow>""")
    logins, sent = [], []

    async def login(seen: Seen) -> Answer:
        logins.append(seen.path)
        return Answer(body={}, headers={"Set-Cookie": "s=1; Path=/"})

    async def me(seen: Seen) -> Answer:
        sent.append(seen.headers.get("cookie", ""))
        return Answer(body={})

    store = fs.Store(tmp_path / "runs.db", key=Fernet.generate_key())
    flow = fs.load(tmp_path / "w.xml")
    async with loopback() as server:
        server.pages |= {"/login": login, "/me": me}
        given = {"base": server.base}
        first = await fs.run(flow, store=store, run_id="r", suspend_after=0.01, config=given)
        assert first.status == "suspended"
        await store.answer("r", "ask", "approve")
        await fs.resume(store, "r")
    assert (len(logins), sent) == (1, ["s=1"])
