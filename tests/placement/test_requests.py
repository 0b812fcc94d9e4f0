"""Owns the tests of requests at a place: cookies of the scope go along, and those that were set come back."""

from __future__ import annotations

import pytest

import flowscript_trio as fs

from loopback import Answer, Loopback, Seen, loopback

PLACES = ["thread", "process"]


def shop(server: Loopback) -> list[str]:
    """Pages that set a cookie and show what was sent; gives what each request of ``/me`` had."""
    sent: list[str] = []

    async def login(seen: Seen) -> Answer:
        return Answer(body={"in": True}, headers={"Set-Cookie": "s=1; Path=/"})

    async def refused(seen: Seen) -> Answer:
        return Answer(403, {"in": False}, {"Set-Cookie": "r=1; Path=/"})

    async def me(seen: Seen) -> Answer:
        sent.append(seen.headers.get("cookie", ""))
        return Answer(body={})

    server.pages |= {"/login": login, "/refused": refused, "/me": me}
    return sent


@pytest.mark.parametrize("place", PLACES)
async def test_cookies_go_to_a_place_and_come_back(place: str) -> None:
    text = f"""<workflow name="w">
      <source:http id="l" url="{{{{$config.base}}}}/login" place="{place}"/>
      <source:http id="here" url="{{{{$config.base}}}}/me" after="l"/>
      <sink:http id="there" url="{{{{$config.base}}}}/me" after="here" place="{place}"/></workflow>"""
    async with loopback() as server:
        sent = shop(server)
        await fs.run(fs.loads(text), config={"base": server.base})
    assert sent == ["s=1", "s=1"]


@pytest.mark.parametrize("place", PLACES)
async def test_cookies_of_a_request_that_failed_at_a_place_come_back(place: str) -> None:
    text = f"""<workflow name="w">
      <source:http id="l" url="{{{{$config.base}}}}/refused" place="{place}"><on-error>
        <fallback node="f"/></on-error></source:http><set id="f" var="f" value="1"/>
      <source:http id="here" url="{{{{$config.base}}}}/me" after="l"/></workflow>"""
    async with loopback() as server:
        sent = shop(server)
        await fs.run(fs.loads(text), config={"base": server.base})
    assert sent == ["r=1"]
