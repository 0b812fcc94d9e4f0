"""Owns the test that no entry of a journal has a cookie in the clear, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entries import Entry
from flowscript_trio.execution.durable.entry_rows import ENTRIES, entry_of, row_of
from flowscript_trio.journal.cookies import sets_cookies, without_cookies
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.sealing import Seal
from flowscript_trio.types.headers import Headers
from flowscript_trio.types.storing import CannotKeep
from logins import LOGIN, SENT, TOKEN, Shop, files_with_the_token

from loopback import loopback

KEYS = pytest.mark.parametrize("key", [Fernet.generate_key(), None], ids=["key", "no key"])
ANSWER = {"status": 200, "headers": Headers({"set-cookie": f"s={TOKEN}", "x": "y"})}
OF_TYPES: dict[str, Any] = {
    "str": "text",
    "int": 1,
    "float": 1.5,
    "bool": True,
    "bytes": b"bytes",
    "datetime": datetime(2026, 1, 2, tzinfo=UTC),
    "int | None": None,
    "str | None": None,
    "RunStatus": "completed",
    "Any": ANSWER,
    "ErrorFacts": {"view": ANSWER, "errors": []},
    "ErrorFacts | None": {"view": ANSWER, "errors": []},
    "list[Any]": ["return", [ANSWER]],
    "list[Any] | None": ["return", [("Set-Cookie", TOKEN)]],
    "list[list[Any]]": [["a", "completed", ANSWER, None]],
    "list[int]": [1],
    "list[str]": ["text"],
    "list[list[int]]": [[0, 1]],
    "dict[str, Any]": {"a": ANSWER},
    "dict[str, float]": {"a": 1.5},
    "dict[str, bytes]": {"set-cookie": b"of a secret that is called so"},
}
"""Facts of each type that an entry has, with cookies wherever there is place for a value."""


def kinds(of: type[Entry] = Entry) -> Iterator[type[Entry]]:
    """Every kind of entry that there is, whether or not it is listed."""
    for each in of.__subclasses__():
        yield each
        yield from kinds(each)


def full(kind: type[Entry]) -> Entry:
    """An entry with cookies in every fact that takes a value; a type that is not known here fails the test."""
    facts = {each.name: OF_TYPES[str(each.type)] for each in fields(kind)}
    flags = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    return kind(**(facts | flags))


def test_every_kind_of_entry_is_listed() -> None:
    assert set(ENTRIES) == {kind.kind for kind in kinds()}


@KEYS
@pytest.mark.parametrize("kind", ENTRIES.values(), ids=lambda kind: kind.kind)
def test_no_entry_has_a_cookie_in_the_clear(kind: type[Entry], key: bytes | None) -> None:
    entry = full(kind)
    coding = Coding({}, seal=None if key is None else Seal(key))
    try:
        row, said = row_of(entry, coding)
    except CannotKeep:
        assert key is None
        return
    assert TOKEN.encode() not in row.data
    if key is None:
        assert TOKEN not in repr(said)
        assert entry_of(row, coding.decode) == said
    else:
        assert said is entry
        assert repr(entry_of(row, coding.decode)) == repr(entry)


def test_entries_that_show_what_seals_the_others_are_read_without_it() -> None:
    [kind] = [kind for kind in ENTRIES.values() if kind.is_open]
    row, _ = row_of(full(kind), Coding({}, seal=Seal(Fernet.generate_key())))
    assert entry_of(row, Coding({}).decode) == full(kind)


@KEYS
async def test_no_file_of_a_store_has_a_cookie_of_any_kind_of_entry(
    key: bytes | None, tmp_path: Path
) -> None:
    coding = Coding({}, seal=None if key is None else Seal(key))
    journal = await fs.Store(tmp_path / "runs.db").begin("r", b"")
    written: list[Row] = []
    for kind in ENTRIES.values():
        try:
            written.append(row_of(full(kind), coding)[0])
        except CannotKeep:
            continue
        journal.write(written[-1])
    await journal.synced()
    assert len(written) >= len(ENTRIES) - 2
    assert not files_with_the_token(tmp_path)
    await journal.aclose()
    assert not files_with_the_token(tmp_path)


PLACED = {
    "branch": '<parallel id="b"><branch place="far">{login}</branch><branch/></parallel>',
    "branch that returns": """<parallel id="b"><branch place="far">{login}
      <set var="x" value="{{{{l}}}}"/></branch></parallel>""",
    "branch that fails": """<parallel id="b" tolerate="1"><branch place="far">{refused}</branch>
      <branch/></parallel>""",
    "iterations": '<foreach id="b" collection="[1, 2, 3]" place="far">{login}</foreach>',
    "node": '<phase name="b" id="b">{placed}</phase>',
}


def flow_of(shape: str) -> str:
    login = LOGIN.format(kind="sink")
    refused = login.replace("/login", "/refused")
    placed = login.replace("/>", ' place="far"/>')
    return shape.format(login=login, refused=refused, placed=placed)


@KEYS
@pytest.mark.parametrize("place", ["thread", pytest.param("process", marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", PLACED)
async def test_what_ran_elsewhere_has_no_cookie_in_the_clear(
    shape: str, place: str, key: bytes | None, tmp_path: Path
) -> None:
    async with loopback() as server:
        shop = Shop(server)
        text = flow_of(PLACED[shape]).replace('"far"', f'"{place}"')
        text += '<source:wait id="w" after="b"/>'
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), text=text)
        assert not files_with_the_token(tmp_path)
        before = shop.logins
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert run.status == "completed"
    assert (shop.logins == before) is (key is not None)
    assert not files_with_the_token(tmp_path)


KEPT = {
    "a variable of a loop": """{login}<loop id="b" max="30" after="l"><set var="x" value="{{{{l}}}}"/>
      <source:echo id="e"/><if id="i" condition="$iteration == 25"><then><source:wait id="w"/></then></if>
      </loop>""",
    "what another node gives": '{login}<source:echo id="b" input="l"/><source:wait id="w" after="b"/>',
    "what another node fails with": """{login}<source:echo id="b" input="l" fails="no"><on-error>
      <fallback node="f"/></on-error></source:echo><set id="f" var="f" value="1"/>
      <source:wait id="w" after="b"/>""",
    "what the run gives": '<source:wait id="w"/>{login}',
}


@KEYS
@pytest.mark.parametrize("shape", KEPT)
async def test_headers_that_are_passed_on_are_in_no_entry_in_the_clear(
    shape: str, key: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 10)
    async with loopback() as server:
        shop = Shop(server)
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), text=flow_of(KEPT[shape]))
        assert not files_with_the_token(tmp_path)
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
        assert run.status == "completed"
        assert not files_with_the_token(tmp_path)
        again = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    if shape == "what the run gives":
        assert TOKEN in str(run.output)
        assert (again.output == run.output) is (key is not None)
        assert again.output == run.output or again.output == without_cookies(run.output)


@KEYS
async def test_a_stream_whose_answer_sets_cookies_is_opened_again_with_them(
    key: bytes | None, tmp_path: Path
) -> None:
    async with loopback() as server:
        shop = Shop(server)
        login = LOGIN.format(kind="source").replace("/>", ' format="jsonl" stream="true"/>')
        text = login + '<source:wait id="w" after="l"/>'
        text += '<source:http id="m" after="w" url="{{$config.base}}/me"/>'
        await shop.die(fs.Store(tmp_path / "runs.db", key=key), text=text)
        assert not files_with_the_token(tmp_path)
        run = await shop.resume(fs.Store(tmp_path / "runs.db", key=key))
    assert run.results["m"].output["cookie"] == SENT["sent"]
    assert not files_with_the_token(tmp_path)


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ({"Set-Cookie": "s"}, {}),
        ({"a": {"set-cookie": "s", "x": "y"}}, {"a": {"x": "y"}}),
        ([("Set-Cookie", "s"), ("x", "y")], [("x", "y")]),
        (
            {"headers": [["SET-COOKIE", "s"]], "t": (1, {"a": 2})},
            {"headers": [], "t": (1, {"a": 2})},
        ),
        (("set-cookie", "s"), []),
        (Headers({"set-cookie": "s", "x": "y"}), Headers({"x": "y"})),
    ],
)
def test_headers_that_set_cookies_are_found_in_any_form(value: Any, bare: Any) -> None:
    assert sets_cookies(value)
    assert without_cookies(value) == bare
    assert type(without_cookies(value)) is type(bare)
    assert not sets_cookies(bare)


@pytest.mark.parametrize(
    "value", [None, "set-cookie", ["set-cookie"], {"a": ["set-cookie"]}, {1: 2}]
)
def test_a_text_about_cookies_is_none(value: Any) -> None:
    assert not sets_cookies(value)
    assert without_cookies(value) is value


def test_a_value_that_is_deep_or_has_a_part_twice_is_looked_through() -> None:
    shared = {"set-cookie": "s", "x": 1}
    deep: Any = shared
    for _ in range(5_000):
        deep = [deep]
    value = without_cookies({"a": deep, "b": shared})
    assert value["b"] == {"x": 1}
    inner = value["a"]
    while isinstance(inner, list):
        [inner] = inner
    assert inner is value["b"]
