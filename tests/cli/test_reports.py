from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import flowscript_trio as fs
from flowscript_trio.cli import demo, run
from flowscript_trio.cli.commands import commands
from flowscript_trio.cli.reports import render_failure

from stubs import Stubs

SIBLINGS = """
<parallel id="p" maxConcurrency="unlimited">
  {waiting}
  <branch><source:stub id="bad" takes="10ms" fails="no&#127;"/></branch>
</parallel>
"""


@pytest.fixture
def invoke(tmp_path: Path) -> Any:
    def call(command: str, text: str, *args: str) -> Result:
        path = tmp_path / "flow.xml"
        path.write_text(text, encoding="utf-8")
        return CliRunner().invoke(commands, [command, str(path), *args])

    return call


def siblings(count: int) -> str:
    waiting = "\n".join(
        f'<branch><source:stub id="w{n}" hangs="true"/></branch>' for n in range(count)
    )
    return SIBLINGS.format(waiting=waiting)


async def failure_of_run(body: str) -> tuple[fs.Flow, Exception]:
    flow = Stubs().load(body)
    with pytest.raises(ValueError, match="no") as caught:
        await fs.run(flow)
    return flow, caught.value


async def test_a_failure_names_the_node_its_line_its_branch_and_who_was_cancelled_in_order(
    autojump_clock: Any,
) -> None:
    flow, error = await failure_of_run(siblings(3))
    assert render_failure(flow, error).splitlines() == [
        "ValueError: no\\x7f",
        "test.xml:7:11: bad",
        '    7 |   <branch><source:stub id="bad" takes="10ms" fails="no&#127;"/></branch>',
        "      |           ^^^^^^^^^^^^",
        "flowscript: node 'bad' at test.xml:7:11 failed (in p/3)",
        "flowscript: in p: 3 branches were cancelled",
        "  cancelled: p/0/w0 after 0.010 s: p/3 failed: ValueError",
        "  cancelled: p/1/w1 after 0.010 s: p/3 failed: ValueError",
        "  cancelled: p/2/w2 after 0.010 s: p/3 failed: ValueError",
    ]


async def test_many_cancelled_siblings_are_one_line_that_counts_them_and_names_five(
    autojump_clock: Any,
) -> None:
    flow, error = await failure_of_run(siblings(50))
    lines = render_failure(flow, error).splitlines()
    assert lines[-1] == (
        "  50 cancelled because p/50 failed: p/0/w0, p/1/w1, p/2/w2, p/3/w3, p/4/w4, …"
    )
    assert sum("p/7/w7" in line or "p/0/w0" in line for line in lines) == 1
    assert len(lines) < 10


async def test_notes_of_many_lines_come_before_the_error_which_people_look_for_at_the_end() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:far")
    async def far(params: fs.ExecutionParams) -> None:
        error = ValueError("no")
        error.add_note("on process 7:\n" + "a line of a traceback\n" * 30)
        error.add_note("a short one")
        raise error

    flow = fs.loads('<workflow name="w"><source:far id="f"/></workflow>', registry=registry)
    with pytest.raises(ValueError, match="no") as caught:
        await fs.run(flow)
    lines = render_failure(flow, caught.value).splitlines()
    assert lines[0] == "on process 7:"
    assert lines.index("ValueError: no") > 30
    assert lines.index("a short one") > lines.index("ValueError: no")
    assert len(lines) - lines.index("ValueError: no") < 10


def test_the_line_of_a_node_in_an_included_document_is_shown(invoke: Any, tmp_path: Path) -> None:
    (tmp_path / "lib.xml").write_text(
        """<workflow name="lib">
  <transform:template id="t" template="{{null + 1}}"/></workflow>"""
    )
    done = invoke("run", '<workflow name="w"><include id="i" workflow="lib.xml"/></workflow>', "-q")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    place = next(number for number, line in enumerate(lines) if line.endswith("lib.xml:2:3: t"))
    assert lines[place + 1].endswith(
        '2 |   <transform:template id="t" template="{{null + 1}}"/></workflow>'
    )
    assert lines[place + 2].endswith("|   " + "^" * len("<transform:template"))


