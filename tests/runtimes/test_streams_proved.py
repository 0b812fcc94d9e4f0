"""Owns the proofs of streams of each kind: cancelled at every step, and failed at every node, nothing is left."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow
import pytest
import trio
from pyarrow import parquet

import flowscript_trio as fs
from flowscript_trio.cli.serving import Server
from flowscript_trio.runtimes.file.books import encode_book
from flowscript_trio.testing import prove

from loopback import Answer, Seen

PAGES = {
    "/jsonl": (b"1\n2\n3\n", "application/x-ndjson"),
    "/sse": (b"\xef\xbb\xbfdata: 1\r\n\r\n: alive\n\ndata: 2\r\rdata: lost", "text/event-stream"),
    "/csv": (b"a;b\n1;2\n3;4\n5;6", "text/csv; charset=iso-8859-1"),
    "/lines": (b"a\nb\nc", "text/plain"),
    "/page": (b"[1, 2]", "application/json"),
    "/cursor": (b'{"items": [1, 2], "next": "/end"}', "application/json"),
    "/end": (b'{"items": [3], "next": null}', "application/json"),
    "/more": (b"[3]", "application/json"),
}
EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item}}"/></foreach>'
BATCH = (
    '<foreach id="e" collection="s" batch="2" maxConcurrency="2" tolerate="1" merge="none">'
    '<delay id="w" duration="1s"/></foreach>'
)
INTO_FILE = '<sink:file id="k" input="s" path="out.jsonl"/>'
INTO_LINES = '<sink:file id="k" input="s" path="out.log" append="true"/>'
INTO_SQLITE = '<sink:database id="k" input="s" connection="sqlite:///rows.db" table="o" batch="2"/>'
HTTP = '<source:http id="s" url="SERVER{}" stream="true" timeout="1d" {}/>'
STREAMS = {
    "csv": ('<source:file id="s" path="a.csv" types="a: number" stream="true"/>', BATCH),
    "jsonl": ('<source:file id="s" path="a.jsonl" stream="true"/>', INTO_FILE),
    "lines": ('<source:file id="s" path="a.log" encoding="latin-1" stream="true"/>', EACH),
    "parquet": ('<source:file id="s" path="a.parquet" stream="true"/>', BATCH),
    "http jsonl": (HTTP.format("/jsonl", ""), BATCH),
    "http events": (HTTP.format("/sse", ""), EACH),
    "http pages": (HTTP.format("/page", 'next="link"'), BATCH),
    "http lines": (HTTP.format("/lines", 'format="lines"'), INTO_LINES),
    "http cursor": (HTTP.format("/cursor", 'next="cursor" cursor="next" extract="items"'), EACH),
    "xlsx": ('<source:file id="s" path="a.xlsx" stream="true"/>', INTO_FILE),
    "http csv": (HTTP.format("/csv", 'types="a: number, b: integer"'), INTO_SQLITE),
    "sqlite": (
        '<source:database id="s" connection="sqlite:///rows.db" query="SELECT a FROM t" stream="true"/>',
        BATCH,
    ),
}
"""A source, and what consumes it. (That of PostgreSQL has its own, in test_streams_of_postgresql.)"""


async def answer(seen: Seen) -> Answer:
    body, kind = PAGES[seen.path]
    link = {"Link": "</more>; rel=next"} if seen.path == "/page" else {}
    return Answer(200, body, {"Content-Type": kind, **link})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server in a thread of its own: each run of a proof has a clock that jumps."""
    begun = threading.Event()
    url: list[str] = []
    stop = trio.CancelScope()
    tokens: list[trio.lowlevel.TrioToken] = []

    async def serve() -> None:
        with stop:
            async with trio.open_nursery() as nursery:
                tokens.append(trio.lowlevel.current_trio_token())
                url.append(await nursery.start(Server(answer).serve))
                begun.set()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    begun.wait()
    yield url[0]
    tokens[0].run_sync_soon(stop.cancel)
    thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_of_each_kind_is_proved(name: str, server: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (tmp_path / "a.jsonl").write_text("1\n2\n3\n")
    (tmp_path / "a.log").write_bytes(b"x\n\xe9\nz\n")
    (tmp_path / "a.xlsx").write_bytes(encode_book([{"a": 1}, {"a": 2}], "xlsx", None))
    parquet.write_table(pyarrow.table({"a": [1, 2, 3]}), tmp_path / "a.parquet")
    with closing(sqlite3.connect(tmp_path / "rows.db")) as database:
        database.execute("CREATE TABLE t (a)")
        database.execute("CREATE TABLE o (a, b)")
        database.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
        database.commit()
    text = "".join(STREAMS[name]).replace("SERVER", server)
    flow = fs.loads(f'<workflow name="w">{text}</workflow>')
    report = prove(flow, options={"base": tmp_path}, pairs=5)
    assert report.holds, report.render()
