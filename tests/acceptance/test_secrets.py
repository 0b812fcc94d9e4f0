"""Owns the proof that a secret is found nowhere in what people read, over a run in which every node fails."""

from __future__ import annotations

import base64
import os
import pty
import sys
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.errors import HTTPStatusError

from loopback import Answer, Loopback, Seen, loopback

SECRET = 'k3y+with/signs & "quotes" öf its own'
FORMS = {
    SECRET,
    SECRET[:14],
    quote(SECRET),
    quote_plus(SECRET),
    base64.b64encode(SECRET.encode()).decode()[:24],
    base64.b64encode(f"me:{SECRET}".encode()).decode()[8:32],
}

FLOW = """<workflow name="all-fail" version="1.0">
  <param name="base" type="string" required="true"/>
  <secret name="KEY"/>
  <parallel id="all" fail-fast="false" maxConcurrency="unlimited">
    <branch><source:http id="echoed" url="{{base}}/echo" headers="{X-Key: {{$secrets.KEY}}}"/></branch>
    <branch><source:http id="in-query" url="{{base}}/echo" params="{key: {{$secrets.KEY}}}"/></branch>
    <branch><source:http id="in-url" url="{{base}}/echo/{{url_encode($secrets.KEY)}}"/></branch>
    <branch><source:http id="basic" url="{{base}}/echo"
      auth="{type: basic, username: me, password: {{$secrets.KEY}}}"/></branch>
    <branch><source:http id="refused" url="http://127.0.0.1:9/{{url_encode($secrets.KEY)}}"/></branch>
    <branch><source:http id="no-url" url="{{$secrets.KEY}}"/></branch>
    <branch><source:http id="no-json" url="{{base}}/text" format="json"
      body="{{$secrets.KEY}}" method="POST"/></branch>
    <branch><sink:http id="sent" url="{{base}}/echo" body="{{$secrets}}"/></branch>
    <branch><source:file id="file" path="no-such-folder/{{$secrets.KEY}}"/></branch>
    <branch><sink:file id="no-format" path="{{$secrets.KEY}}/x" create-dir="false"/></branch>
    <branch><transform:template id="json" format="json"
      template="{&quot;a&quot;: {{json_encode($secrets.KEY)}} oops"/></branch>
    <branch><transform:map id="map" expression="$secrets.KEY * 2"/></branch>
    <branch><transform:filter id="filter" condition="json_decode($secrets.KEY)"/></branch>
    <branch><transform:reduce id="reduce" initial="0" expression="parse_date($secrets.KEY)"/></branch>
    <branch><if id="if" condition="$secrets.KEY - 1"><then/></if></branch>
    <branch><foreach id="each" collection="{{$secrets.KEY}}"/></branch>
    <branch><loop id="loop" max="{{$secrets.KEY}}"/></branch>
    <branch><timeout id="timeout" duration="{{$secrets.KEY}}"/></branch>
    <branch><parallel id="limit" maxConcurrency="{{$secrets.KEY}}"><branch/></parallel></branch>
    <branch>
      <set id="late" var="v" value="{{$secrets.KEY}}"/>
      <transform:map id="named" expression="v * 1"><on-error>
        <retry max="1" when="true" base="1ms"/><fallback node="again"/></on-error></transform:map>
      <transform:template id="again" format="json" template="[{{$error.message}}"/>
    </branch>
  </parallel>
</workflow>"""


async def echo(seen: Seen) -> Answer:
    """Say back everything that was sent, as careless servers do."""
    said = f"{seen.method} {seen.target}\n{seen.headers}\n{seen.body!r}"
    return Answer(500, said, {"content-type": "text/plain"})


async def text(seen: Seen) -> Answer:
    return Answer(200, f"{{not json: {seen.body!r}".encode(), {"content-type": "text/plain"})


