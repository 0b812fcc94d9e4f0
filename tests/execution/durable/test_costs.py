"""Owns the tests of what a journal costs: commits that are waited for, bytes of a node, and nothing without one."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.compensations import Compensations
from flowscript_trio.execution.durable.decisions import Decisions
from flowscript_trio.execution.durable.digests import Digests
from flowscript_trio.execution.durable.leaving import Leaving
from flowscript_trio.execution.durable.outcomes import Outcomes
from flowscript_trio.execution.durable.readings import Readings
from flowscript_trio.execution.durable.recorder import Recorder
from flowscript_trio.execution.durable.restoring import Restoring
from flowscript_trio.execution.durable.retries import Retries
from flowscript_trio.execution.durable.run_clock import RunClock
from flowscript_trio.execution.durable.run_journal import RunJournal
from flowscript_trio.execution.durable.working_time import WorkingTime
from flowscript_trio.journal.store import MemoryStore
from flowscript_trio.journal.values import decode_value

from crashing import Crashing


def undisturbed(text: str, **options: Any) -> MemoryStore:
    work = Crashing(text, **options)
    process = work.process()
    assert process.error is None
    return work.store


@pytest.mark.parametrize("nodes", [1, 5, 20])
def test_a_node_costs_at_most_one_commit(nodes: int) -> None:
    inner = "".join(f'<source:act id="n{i}"/>' for i in range(nodes))
    store = undisturbed(
        f'<workflow name="w"><if id="i" condition="true"><then>{inner}</then></if></workflow>'
    )
    assert store.commits <= nodes + 1  # and one for the end of the run


def test_a_pass_costs_at_most_one_commit() -> None:
    inner = "".join(f'<branch><source:act id="n{i}"/></branch>' for i in range(20))
    store = undisturbed(
        f'<workflow name="w"><parallel id="p" max-concurrency="20">{inner}</parallel></workflow>'
    )
    assert store.commits == 2


@pytest.mark.parametrize("block", ["parallel", "foreach"])
def test_what_ends_in_one_pass_is_one_row(block: str) -> None:
    branches = "".join(f'<branch><source:act id="n{i}"/></branch>' for i in range(20))
    text = {
        "parallel": f'<parallel id="p" max-concurrency="20">{branches}</parallel>',
        "foreach": '<foreach id="p" collection="range(0, 20)" max-concurrency="20"><source:act id="n"/></foreach>',
    }[block]
    rows = undisturbed(f'<workflow name="w">{text}</workflow>').rows_of("r")
    assert [row.kind for row in rows if row.key == "p"] == ["jobs"]
    assert sum(row.kind == "ended" for row in rows) == 20


def test_branches_that_end_in_different_passes_are_not_one_row() -> None:
    branches = "".join(
        f'<branch><source:act id="n{i}" takes="{i % 3}"/></branch>' for i in range(20)
    )
    rows = undisturbed(
        f'<workflow name="w"><parallel id="p" max-concurrency="20">{branches}</parallel></workflow>'
    ).rows_of("r")
    found = [decode_value(row.data)[:2] for row in rows if row.key == "p"]
    assert [sorted(indices) for indices, _ in found] == [
        list(range(start, 20, 3)) for start in (0, 1, 2)
    ]
    assert len({at for _, at in found}) == 3


def test_nodes_that_compute_write_nothing() -> None:
    few = undisturbed(
        '<workflow name="w"><loop id="l" max="2"><transform:template id="t" template="x"/></loop></workflow>'
    )
    many = undisturbed(
        '<workflow name="w"><loop id="l" max="200"><transform:template id="t" template="x"/></loop></workflow>'
    )
    assert len(many.rows_of("r")) == len(few.rows_of("r"))


def test_the_bytes_of_a_node_do_not_grow_with_the_state() -> None:

    def largest(size: int) -> int:
        body = "".join(f'<source:act id="n{i}"/>' for i in range(size))
        rows = undisturbed(
            f'<workflow name="w"><timeout id="t" duration="9h">{body}</timeout></workflow>'
        ).rows_of("r")
        return max(len(row.data) for row in rows if row.kind in ("started", "ended"))

    assert largest(50) <= largest(5) + 8


def test_without_a_store_nothing_of_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("there is no journal")

    parts = Compensations, Decisions, Digests, Leaving, Outcomes, Readings, Restoring, Retries
    for owner in (Recorder, RunClock, RunJournal, WorkingTime, *parts):
        for name in [name for name in vars(owner) if callable(vars(owner)[name])]:
            monkeypatch.setattr(owner, name, refuse)
    flow = fs.loads(
        """<workflow name="w"><timeout id="t" duration="5s"><delay id="d" duration="0s"/></timeout>
        <foreach id="f" collection="[1,2]"><transform:template id="x" template="{{now()}}"/></foreach>
        <finally><set var="v" value="1"/></finally></workflow>"""
    )

    assert trio.run(fs.run, flow).status == "completed"


def test_settings_that_are_the_same_each_time_are_hashed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[Any] = []
    digest = Digests.of

    def counted(digests: Digests, settings: Any) -> str:
        hashed.append(settings)
        return digest(digests, settings)

    monkeypatch.setattr(Digests, "of", counted)
    undisturbed("""<workflow name="w"><loop id="l" max="5">
      <source:act id="same" gives="x"/><source:act id="other" gives="{{$iteration}}"/></loop></workflow>""")
    assert [each["gives"] for each in hashed] == ["x", 0, 1, 2, 3, 4]
