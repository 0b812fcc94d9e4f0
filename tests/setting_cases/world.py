"""Owns the worlds of the settings' tests: a folder, a server, a person, and all that a run shows in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

import flowscript_trio as fs

from loopback import Answer, loopback
from loopback import Seen as Request
from scheduling import run_virtually
from stubs import Stubs


@dataclass
class Shown:
    """What a run shows: its output or error, virtual seconds, stubs' events, files, requests, questions."""

    output: Any = None
    error: str = ""
    seconds: float = 0.0
    results: dict[str, Any] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    flow: fs.Flow | None = None

    def status(self, name: str) -> str:
        return self.results[name].status if name in self.results else "none"

    @property
    def request(self) -> Request:
        return self.requests[-1]

    @property
    def sent(self) -> Any:
        """The body of the last request, from JSON."""
        return json.loads(self.request.body)


@dataclass(frozen=True)
class Case:
    """``document`` has the setting between ⟦ and ⟧: the run shows ``shows`` with it, and not without it.

    A document that does not begin with ``<workflow`` or ``---`` is a workflow's body.
    """

    owner: str
    setting: str
    document: str
    shows: Callable[[Shown], Any]
    answer: Any = "approve"
    options: dict[str, Any] = field(default_factory=dict)

    def text(self, *, given: bool) -> str:
        before, _, rest = self.document.partition("⟦")
        setting, _, after = rest.partition("⟧")
        text = before + (setting if given else "") + after
        return (
            text
            if text.startswith(("<workflow", "---"))
            else f'<workflow name="w">{text}</workflow>'
        )


TABLES = {"rows": b"a,b\n1,2\n", "twice": b"a,a\n1,2\n", "quoted": b'"a"\n1\n'}
"""Tables, as files and as answers of the server."""
CASES: list[Case] = []


def covers(
    owner: str, setting: str, document: str, shows: Callable[[Shown], Any], **more: Any
) -> None:
    """Add a case of a setting: of a runtime, a part, a body, a node (``node``) or a document (``document``)."""
    assert "⟦" in document
    CASES.append(Case(owner, setting, document, shows, **more))


def show(case: Case, folder: Path, *, given: bool) -> Shown:
    """Run a case with or without its setting."""
    real = case.owner.startswith(("source:", "sink:", "transform:ai")) or "SERVER" in case.document

    async def main() -> Shown:
        async with loopback() as server:
            serve(server)
            return await run_in_world(case, folder, server, given)

    async def virtually() -> Shown:
        return await run_in_world(case, folder, None, given)

    return trio.run(main) if real else run_virtually(virtually, seed=1)


def serve(server: Any) -> None:
    """An API: a list, a page of text, one that needs a name, one that hangs, and a language model."""
    server.page("/list", {"items": [1, 2]})
    server.page("/text", b'{"looks": "like JSON"}', content_type="text/plain")
    server.page("/echo", {"ok": True})
    for name in ("rows", "twice", "quoted"):
        server.page(f"/{name}.csv", TABLES[name], content_type="text/csv")
    server.page("/wide", "é".encode("utf-16-le"), content_type="text/plain")
    server.page("/moved", None, status=302, Location="/list")
    server.page("/busy", "busy", status=429, Retry_After="3600")

    async def complete(request: Request) -> Answer:
        asked = json.loads(request.body)
        turns = sum(message["role"] != "system" for message in asked["messages"])
        said = "plain words" if turns == 1 else '{"score": 1}'
        return Answer(200, {"choices": [{"message": {"content": said}}]})

    server.pages["/v1/chat/completions"] = complete


async def run_in_world(case: Case, folder: Path, server: Any, given: bool) -> Shown:
    for file, content in TABLES.items():
        (folder / f"{file}.csv").write_bytes(content)
    (folder / "wide.csv").write_bytes("a\n1\n".encode("utf-16-le"))
    (folder / "part.xml").write_text(
        '<workflow name="part"><param name="p" default="none"/>'
        '<transform:template id="t" template="{{typeof(p)}} {{p}}"/></workflow>'
    )
    make_database(folder / "db.sqlite")
    stubs, shown = Stubs(), Shown()

    async def decide(prompt: str, actions: Sequence[fs.Action]) -> Any:
        shown.asked.append((prompt, [(action.id, action.label) for action in actions]))
        await trio.sleep(1)
        return case.answer

    text = case.text(given=given).replace("SERVER", "" if server is None else server.base)
    name = "w.flow.md" if text.startswith("---") else "w.xml"
    (folder / name).write_text(text)
    started = trio.current_time()
    options: dict[str, Any] = {"decider": decide, "base": folder, **case.options}
    try:
        shown.flow = fs.load(folder / name, registry=stubs.registry)
        run = await fs.run(shown.flow, **options)
        shown.output, shown.results = run.output, dict(run.results)
        shown.warnings = [warning.message for warning in run.warnings]
    except Exception as exc:
        shown.error = f"{type(exc).__name__}: {exc}"
        failure = fs.failure_of(exc)
        if failure is not None:
            shown.results = dict(failure.record.latest)
    shown.seconds = round(trio.current_time() - started, 6)
    shown.events = stubs.events
    shown.requests = [] if server is None else server.seen
    shown.files = files_in(folder)
    shown.rows = rows_of(folder / "db.sqlite")
    return shown


def files_in(folder: Path) -> dict[str, str]:
    """What a run wrote, and what it was given to read."""
    kept = (".xml", ".md", ".sqlite", ".xlsx")
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in kept]
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def make_database(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("create table items (id integer primary key, name text, price integer)")
    database.executemany("insert into items values (?, ?, ?)", [(1, "one", 10), (2, "two", 20)])
    database.execute("create table other (id integer primary key, name text, price integer)")
    database.commit()
    database.close()


def rows_of(path: Path) -> list[Any]:
    database = sqlite3.connect(path)
    try:
        return database.execute("select * from items order by id").fetchall()
    finally:
        database.close()