def assert_hidden(said: str) -> None:
    for form in FORMS:
        assert form not in said, said[max(0, said.find(form) - 300) : said.find(form) + 300]


def careless(server: Loopback) -> None:
    server.pages["/echo"] = echo
    server.pages["/text"] = text


async def run_command(folder: Path, base: str, **how: Any) -> tuple[int, str, str]:
    (folder / "flow.xml").write_text(FLOW, encoding="utf-8")
    done = await trio.run_process(
        [
            sys.executable,
            "-m",
            "flowscript_trio",
            "run",
            "flow.xml",
            "-c",
            f"base={base}",
            *("-i", "[1]"),
        ],
        capture_stdout=True,
        capture_stderr="stderr" not in how,
        check=False,
        cwd=folder,
        env={**os.environ, "KEY": SECRET, "PYTHONIOENCODING": "utf-8"},
        **how,
    )
    return done.returncode, done.stdout.decode(), (done.stderr or b"").decode()


async def test_the_command_line_shows_none(tmp_path: Path) -> None:
    async with loopback() as server:
        careless(server)
        status, output, shown = await run_command(tmp_path, server.base)
        assert any(
            SECRET in str(seen.headers) or quote(SECRET) in str(seen) for seen in server.seen
        )
    assert (status, output) == (1, "")
    for label in ("echoed", "basic", "refused", "json", "timeout", "named"):
        assert label in shown
    assert "***" in shown
    assert_hidden(shown)


async def test_the_live_tree_shows_none(tmp_path: Path) -> None:
    main, side = pty.openpty()
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                return
            if not part:
                return
            shown.extend(part)

    async with loopback() as server, trio.open_nursery() as nursery:
        careless(server)
        nursery.start_soon(trio.to_thread.run_sync, read)
        status, output, _ = await run_command(tmp_path, server.base, stderr=side)
        os.close(side)
    os.close(main)
    assert (status, output) == (1, "")
    assert b"echoed" in shown
    assert_hidden(shown.decode(errors="replace"))


async def test_a_run_leaves_none_behind(tmp_path: Path) -> None:
    events: list[Any] = []
    async with loopback() as server:
        careless(server)
        flow = fs.loads(FLOW)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever is first
            await fs.run(
                flow,
                config={"base": server.base},
                input=[1],
                secrets={"KEY": SECRET},
                base=tmp_path,
                observers=[events.append],
            )
    failure = fs.failure_of(caught.value)
    assert failure is not None
    succeeded = {result.label for result in failure.record if result.status != "failed"}
    assert succeeded == {"late"}
    assert len(failure.record.failures) == 22
    said = [repr(failure), *map(repr, events), *traceback.format_exception(caught.value)]
    for result in failure.record:
        said.append(repr(result))
        for error in (result.error, *result.earlier, *result.possibly_masked):
            if error is not None:
                said += [str(error), repr(error), *traceback.format_exception(error)]
                said += getattr(error, "__notes__", [])
            if isinstance(error, HTTPStatusError):
                said.append(error.excerpt)
    assert_hidden("\n".join(said))


async def test_the_output_of_a_run_is_printed_without_them(tmp_path: Path) -> None:
    (tmp_path / "flow.xml").write_text(
        """<workflow name="w"><secret name="KEY"/><output>
          <set field="plain" value="{{$secrets.KEY}}"/>
          <set field="inside" value="Bearer {{base64_encode('me:' + $secrets.KEY)}}"/>
          <set field="key" value="{{from_entries([[$secrets.KEY, 1]])}}"/>
        </output></workflow>"""
    )
    done = await trio.run_process(
        [sys.executable, "-m", "flowscript_trio", "run", "flow.xml"],
        capture_stdout=True,
        capture_stderr=True,
        cwd=tmp_path,
        env={**os.environ, "KEY": SECRET},
    )
    assert_hidden(done.stdout.decode() + done.stderr.decode())
    assert '"***": 1' in done.stdout.decode()