async def test_blocks_around_what_was_cancelled_are_not_counted(autojump_clock: Any) -> None:
    hanging = '<source:stub id="w" hangs="true"/>'
    flow, error = await failure_of_run(f"""<parallel id="p">
      <branch><foreach id="f" collection="range(8)" maxConcurrency="8">{hanging}</foreach></branch>
      <branch><source:stub id="bad" takes="10ms" fails="no"/></branch>
    </parallel>""")
    last = render_failure(flow, error).splitlines()[-1]
    assert last == ("  8 cancelled because p/1 failed: p/0/f[0]/w, p/0/f[1]/w, p/0/f[2]/w, …")


async def test_names_that_do_not_fit_on_the_line_are_left_out(autojump_clock: Any) -> None:
    long = siblings(6).replace('id="p"', f'id="{"p" * 40}"')
    flow, error = await failure_of_run(long)
    last = render_failure(flow, error).splitlines()[-1]
    assert last == f"  6 cancelled because {'p' * 40}/6 failed"


async def test_a_long_line_of_source_fits_on_the_terminal_with_its_caret(
    autojump_clock: Any,
) -> None:
    flow, error = await failure_of_run(
        f'<!-- {"x" * 70} --><source:stub id="bad" fails="no"/><!-- {"y" * 70} -->'
    )
    source, caret = render_failure(flow, error, columns=60).splitlines()[2:4]
    assert len(source) <= 60
    assert source[caret.index("^") :].startswith("<source:stub")
    wide = render_failure(flow, error).splitlines()[2]
    assert len(wide) > 150


async def test_the_other_failures_and_the_attempts_are_told(autojump_clock: Any) -> None:
    flow, error = await failure_of_run(
        """<parallel id="p">
          <branch><source:stub id="a" fails="no">
            <on-error><retry max="2" when="true" base="1ms"/></on-error>
          </source:stub></branch>
          <branch><source:stub id="b" hangs="true" cleanup="fail"/></branch>
        </parallel>"""
    )
    text = render_failure(flow, error)
    assert "  after 3 attempts\n" in text
    assert "  failed too: p/1/b: ValueError: clean-up of b" in text


async def test_of_an_error_of_many_lines_a_terminal_shows_the_first_ones(
    autojump_clock: Any,
) -> None:
    flow, error = await failure_of_run(
        """<source:stub id="a" fails="{{join(map(range(30), n => 'line ' + n), base64_decode('Cg=='))}}"/>"""
    )
    shown = render_failure(flow, error, 80).splitlines()
    assert shown[:6] == [
        "ValueError: line 0",
        *(f"line {n}" for n in range(1, 5)),
        "  … 25 more lines",
    ]
    assert shown[6].endswith(": a")
    assert "line 29" in render_failure(flow, error)


async def test_of_other_failures_each_has_one_line_and_none_for_the_blocks_around_it(
    autojump_clock: Any,
) -> None:
    flow, error = await failure_of_run(
        """<parallel id="p" fail-fast="false">
          <branch><source:stub id="a" fails="no"/></branch>
          <branch><if id="i" condition="true"><then>
            <source:stub id="b" fails="{{repeat('wide ', 60)}}" takes="1s"/></then></if></branch>
        </parallel>"""
    )
    lines = [line for line in render_failure(flow, error, 80).splitlines() if "failed too" in line]
    assert len(lines) == 1
    assert lines[0].startswith("  failed too: p/1/i/b: ValueError: wide")
    assert len(lines[0]) == 80


def test_an_input_that_does_not_fit_is_wrong_use_but_not_where_a_node_says_so() -> None:
    flow = fs.loads('<workflow name="w"><delay id="d" duration="1ms" input="input"/></workflow>')
    with pytest.raises(SystemExit) as left:
        run.fail(flow, fs.InputError("wrong"))
    assert left.value.code == 2
    with pytest.raises(SystemExit) as left:
        run.fail(flow, ValueError("a node failed"))
    assert left.value.code == 1


