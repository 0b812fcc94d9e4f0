"""A durable run of which every node sees a secret leaves none in its store: the whole files are searched.

They are looked at while the run is under way, when its process has left it, and when it has ended.
"""

from __future__ import annotations

import base64
import sqlite3
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.masking import Masker

from loopback import Answer, Loopback, Seen, loopback

SECRET = 'k3y+with/signs & "quotes" öf its own'
NAMES = ("runs.db", "runs.db-wal", "runs.db-shm", "runs.db-owners")

FLOW = """<workflow name="all">
  <param name="base" type="string" required="true"/>
  <secret name="KEY"/>
  <set var="plain" value="{{$secrets.KEY}}"/>
  <parallel id="all" tolerate="4" maxConcurrency="unlimited">
    <branch><source:http id="header" url="{{base}}/echo" headers="{X-Key: {{$secrets.KEY}}}"/></branch>
    <branch><source:http id="query" url="{{base}}/echo" params="{key: {{$secrets.KEY}}}"/></branch>
    <branch><sink:http id="sent" url="{{base}}/echo" body="{{$secrets}}"/></branch>
    <branch><sink:http id="refused" url="{{base}}/no" body="{{$secrets.KEY}}">
      <on-error><retry max="1" when="true" base="1ms"/></on-error></sink:http></branch>
    <branch><source:http id="gone" url="http://127.0.0.1:9/{{url_encode($secrets.KEY)}}"/></branch>
    <branch><source:act id="acted" given="{{plain}}"/></branch>
    <branch><source:act id="large" given="{{repeat(plain, 2500)}}"/></branch>
    <branch><source:act id="failed" given="{{plain}}" fails="true"/></branch>
    <branch><foreach id="each" collection="{{[plain, base64_encode('me:' + plain)]}}">
      <source:act id="one" given="{{item}}"/></foreach></branch>
    <branch><fail message="no {{plain}}" type="Odd"/></branch>
  </parallel>
  <checkpoint id="asked" prompt="{{plain}}?"><action id="go"/></checkpoint>
  <source:act id="last" given="{{plain}}" waits="true" after="asked">
    <compensate><source:act id="undone" given="{{plain}}"/></compensate></source:act>
  <fail message="over: {{plain}}" after="last"/>
  <finally><source:act id="closed" given="{{plain}}"/></finally>
</workflow>"""


class Actor:
    """What the nodes do: they give what they are given, or fail with it; one waits in the first process."""

    def __init__(self) -> None:
        self.waiting: trio.Event | None = trio.Event()
        self.given: list[Any] = []
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)

    async def act(self, params: fs.ExecutionParams) -> Any:
        given = params.config["given"]
        self.given.append(given)
        if params.config.get("fails"):
            raise ValueError(given, given.encode(), {"key": given})
        if params.config.get("waits") and self.waiting is not None:
            self.waiting.set()
            await trio.sleep_forever()
        return {"said": given, given: [given.encode(), base64.b64encode(given.encode())]}

    async def decide(self, prompt: str, actions: Any) -> fs.Answer:
        return fs.Answer("go", input=SECRET)


async def echo(seen: Seen) -> Answer:
    said = f"{seen.method} {seen.target}\n{seen.headers}\n{seen.body!r}"
    return Answer(500 if seen.path == "/no" else 200, said, {"content-type": "text/plain"})


def careless(server: Loopback) -> None:
    server.pages["/echo"] = server.pages["/no"] = echo


def look(folder: Path) -> None:
    """Search the files of the store, and everything in its tables, unpacked."""
    masker = Masker([SECRET])
    looked = [(name, (folder / name).read_bytes()) for name in NAMES if (folder / name).exists()]
    assert looked[0][0] == "runs.db"
    database = sqlite3.connect(folder / "runs.db")
    tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
    for (table,) in tables:
        for row in database.execute(f"select * from {table}"):
            looked += [(table, part) for part in row if isinstance(part, bytes)]
            looked += [(table, part.encode()) for part in row if isinstance(part, str)]
    for (packed,) in database.execute("select packed from large").fetchall():
        looked.append(("large, unpacked", zlib.decompress(packed)))
    database.close()
    for name, data in looked:
        assert not masker.spans(data), f"{name} has it"
        assert quote(SECRET).encode() not in data
        assert SECRET.encode() not in data


async def test_the_files_of_a_store_have_no_secret(tmp_path: Path) -> None:
    actor = Actor()
    store = fs.Store(tmp_path / "runs.db")
    flow = fs.loads(FLOW, registry=actor.registry)
    async with loopback() as server:
        careless(server)
        given: dict[str, Any] = {"secrets": {"KEY": SECRET}, "decider": actor.decide}
        config = {"base": server.base}
        async with fs.open_run(flow, config=config, store=store, run_id="r", **given) as run:
            assert actor.waiting is not None
            with trio.fail_after(20):
                await actor.waiting.wait()
            look(tmp_path)
            run.leave()
        look(tmp_path)
        actor.waiting = None
        with pytest.raises(fs.WorkflowFailed, match="over: "):
            await fs.resume(store, "r", registry=actor.registry, **given)
        assert any(SECRET in str(seen.headers) for seen in server.seen)
    look(tmp_path)
    assert actor.given.count(SECRET) >= 6
