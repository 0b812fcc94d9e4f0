"""Owns the tests of database sinks in durable runs: with a table of markers nothing is lost or written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.journal.store import MemoryStore, Store
from flowscript_trio.runtimes.database import markers
from flowscript_trio.runtimes.streams import Items, Stream
from flowscript_trio.types.storing import StoreFailed
from shops import Shop, make, new_shop

from postgresql import POSTGRESQL


@pytest.fixture(params=["sqlite", POSTGRESQL])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return new_shop(request.param, tmp_path)


ROWS = """<workflow name="w">
  <source:rows id="r" count="3"/>
  <sink:database id="k" input="r" connection="{{$config.db}}" table="t" batch="2"/>
  <sink:after id="z" input="k"/>
</workflow>"""


class Dying:
    """A run whose process dies at a moment of its store, or right after the effect of a sink."""

    def __init__(self, shop: Shop, text: str = ROWS) -> None:
        self.shop = shop
        self.text = text
        self.store: MemoryStore = Store.memory(watch=self._watch)
        self.die_at: tuple[str, int] | None = None
        self.warnings: list[str] = []
        self.given: list[Any] = []
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:rows")(self._rows)
        self.registry.runtime("sink:after")(self._after)
        self.registry = self.registry.wrapped(self._around)
        self._effects = 0

    async def _rows(self, params: fs.ExecutionParams) -> Any:
        return [{"id": number, "note": "x"} for number in range(int(params.config["count"]))]

    async def _after(self, params: fs.ExecutionParams) -> Any:
        self.given.append(params.input)

    async def _around(self, runtime: Any, params: fs.ExecutionParams) -> Any:
        output = await runtime.execute(params)
        if params.node.type == "sink:database":
            self._effects += 1
            if self.die_at == ("effect", self._effects):
                self.store.crash()
        return output

    def _watch(self, moment: str, number: int) -> None:
        if (moment, number) == self.die_at:
            self.store.crash()

    def process(self, die_at: tuple[str, int] | None = None) -> bool:
        """Begin or resume the run; whether the process died."""
        self.die_at, self._effects = die_at, 0

        async def main() -> None:
            flow = fs.loads(self.text, registry=self.registry)
            run = await fs.run(flow, store=self.store, run_id="r", config={"db": self.shop.url})
            self.warnings = [each.message for each in run.record.warnings]

        try:
            trio.run(main)
        except StoreFailed:
            return True
        return False


def moments(commits: int) -> list[tuple[str, int]]:
    found = [(moment, number) for number in range(1, commits + 1) for moment in ("before", "after")]
    return [*found, ("effect", 1)]


def test_a_sink_with_markers_writes_once_wherever_its_process_dies(shop: Shop) -> None:
    make(shop)
    whole = Dying(shop)
    whole.process()
    assert shop.ids == [0, 1, 2]
    deaths = 0
    for moment in moments(whole.store.commits):
        shop.ask("DELETE FROM t")
        shop.ask("DELETE FROM flowscript_markers")
        dying = Dying(shop)
        deaths += dying.process(moment)
        assert not dying.process()
        assert shop.ids == [0, 1, 2], moment
        assert dying.given[-1] == {"rows": 3, "batches": 2}, moment
        assert dying.warnings == []
    assert deaths >= 6


def test_a_sink_without_markers_may_write_twice_and_says_how_that_is_mended(shop: Shop) -> None:
    dying = Dying(shop)
    with pytest.warns(fs.FlowScriptWarning, match="at least once"):
        assert dying.process(("effect", 1))
    with pytest.warns(fs.FlowScriptWarning, match="flowscript markers CONNECTION"):
        assert not dying.process()
    assert shop.ids == [0, 0, 1, 1, 2, 2]
    (said,) = dying.warnings
    assert "no table flowscript_markers" in said


def test_the_warning_is_given_once_a_database_and_not_without_a_store(shop: Shop) -> None:
    text = """<workflow name="w"><foreach id="f" collection="[1,2,3]">
      <sink:database id="k" input="r" connection="{{$config.db}}" table="t"/></foreach>
      <source:rows id="r" count="1"/></workflow>"""
    dying = Dying(shop, text)
    with pytest.warns(fs.FlowScriptWarning) as caught:
        dying.process()
    assert len(caught) == 1
    flow = fs.loads(text, registry=dying.registry)
    run = trio.run(lambda: fs.run(flow, config={"db": shop.url}))
    assert run.record.warnings == []


@pytest.mark.parametrize(
    "operation",
    ['operation="upsert" conflict-columns="id"', 'operation="update" where="id"'],
)
def test_every_operation_has_its_marker(operation: str, shop: Shop) -> None:
    make(shop)
    shop.ask("CREATE UNIQUE INDEX u ON t (id)")
    shop.ask("INSERT INTO t VALUES (0, 'old')")
    text = ROWS.replace('table="t"', f'table="t" {operation}')
    dying = Dying(shop, text)
    assert dying.process(("effect", 1))
    shop.ask("UPDATE t SET note = 'newer'")  # by somebody else, since the process died
    assert not dying.process()
    assert {note for _, note in shop.ask("SELECT id, note FROM t")} == {"newer"}
    rows = 1 if "update" in operation else 3
    assert dying.given[-1]["rows"] == rows


def test_many_rows_that_are_copied_are_written_once(shop: Shop) -> None:
    make(shop)
    dying = Dying(shop, ROWS.replace('count="3"', 'count="2000"'))
    assert dying.process(("effect", 1))
    assert not dying.process()
    assert shop.ids == list(range(2000))
    assert dying.given[-1] == {"rows": 2000, "batches": 1000}


def test_each_iteration_and_each_attempt_of_a_block_has_a_marker_of_its_own(shop: Shop) -> None:
    make(shop)
    text = """<workflow name="w"><source:rows id="r" count="1"/>
      <foreach id="f" collection="[1,2,3]" after="r">
        <sink:database id="k" input="r" connection="{{$config.db}}" table="t"/></foreach>
      <parallel id="p" after="f"><branch>
        <sink:database id="k2" input="r" connection="{{$config.db}}" table="t"/>
        <source:flaky id="x"/></branch>
        <on-error><retry max="1" when="true" base="0s"/></on-error></parallel></workflow>"""
    dying = Dying(shop, text)
    calls: list[int] = []

    async def flaky(params: fs.ExecutionParams) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no")

    dying.registry.runtime("source:flaky")(flaky)
    dying.process()
    assert shop.ids == [0] * 5
    assert len(shop.ask("SELECT key FROM flowscript_markers")) == 5


def test_an_attempt_after_a_commit_whose_answer_was_lost_writes_nothing_more(shop: Shop) -> None:
    make(shop)
    text = ROWS.replace(
        'batch="2"/>',
        'batch="2"><on-error><retry max="1" when="true" base="0s"/></on-error></sink:database>',
    )
    dying = Dying(shop, text)
    lost: list[int] = []

    async def losing(runtime: Any, params: fs.ExecutionParams) -> Any:
        output = await runtime.execute(params)
        if params.node.label == "k" and not lost:
            lost.append(1)
            raise ConnectionError("the answer was lost")
        return output

    dying.registry = dying.registry.wrapped(losing)
    assert not dying.process()
    assert lost
    assert shop.ids == [0, 1, 2]
    assert dying.given == [{"rows": 3, "batches": 2}]


def test_a_sink_that_fails_leaves_no_marker(shop: Shop) -> None:
    make(shop)
    dying = Dying(shop, ROWS.replace('table="t"', 'table="nowhere"'))
    with pytest.raises(Exception, match="nowhere"):
        dying.process()
    assert shop.ask("SELECT key FROM flowscript_markers") == []


def test_a_stream_is_written_once(shop: Shop) -> None:
    make(shop)
    text = """<workflow name="w"><sink:pour id="k"/></workflow>"""
    registry = fs.Registry(base=fs.registry)
    given: list[Any] = []

    @registry.runtime("sink:pour")
    async def pour(params: fs.ExecutionParams) -> None:
        from flowscript_trio.runtimes.database.engines import open_database
        from flowscript_trio.runtimes.database.once import Marker
        from flowscript_trio.runtimes.database.pouring import write_stream
        from flowscript_trio.runtimes.database.types import DatabaseSinkConfig

        database = await open_database(params.run, shop.url)
        config = DatabaseSinkConfig(connection=shop.url, table="t")
        for _ in range(2):
            rows = Items([{"id": number} for number in range(5000)])
            stream = Stream("rows", rows)
            marker = Marker("the key", "the run")
            given.append(await write_stream(database, config, stream, marker))

    trio.run(lambda: fs.run(fs.loads(text, registry=registry)))
    assert given == [{"rows": 5000, "batches": 50}] * 2
    assert shop.ids == list(range(5000))


def test_a_database_in_memory_needs_no_markers() -> None:
    text = """<workflow name="w"><source:database id="c" connection="sqlite://" query="CREATE TABLE t (id)"/>
      <set id="r" var="r" value='{{ [{"id": 1}] }}' after="c"/>
      <sink:database id="k" input="r" connection="sqlite://" table="t"/>
      <output><set field="n" value="{{k.rows}}"/></output></workflow>"""
    run = trio.run(lambda: fs.run(fs.loads(text), store=Store.memory()))
    assert run.output == {"n": 1}
    assert run.record.warnings == []


def test_markers_of_runs_are_forgotten_and_others_stay(shop: Shop) -> None:
    make(shop)
    make(shop)  # as often as one likes
    for number in range(3):
        shop.ask(f"INSERT INTO flowscript_markers (key, run) VALUES ('k{number}', 'r{number}')")
    assert trio.run(markers.forget_markers, shop.url, ["r0", "r2", "nobody"]) == 2
    assert shop.ask("SELECT run FROM flowscript_markers") == [("r1",)]


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("SELECT 1", True),
        ("  -- what it does\n select 'DELETE' as \"INSERT\"", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("WITH a AS (DELETE FROM t RETURNING id) SELECT * FROM a", False),
        ("INSERT INTO t VALUES (1)", False),
        ("SELECT * INTO u FROM t", False),
        ("CREATE TABLE t (id)", False),
        ("VACUUM", False),
    ],
)
def test_a_query_that_changes_something_is_on_disk_as_begun_first(query: str, reads: bool) -> None:
    from flowscript_trio.runtimes.database.placeholders import only_reads

    assert only_reads(query) is reads
