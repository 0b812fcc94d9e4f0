"""Owns tests of numbers of JSON that cannot be held: refused at their place, wherever JSON is read."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands
from flowscript_trio.expression import json_pieces
from flowscript_trio.expression.json_pieces import read_json
from flowscript_trio.runtimes.ai.schema import OutputSchema
from jsons import VALUES

from loopback import loopback

BEYOND = r"a number beyond 1\.8e\+308"
REFUSED = [
    ("1e400", BEYOND),
    ("-1E+309", BEYOND),
    ("1" + "0" * 400 + ".5", BEYOND),
    ("NaN", "NaN is not a JSON number"),
    ("-Infinity", "-Infinity is not a JSON number"),
    ("9" * 4301, "an integer of more than 4,300 digits"),
]
STREAM = '<foreach id="e" collection="x"><set var="v" value="{{item}}"/></foreach>'


def workflow(body: str, head: str = "") -> str:
    return f'<workflow name="w">{head}{body}</workflow>'


async def output(body: str, tmp_path: Path, **given: Any) -> Any:
    return (await fs.run(fs.loads(workflow(body)), base=tmp_path, **given)).output


@pytest.mark.parametrize(("word", "why"), REFUSED, ids=lambda each: each[:9])
def test_a_number_that_cannot_be_held_is_refused_where_it_is(word: str, why: str) -> None:
    text = f'{{"a\\"{word}\\\\": "{word} {word}",\n "b": [1, "x", {{"c": {word}}}, {word}]}}'
    with pytest.raises(json.JSONDecodeError, match=why) as caught:
        read_json(text)
    assert (caught.value.lineno, caught.value.colno) == (2, 22)


def test_the_largest_numbers_are_read() -> None:
    text = f"[{sys.float_info.max!r}, -{sys.float_info.max!r}, 1e-400, {'9' * 4300}]"
    assert repr(read_json(text)) == repr(json.loads(text))


def test_where_python_counts_no_digits_they_are_counted() -> None:
    most = sys.get_int_max_str_digits()
    try:
        for bound, allowed in ((0, 4300), (640, 640)):
            sys.set_int_max_str_digits(bound)
            assert read_json("9" * allowed) == 10**allowed - 1
            with pytest.raises(json.JSONDecodeError, match=f"more than {allowed:,} digits"):
                read_json("9" * (allowed + 1))
    finally:
        sys.set_int_max_str_digits(most)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.randoms(use_true_random=False), st.sampled_from(["1e400", "-Infinity"]))
def test_the_place_is_that_of_the_number_in_text_of_any_length(
    value: Any, chance: random.Random, word: str
) -> None:
    mark = "the number"
    value = {"before": [word, f'\\"{word}', value], "here": mark, "after": value}
    text = json.dumps(value, ensure_ascii=False, indent=chance.choice([None, 1]))
    at = text.index(f'"{mark}"')
    text = text.replace(f'"{mark}"', word)
    before = json_pieces.PIECE, json_pieces.SHORT
    for json_pieces.PIECE, json_pieces.SHORT in (before, (24, 6)):
        with pytest.raises(json.JSONDecodeError) as caught:
            read_json(text)
        assert caught.value.pos == at


@pytest.mark.parametrize("word", ["1e400", "NaN"])
async def test_it_is_refused_with_its_place_wherever_json_is_read(
    word: str, tmp_path: Path
) -> None:
    text = f'{{"a": 1,\n"b": {word}}}'
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "a.jsonl").write_text(f"1\n[{word}]\n")
    files = {
        '<source:file id="x" path="a.json"/>': "a.json:2:6: not valid JSON",
        '<source:file id="x" path="a.jsonl"/>': "a.jsonl:2:2: not valid JSON",
        f'<source:file id="x" path="a.jsonl" stream="true"/>{STREAM}': "a.jsonl:2:2: not valid JSON",
    }
    for body, place in files.items():
        with pytest.raises(fs.FlowScriptError, match=place):
            await output(body, tmp_path)
    expressions = {
        "json_decode($input)": "line 2 column 6",
        "JSON.parse($input)": "line 2 column 6",
    }
    for expression, place in expressions.items():
        with pytest.raises(fs.EvaluationError, match=place):
            await output(f'<set var="v" value="{{{{{expression}}}}}"/>', tmp_path, input=text)
    template = f'<transform:template id="t" format="json" template="[1, {word}]"/>'
    with pytest.raises(fs.FlowScriptError, match="line 1 column 5"):
        await output(template, tmp_path)
    # What does not parse is text where nothing else was asked for.
    auto = template.replace('format="json" ', "")
    assert await output(auto, tmp_path) == f"[1, {word}]"


@pytest.mark.parametrize("word", ["1e400", "NaN"])
async def test_it_is_refused_in_answers_of_http(word: str) -> None:
    async with loopback() as server:
        server.answer("/a", _answer(f'{{"a": 1,\n"b": {word}}}', "application/json"))
        server.answer("/l", _answer(f"1\n[{word}]\n", "application/jsonl"))
        server.answer("/bad", _answer(f"[{word}]", "application/json", 400))
        whole = f'<source:http id="x" url="{server.base}/a"/>'
        lines = f'<source:http id="x" url="{server.base}/l" stream="true"/>{STREAM}'
        for body, place in ((whole, "line 2 column 6"), (lines, ":2:2: not valid JSON")):
            with pytest.raises(fs.FlowScriptError, match=place):
                await fs.run(fs.loads(workflow(body)))
        with pytest.raises(fs.HTTPStatusError) as caught:
            await fs.run(fs.loads(workflow(f'<source:http id="x" url="{server.base}/bad"/>')))
        assert caught.value.body == f"[{word}]"  # what is not whole JSON is text


def _answer(text: str, kind: str, status: int = 200) -> Any:
    from loopback import Answer

    return Answer(status, text.encode(), {"Content-Type": kind})


@pytest.mark.parametrize("word", ["1e400", "NaN"])
def test_it_is_refused_where_people_write_json(word: str, tmp_path: Path) -> None:
    text = workflow('<set var="v" value="{{$input}}"/>', '<param name="p" type="number"/>')
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "in.json").write_text(f"[{word}]")
    for options, said in (
        (["--input", f"[{word}]"], "--input is not JSON: .*line 1 column 2"),
        (["--input", f"@{tmp_path}/in.json"], "in.json is not JSON: .*line 1 column 2"),
        (["--config", f"p={word}"], "expected a number"),
    ):
        done = CliRunner().invoke(commands, ["run", str(tmp_path / "a.xml"), *options])
        assert done.exit_code == 2
        assert_matches(said, done.stderr)
    with pytest.raises(fs.WorkflowInvalid, match="does not fit its type"):
        fs.loads(workflow("", f'<param name="p" type="number" default="{word}"/>'))
    with pytest.raises(ValueError, match="there is no type"):
        OutputSchema(f'{{"type": "number", "maximum": {word}}}')


def assert_matches(pattern: str, text: str) -> None:
    import re

    assert re.search(pattern, text, re.DOTALL), text


async def test_yaml_writes_an_infinity_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: .inf\nb: [1e308, 1e400]\n")
    with pytest.raises(fs.FlowScriptError, match=rf"a\.yaml:2:12: not valid YAML: {BEYOND}"):
        await output('<source:file id="x" path="a.yaml"/>', tmp_path)
    (tmp_path / "a.yaml").write_text("[.inf, '1e400']")
    assert await output('<source:file id="x" path="a.yaml"/>', tmp_path) == [float("inf"), "1e400"]