async def test_an_input_error_of_a_node_is_a_failure_of_the_workflow() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:picky")
    async def picky(params: fs.ExecutionParams) -> None:
        raise fs.InputError("a node does not like it")

    flow = fs.loads('<workflow name="w"><source:picky id="p"/></workflow>', registry=registry)
    with pytest.raises(fs.InputError) as caught:
        await fs.run(flow)
    with pytest.raises(SystemExit) as left:
        run.fail(flow, caught.value)
    assert left.value.code == 1


def test_an_output_that_is_no_json_is_told_with_its_path(invoke: Any) -> None:
    text = '<workflow name="w"><transform type="map" id="m" expression="1e308 * 10"/></workflow>'
    done = invoke("run", text, "-q", "-i", "[1]")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "$[0] is Infinity" in done.stderr


def test_nan_is_no_input(invoke: Any) -> None:
    text = '<workflow name="w"><transform type="map" id="m" expression="item"/></workflow>'
    done = invoke("run", text, "-q", "-i", "[NaN]")
    assert done.exit_code == 2
    assert "NaN is not a JSON number: line 1 column 2" in done.stderr


def test_inspect_tells_handlers_from_nodes_and_what_a_run_can_be_given(invoke: Any) -> None:
    text = """<workflow name="w">
      <param name="mode" type="enum[fast, slow]" default="fast"/>
      <param name="n" type="number" required="true"/>
      <secret name="KEY"/>
      <source:file id="f" path="x"><on-error><fallback node="cached"/></on-error></source:file>
      <transform type="template" id="t" template="{{f}}"/>
      <transform type="template" id="cached" template="c"/>
    </workflow>"""
    done = invoke("inspect", text)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "└─ cached  transform:template  (line 7)  (handler)" in lines
    assert lines[-6:] == [
        "waves:",
        "  1. f",
        "  2. t",
        'config: mode (enum[fast, slow]) = "fast"',
        "config: n (number, required)",
        "secret: KEY",
    ]
    described = json.loads(invoke("inspect", text, "--json").stdout)
    assert described["waves"] == [["f"], ["t"]]
    assert [node.get("handler") for node in described["nodes"]] == [None, None, True]
    assert described["secrets"] == ["KEY"]


def test_inspect_shows_where_nodes_branches_and_iterations_run(invoke: Any) -> None:
    text = """<workflow name="w">
      <transform:map id="m" input="{{[1]}}" expression="item" place="process"/>
      <transform:map id="own" input="{{[1]}}" expression="item" place="here"/>
      <parallel id="p">
        <branch place="gpu"><delay id="a" duration="0s"/></branch>
        <branch><delay id="b" duration="0s"/></branch>
      </parallel>
      <foreach id="f" collection="[1]" place="cluster"><delay id="c" duration="0s"/></foreach>
    </workflow>"""
    lines = invoke("inspect", text).stdout.splitlines()
    assert [line.strip("├└─│ ") for line in lines[1:9]] == [
        "m  transform:map  at process  (line 2)",
        "own  transform:map  (line 3)",
        "p  control:parallel  (line 4)",
        "branch 0  at gpu",
        "a  control:delay  (line 5)",
        "branch 1",
        "b  control:delay  (line 6)",
        "f  control:foreach  at cluster  (line 8)",
    ]
    m, own, p, f = json.loads(invoke("inspect", text, "--json").stdout)["nodes"]
    assert (m["place"], own["place"], f["place"]) == ("process", "here", "cluster")
    assert "place" not in p
    assert [branch.get("place") for branch in p["bodies"]] == ["gpu", None]


async def test_the_demo_knows_the_failure_that_it_expects(autojump_clock: Any) -> None:
    text = """<parallel id="p">
      <branch><source:stub id="api1" hangs="true"/></branch>
      <branch><source:stub id="{0}" fails="no"/></branch>
      <branch><source:stub id="{1}" hangs="true"/></branch>
    </parallel>"""
    for ids, expected in [
        (("api2", "api3"), True),
        (("api3", "api2"), False),
        (("api2", "x"), False),
    ]:
        _, error = await failure_of_run(text.format(*ids))
        assert demo.is_as_expected(error) is expected
    assert not demo.is_as_expected(ValueError("of no run"))
