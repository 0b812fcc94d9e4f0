"""Owns the proof of the guide to documents of strangers: every line holds something that nothing else does."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

from harvest import ROOT
from loopback import Answer, Loopback, loopback

PAGE = (ROOT / "docs" / "howto" / "strangers.md").read_text(encoding="utf-8")
RECIPE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
GIVEN = {"input", "http", "limits", "budget"}
"""What hands something over and holds nothing by itself."""

Run = Callable[..., Any]


class Without(ast.NodeTransformer):
    """The recipe without one of its words, a keyword."""

    def __init__(self, word: str) -> None:
        self._word = word

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != self._word]
        return node


def run_stranger(without: str = "") -> Run:
    """The function of the guide, as it stands there or without a word."""
    names: dict[str, Any] = {}
    exec(ast.unparse(Without(without).visit(ast.parse(RECIPE))), names)
    found: Run = names["run_stranger"]
    return found


def words() -> set[str]:
    """What the recipe says: its keywords."""
    calls = [node for node in ast.walk(ast.parse(RECIPE)) if isinstance(node, ast.Call)]
    return {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}


def workflow(body: str) -> str:
    return f'<workflow name="w">{body}</workflow>'


def expression(text: str) -> str:
    return workflow(f'<transform:map id="m" input="$input" expression="{text}"/>')


def fetch(path: str, settings: str = "") -> str:
    return workflow(f'<source:http id="h" url="{{{{$input.base}}}}/{path}" {settings}/>')


EACH = '<foreach id="f" collection="range({})">{}</foreach>'
IN_TWO_MINUTES = '<loop id="l" max="120"><delay duration="1s"/></loop>'
DEEP = '<if id="i{}" condition="1"><then>'
EIGHT = '<foreach id="f" collection="[1,2,3,4,5,6,7,8]" maxConcurrency="unlimited">{}</foreach>'

OFFLINE = {
    "registry": (workflow('<source:database id="d" connection="sqlite://" query="select 1"/>'), fs.WorkflowInvalid),
    "size": (workflow(f"<!-- {'x' * 100_000} --><set var='x' value='1'/>"), fs.WorkflowInvalid),
    "depth": (workflow("".join(map(DEEP.format, range(20))) + "<set var='x' value='1'/>" + "</then></if>" * 20), fs.WorkflowInvalid),
    "seconds": (workflow(IN_TWO_MINUTES), fs.BudgetExceeded),
    "nodes": (workflow(EACH.format(450, "<set var='x' value='1'/>" * 3)), fs.BudgetExceeded),
    "rounds": (workflow(EACH.format(600, "<set var='x' value='1'/>")), fs.BudgetExceeded),
    "output_bytes": (workflow("".join(f"<set var='x{n}' value=\"{{{{repeat('x', 900000) + {n}}}}}\"/>" for n in range(20))), fs.BudgetExceeded),
    "places": (workflow('<transform:map id="m" input="$input" expression="item" place="thread"/>'), fs.InputError),
    "base": (workflow('<source:file id="f" path="{{$input.outside}}"/>'), fs.FlowScriptError),
    "operations": (expression("count(range(1000), i => count(range(2000), j => j))"), fs.LimitExceeded),
    "text": (expression("length(repeat('x', 2000000))"), fs.LimitExceeded),
    "items": (expression("length(reverse(range(200000)))"), fs.LimitExceeded),
}  # fmt: skip
ONLINE = {
    "allow": (fetch("page"), "refused"),
    "redirects": (fetch("go", 'redirects="follow"'), "elsewhere"),
    "max_bytes": (fetch("large"), "refused"),
    "requests": (workflow(EACH.format(20, '<source:http id="h" url="{{$input.base}}/small"/>')), "refused"),
}  # fmt: skip
"""Each with what becomes of it."""


def test_every_word_of_the_recipe_is_tried_by_an_attack() -> None:
    assert words() - GIVEN == {*OFFLINE, *ONLINE, "tasks", "cleanup"}
    told = {
        found
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for found in re.findall(r"`(\w+)", row)
    }
    assert told == {*OFFLINE, *ONLINE, "tasks", "cleanup"}


@pytest.mark.parametrize("word", OFFLINE)
def test_a_document_that_goes_past_a_line_is_refused_and_without_the_line_it_is_not(
    word: str, tmp_path: Path
) -> None:
    text, error = OFFLINE[word]
    (tmp_path / "base").mkdir()
    outside = tmp_path / "outside.txt"
    outside.write_text("key")

    def run(without: str = "") -> Any:
        clock = MockClock(autojump_threshold=0) if word == "seconds" else None
        given = {"outside": str(outside)}
        made = run_stranger(without)
        return trio.run(made, text, given, tmp_path / "base", [], clock=clock)

    with pytest.raises(error):
        run()
    assert run(word).status == "completed"


async def serve(server: Loopback) -> None:
    server.page("/page", {"a": 1})
    server.page("/go", "elsewhere", 302, location=f"{server.base}/page")
    server.page("/small", 1)
    server.answer("/large", Answer(body="x" * 1_500_000))


@pytest.mark.parametrize("word", ONLINE)
async def test_a_request_that_goes_past_a_line_is_refused_and_without_the_line_it_is_not(
    word: str, tmp_path: Path
) -> None:
    hosts = ["203.0.113.7"] if word == "allow" else ["127.0.0.1"]
    text, wanted = ONLINE[word]

    async def outcome(without: str = "") -> Any:
        try:
            return (
                await run_stranger(without)(text, {"base": server.base}, tmp_path, hosts)
            ).output
        except fs.FlowScriptError:
            return "refused"

    async with loopback() as server:
        await serve(server)
        assert await outcome() == wanted
        assert "/page" not in [seen.path for seen in server.seen]
        assert await outcome(word) not in (wanted, None)


@pytest.mark.parametrize(("without", "at_once"), [("", 4), ("tasks", 8)])
async def test_no_more_nodes_are_at_work_than_the_budget_has_tasks(
    without: str, at_once: int, tmp_path: Path
) -> None:
    text = workflow(EIGHT.format('<source:http id="h" url="{{$input.base}}/page"/>'))
    async with loopback() as server:
        full = trio.Event()

        async def page(seen: Any) -> Answer:
            if server.now == at_once:
                full.set()
            await full.wait()
            return Answer(body=1)

        server.pages["/page"] = page
        await run_stranger(without)(text, {"base": server.base}, tmp_path, ["127.0.0.1"])
        assert server.most == at_once


@pytest.mark.parametrize(("without", "seconds"), [("", 2), ("cleanup", 60)])
def test_clean_up_has_no_more_time_than_the_budget_gives_it(
    without: str, seconds: int, tmp_path: Path
) -> None:
    text = workflow(
        '<set var="x" value="1"/><finally timeout="1d"><delay duration="60s"/></finally>'
    )

    async def elapsed() -> float:
        began = trio.current_time()
        with suppress(fs.FlowScriptError, trio.TooSlowError):
            await run_stranger(without)(text, None, tmp_path, [])
        return trio.current_time() - began

    assert trio.run(elapsed, clock=MockClock(autojump_threshold=0)) == pytest.approx(seconds)


def test_nothing_is_given_that_the_recipe_does_not_name(tmp_path: Path) -> None:
    (tmp_path / "other.xml").write_text(workflow("<set var='x' value='1'/>"))
    for body in (
        '<set var="x" value="{{$secrets.KEY}}"/>',
        '<include id="i" workflow="other.xml"/>',
        f'<call id="i" workflow="{tmp_path}/other.xml"/>',
    ):
        with pytest.raises(fs.WorkflowInvalid):
            trio.run(run_stranger(), workflow(body), None, tmp_path, [])
    with pytest.raises(fs.InputError, match=r"\$env.HOME"):
        trio.run(
            run_stranger(), workflow('<set var="x" value="{{$env.HOME}}"/>'), None, tmp_path, []
        )
