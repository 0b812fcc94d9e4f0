"""Owns the proof that every element of the language runs: one document of all of them, value by value."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.types.ast import BaseNode, Body, Document

from loopback import Answer, Loopback, Seen, loopback

FOLDER = Path(__file__).parent / "everything"
ITEMS = [
    {"id": "a1", "name": "apple", "stock": 12, "shelf": 4},
    {"id": "b2", "name": "pear", "stock": 3, "shelf": 5},
    {"id": "c3", "name": "plum", "stock": 0, "shelf": 6},
    {"id": "x9", "name": "ghost", "stock": 99, "shelf": 7},
    {"id": "d4", "name": "fig", "stock": 10, "shelf": 8},
]
LABELLED = [
    {"id": "a1", "name": "apple", "stock": 12, "label": "APPLE-EUR", "price": 150},
    {"id": "b2", "name": "pear", "stock": 3, "label": "PEAR-EUR", "price": 20},
    {"id": "d4", "name": "fig", "stock": 10, "label": "FIG-EUR", "price": 99},
]


def serve(server: Loopback) -> None:
    """The pages of the API, a mirror, and a language model that answers wrongly at first."""
    server.page("/catalog", {"items": ITEMS})
    server.hang("/hang")
    server.page("/mirror", "from the mirror")
    server.answer("/state", *(Answer(200, {"ready": n == 4, "tries": n}) for n in range(1, 5)))
    server.answer("/flaky", *(Answer(503, "busy") for _ in range(4)))
    server.page("/orders", {"accepted": True}, status=201)
    server.page("/full", "the end")
    server.page("/broken", "no", status=500)
    server.page("/recall", None)
    server.page("/alarm", None)

    async def complete(seen: Seen) -> Answer:
        asked = json.loads(seen.body)
        said = (
            '{"title": 5}'
            if len(asked["messages"]) == 2
            else '{"title": "Fruit", "tags": ["a", "b"]}'
        )
        return Answer(200, {"choices": [{"message": {"role": "assistant", "content": said}}]})

    server.pages["/v1/chat/completions"] = complete


def prepare(folder: Path) -> Path:
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    (folder / "rates.csv").write_text("currency,rate\nEUR,1\nCHF,0.95\n")
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("create table prices (id text primary key, price integer)")
        prices = [("a1", 150), ("b2", 20), ("d4", 99), ("z", 0)]
        database.executemany("insert into prices values (?, ?)", prices)
        columns = "id text primary key, name text, stock integer, label text, price integer"
        database.execute(f"create table orders ({columns})")
        database.execute("insert into orders values ('b2', 'old', 1, 'old', 1)")
    database.close()
    return folder / "everything.flow.md"


async def decide(prompt: str, actions: Sequence[fs.Action]) -> fs.Answer:
    assert prompt == "Ship 3 products?"
    assert [action.id for action in actions] == ["ship", "hold"]
    return fs.Answer("ship", input="Ann")


def options(server: Loopback, folder: Path, **config: Any) -> Any:
    return {
        "config": {"base": server.base, **config},
        "secrets": {"TOKEN": "t0ken-of-the-api"},
        "base": folder,
        "decider": decide,
    }


EXPECTED = {
    "run": "night",
    "settings": {"currency": "EUR", "factor": 2, "code": "007"},
    "rates": [{"currency": "EUR", "rate": "1"}, {"currency": "CHF", "rate": "0.95"}],
    "mirror": ["from the mirror"],
    "labelled": LABELLED,
    "stock": 50,
    "fan": {
        "each": ["0 dear APPLE-EUR", "1 few PEAR-EUR", "2 cheap FIG-EUR"],
        "polled": "4 tries, counted 7",
        "patience": "TooSlowError",
        "flaky": "cached after 503",
    },
    "approval": {"action": "ship", "input": "Ann", "timed_out": False},
    "held": None,
    "greeting": "hello Ann, at most 3",
    "sum": 70,
    "summary": {"title": "Fruit", "tags": ["a", "b"]},
    "sent": 201,
    "stored": {"rows": 3, "batches": 1},
    "last": "the end",
}


async def test_a_document_of_every_element_runs_value_by_value(tmp_path: Path) -> None:
    flow = fs.load(prepare(tmp_path))
    async with loopback() as server:
        serve(server)
        run = await fs.run(flow, **options(server, tmp_path))
    written = run.output.pop("written")
    assert run.output == EXPECTED
    report = (tmp_path / "out" / "report.json").read_bytes()
    assert json.loads(report) == [EXPECTED["summary"], EXPECTED["fan"]["each"]]  # type: ignore[index]
    assert written == {"path": written["path"], "bytes": len(report)}
    assert (tmp_path / "log.txt").read_text().strip() == "50"
    assert (tmp_path / "end.txt").read_text().strip() == "50"
    with sqlite3.connect(tmp_path / "shop.db") as database:
        orders = database.execute("select id, label, price from orders order by id").fetchall()
    database.close()
    assert orders == [("a1", "APPLE-EUR", 150), ("b2", "PEAR-EUR", 20), ("d4", "FIG-EUR", 99)]
    seen = {each.path: each for each in server.seen}
    assert seen["/catalog"].headers["authorization"] == "Bearer t0ken-of-the-api"
    assert seen["/catalog"].headers["x-run"] == "night"
    assert seen["/catalog"].target == "/catalog?mode=full&max=3"
    assert (seen["/orders"].method, json.loads(seen["/orders"].body)) == ("PUT", LABELLED)
    assert sum(each.path == "/flaky" for each in server.seen) == 4
    assert sum(each.path == "/v1/chat/completions" for each in server.seen) == 2
    assert "/recall" not in seen
    assert "/alarm" not in seen
    assert run.results["hanging"].status == "cancelled"
    assert run.results["held"].status == "skipped"


async def test_when_it_fails_its_compensation_its_handler_and_its_clean_up_run(
    tmp_path: Path,
) -> None:
    flow = fs.load(prepare(tmp_path))
    async with loopback() as server:
        serve(server)
        with pytest.raises(fs.HTTPStatusError) as caught:
            await fs.run(flow, **options(server, tmp_path, mode="broken"))
    assert caught.value.status == 500
    paths = [each.path for each in server.seen]
    assert paths[-4:] == ["/broken", "/broken", "/recall", "/alarm"]
    bodies = {each.path: each.body for each in server.seen}
    assert json.loads(bodies["/recall"]) == 201
    alarm = json.loads(bodies["/alarm"])
    assert (alarm["type"], alarm["status"], alarm["node"]) == ("HTTPStatusError", 500, "last")
    assert not (tmp_path / "out").exists(), "it was skipped by its if"
    assert (tmp_path / "end.txt").exists()


def every_node(document: Document) -> list[BaseNode]:
    bodies: list[Body | None] = [document.body, document.on_workflow_error]
    found: list[BaseNode] = []
    while bodies:
        body = bodies.pop()
        if body is None:
            continue
        found += body.nodes
        bodies.append(body.cleanup)
        for node in body.nodes:
            bodies += [*node.bodies, node.compensate]
    return found


def depth(body: Body) -> int:
    return max((depth(inner) + 1 for node in body.nodes for inner in node.bodies), default=0)


def test_it_is_a_document_of_every_element() -> None:
    flow = fs.load(FOLDER / "everything.flow.md")
    nodes = every_node(flow.document)
    assert len(nodes) >= 40
    assert {node.type for node in nodes} == set(fs.registry.names())
    assert depth(flow.document.body) >= 4
