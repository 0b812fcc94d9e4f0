"""Owns tests of cookies: they are part of the scope of a node, as its variables are."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from loopback import Answer, Loopback, Seen, loopback

LOGIN = '<source:http id="{id}" url="{{{{$config.base}}}}/login" params="{{user: {user}}}"/>'
ME = '<source:http id="{id}" url="{{{{$config.base}}}}/me"/>'


def shop(server: Loopback) -> None:
    """``/login`` gives a cookie of its user, ``/me`` says which came, ``/logout`` takes it away."""

    async def login(seen: Seen) -> Answer:
        user = seen.target.partition("user=")[2]
        return Answer(body="in", headers={"Set-Cookie": f"s={user}; Path=/"})

    async def me(seen: Seen) -> Answer:
        return Answer(body={"cookie": seen.headers.get("cookie", "")})

    async def logout(seen: Seen) -> Answer:
        return Answer(body="out", headers={"Set-Cookie": "s=; Path=/; Max-Age=0"})

    server.pages |= {"/login": login, "/me": me, "/logout": logout}


async def outputs(body: str, *ids: str, **options: Any) -> list[Any]:
    """The cookies that the nodes of these ids sent."""
    async with loopback() as server:
        shop(server)
        flow = fs.loads(f'<workflow name="w">{body}</workflow>')
        run = await fs.run(flow, config={"base": server.base}, **options)
        return [run.results[each].output["cookie"] for each in ids] if ids else run.output


def login(id: str, user: str) -> str:
    return LOGIN.format(id=id, user=user)


def me(id: str, after: str = "") -> str:
    return ME.format(id=id).replace("<source:http", f"<source:http {after}")


async def test_a_later_node_of_the_scope_sends_the_cookie() -> None:
    assert await outputs(login("l", "ann") + me("m", 'after="l"'), "m") == ["s=ann"]


@pytest.mark.parametrize("limit", [1, 3])
async def test_the_iterations_of_a_foreach_keep_their_own(limit: int) -> None:
    body = (
        f'<foreach id="each" collection="$input" item="who" maxConcurrency="{limit}">'
        f"{login('l', '{{who}}')}{me('m')}</foreach>"
    )
    users = ["ann", "bob", "cat"]
    assert await outputs(body, input=users) == [{"cookie": f"s={user}"} for user in users]


async def test_an_iteration_begins_with_those_of_its_block_and_not_of_the_one_before() -> None:
    body = (
        login("l", "ann") + '<foreach id="each" after="l" collection="range(2)">'
        f"{me('before')}{login('mine', 'bob{{index}}')}"
        '<transform:template id="t" template="{{before.cookie}}"/></foreach>'
        + me("after", 'after="each"')
    )
    async with loopback() as server:
        shop(server)
        flow = fs.loads(f'<workflow name="w">{body}</workflow>')
        run = await fs.run(flow, config={"base": server.base})
        assert run.results["each"].output == ["s=ann", "s=ann"]
        assert run.results["after"].output == {"cookie": "s=ann"}


async def test_a_branch_does_not_send_the_cookie_of_its_sibling() -> None:
    body = (
        f'<parallel id="p" maxConcurrency="1"><branch>{login("l", "ann")}</branch>'
        f"<branch>{me('m')}</branch></parallel>" + me("after", 'after="p"')
    )
    assert await outputs(body, "m", "after") == ["", ""]


@pytest.mark.parametrize(
    "block",
    [
        '<if id="b" condition="true"><then>{}</then></if>',
        '<loop id="b" max="1">{}</loop>',
        '<phase name="b">{}</phase>',
        '<timeout id="b" duration="1m">{}</timeout>',
    ],
)
async def test_a_block_that_shares_the_scope_gives_its_cookies_back(block: str) -> None:
    body = block.format(login("l", "ann")) + me("m", 'after="b"')
    assert await outputs(body, "m") == ["s=ann"]


async def test_the_cookies_of_nodes_that_run_at_once_come_together() -> None:
    """Those of a block beside a node of the same graph do not overwrite each other."""
    async with loopback() as server:
        shop(server)
        both = trio.Event()

        def page(name: str) -> Any:
            async def give(seen: Seen) -> Answer:
                if server.now == 2:
                    both.set()
                await both.wait()
                return Answer(body=1, headers={"Set-Cookie": f"{name}=1; Path=/"})

            return give

        server.pages |= {"/a": page("a"), "/b": page("b")}
        flow = fs.loads(
            '<workflow name="w"><source:http id="a" url="{{$config.base}}/a"/>'
            '<if id="i" condition="true"><then><source:http id="b" url="{{$config.base}}/b"/></then>'
            "</if>" + me("m", 'after="a, i"') + "</workflow>"
        )
        run = await fs.run(flow, config={"base": server.base})
        assert sorted(run.results["m"].output["cookie"].split("; ")) == ["a=1", "b=1"]


async def test_a_deleted_cookie_is_not_sent_any_more_nor_brought_back_by_a_block() -> None:
    body = (
        login("l", "ann")
        + '<if id="i" after="l" condition="true"><then>'
        + '<source:http id="o" url="{{$config.base}}/logout"/></then></if>'
        + me("m", 'after="i"')
    )
    assert await outputs(body, "m") == [""]


@pytest.mark.parametrize(("element", "cookie"), [("call", ""), ("include", "s=ann")])
async def test_a_call_begins_with_none_and_an_include_with_those_of_its_place(
    element: str, cookie: str, tmp_path: Any
) -> None:
    (tmp_path / "inner.xml").write_text(
        '<workflow name="inner"><param name="base" type="string"/>' + me("m") + "</workflow>"
    )
    part = "arg name" if element == "call" else "bind key"
    inner = (
        f'<{element} id="c" after="l" workflow="inner.xml">'
        f'<{part}="base" value="{{{{$config.base}}}}"/></{element}>'
    )
    assert await outputs_of(login("l", "ann") + inner, tmp_path, "c") == {"cookie": cookie}


@pytest.mark.parametrize(("element", "cookie"), [("call", ""), ("include", "s=bob")])
async def test_only_an_include_gives_its_cookies_back(
    element: str, cookie: str, tmp_path: Any
) -> None:
    (tmp_path / "inner.xml").write_text(
        '<workflow name="inner"><param name="base" type="string"/>'
        + login("l", "bob")
        + "</workflow>"
    )
    part = "arg name" if element == "call" else "bind key"
    inner = (
        f'<{element} id="c" workflow="inner.xml">'
        f'<{part}="base" value="{{{{$config.base}}}}"/></{element}>'
    )
    assert await outputs_of(inner + me("m", 'after="c"'), tmp_path, "m") == {"cookie": cookie}


async def outputs_of(body: str, folder: Any, id: str) -> Any:
    async with loopback() as server:
        shop(server)
        flow = fs.loads(f'<workflow name="w">{body}</workflow>', base=folder)
        return (await fs.run(flow, config={"base": server.base})).results[id].output


async def test_a_cookie_header_of_the_settings_goes_before_the_cookies() -> None:
    body = login("l", "ann") + me("m", 'after="l" headers="{Cookie: mine=1}"')
    assert await outputs(body, "m") == ["mine=1"]


async def test_cookies_are_no_variables() -> None:
    body = login("l", "ann") + '<transform:template id="t" after="l" template="{{$context}}"/>'
    assert await outputs(body) == {}
