from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
GOOD = """<workflow name="greet">
  <param name="count" type="number" default="1">how often</param>
  <param name="who" type="string"/>
  <transform type="template" id="hello" template="{{$config.who}}: {{repeat('hi ', $config.count)}}{{input}}"/>
</workflow>"""
FAILING = """<workflow name="w">
  <parallel id="p">
    <branch><delay id="slow" duration="1h"/></branch>
    <branch><source:file id="gone" path="no-such-file.txt"/></branch>
  </parallel>
</workflow>"""
HANGING = """<workflow name="w">
  <parallel id="p">
    <branch><delay id="a" duration="1h"/></branch>
    <branch><delay id="b" duration="1h"/></branch>
  </parallel>
</workflow>"""


def flowscript(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLOWSCRIPT, *args], capture_output=True, text=True, check=False, timeout=60, **options
    )


@pytest.fixture
def document(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "flow.xml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_run_writes_the_output_as_json_and_everything_for_people_to_standard_error(
    document: Any,
) -> None:
    done = flowscript(
        "run", document(GOOD), "-c", "count=2", "--config", "who=Ada", "--input", '"!"'
    )
    assert done.returncode == 0
    assert json.loads(done.stdout) == "Ada: hi hi !"
    assert "success    hello" in done.stderr


def test_each_command_says_what_it_does_in_a_line_that_is_not_cut_off() -> None:
    done = flowscript("--help", env={**os.environ, "COLUMNS": "80"})
    _, _, listed = done.stdout.partition("Commands:\n")
    lines = listed.splitlines()
    assert len(lines) > 20
    assert all(re.fullmatch(r"  \w+ +[A-Z][^.]+\.", line) for line in lines), listed


def test_the_input_may_stand_in_a_file(document: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('"?"')
    done = flowscript("run", document(GOOD), "-i", f"@{tmp_path / 'in.json'}", "-q")
    assert json.loads(done.stdout) == ": hi ?"
    assert done.stderr == ""


def test_a_failing_workflow_exits_with_1_and_says_what_failed_and_who_was_cancelled(
    document: Any,
) -> None:
    done = flowscript("run", document(FAILING))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "FileNotFoundError" in done.stderr
    assert 'source:file id="gone"' in done.stderr
    assert "^^^^" in done.stderr
    assert "cancelled: p/0/slow" in done.stderr
    assert "p/1 failed: FileNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-c", "count"], "is not KEY=VALUE"),
        (["-c", "count=x"], "--config count='x': expected a number, such as count=3"),
        (["-i", "{"], "is not JSON"),
        (["-i", "Ada's"], """put a text in quotes: --input '"Ada'"'"'s"'"""),
        (["-i", "@nowhere.json"], "nowhere.json"),
        (["--max-concurrency", "0"], "max-concurrency"),
        (["--bogus"], "No such option"),
        (["--runtimes", "m"], "goes before the command: flowscript --runtimes MODULE run"),
    ],
)
def test_wrong_use_exits_with_2(document: Any, args: list[str], message: str) -> None:
    done = flowscript("run", document(GOOD), *args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


LISTED = """<workflow name="w">
  <param name="urls" type="array"/>
  <transform:map id="m" input="$config.urls" expression="item + '!'"/>
</workflow>"""


def test_an_array_of_the_configuration_is_json_or_a_file_of_it(
    document: Any, tmp_path: Path
) -> None:
    file = tmp_path / "urls.json"
    file.write_text('["a", "b"]')
    path = document(LISTED)
    for given in ('["a", "b"]', f"@{file}"):
        done = flowscript("run", path, "--config", f"urls={given}")
        assert json.loads(done.stdout) == ["a!", "b!"]
    done = flowscript("run", path, "--config", "urls=a")
    assert 'expected an array, such as urls=\'["a", "b"]\', or urls=@FILE' in done.stderr
    done = flowscript("run", path, "--config", "urls=@nowhere.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--config urls=@nowhere.json: No such file or directory" in done.stderr


def test_an_invalid_document_exits_with_2_and_shows_all_problems(document: Any) -> None:
    path = document('<workflow name="w"><delay id="a" duration="x"/><deelay id="b"/></workflow>')
    for command in ("run", "validate", "inspect"):
        done = flowscript(command, path)
        assert done.returncode == 2
        assert "1:30" in done.stderr or "1:41" in done.stderr or "duration" in done.stderr
        assert "did you mean 'delay'" in done.stderr
        assert "2 errors" in done.stderr


def test_validate_gives_problems_as_json(document: Any) -> None:
    done = flowscript(
        "validate", "--json", document('<workflow name="w"><deelay id="b"/></workflow>')
    )
    assert done.returncode == 2
    [problem] = json.loads(done.stdout)
    assert problem["line"] == 1
    assert problem["column"] == 20
    assert problem["suggestion"] == "delay"


def test_validate_accepts_a_good_document(document: Any) -> None:
    done = flowscript("validate", document(GOOD))
    assert done.returncode == 0
    assert done.stderr == "valid\n"


def test_inspect_shows_the_tree_and_what_waits_for_what(document: Any) -> None:
    text = """<workflow name="w" version="1.0">
      <transform type="template" id="a" template="1"/>
      <parallel id="p"><branch><transform type="template" id="b" template="{{a}}"/></branch></parallel>
    </workflow>"""
    done = flowscript("inspect", document(text))
    assert done.returncode == 0
    assert "after a" in done.stdout
    assert "1. a\n  2. p" in done.stdout
    described = json.loads(flowscript("inspect", "--json", document(text)).stdout)
    assert described["waves"] == [["a"], ["p"]]
    assert described["nodes"][1]["waits_for"] == ["a"]
    assert described["nodes"][1]["bodies"][0]["nodes"][0]["id"] == "b"


def test_dry_run_checks_everything_and_runs_nothing(document: Any, tmp_path: Path) -> None:
    text = """<workflow name="w"><param name="k" required="true"/>
      <sink:file id="f" path="out.txt"/></workflow>"""
    done = flowscript("run", document(text), "--dry-run", cwd=tmp_path)
    assert done.returncode == 2
    assert "'k' is missing" in done.stderr
    done = flowscript("run", document(text), "--dry-run", "-c", "k=1", cwd=tmp_path)
    assert done.returncode == 0
    assert not (tmp_path / "out.txt").exists()


def test_secrets_come_from_the_environment_by_their_names(document: Any) -> None:
    text = """<workflow name="w"><secret name="KEY"/>
      <transform type="template" id="t"
        template="{{length($secrets.KEY)}}/{{length($secrets[$input])}}"/></workflow>"""
    env = {**os.environ, "KEY": "12345", "OTHER": "123"}
    done = flowscript("run", document(text), "--secret", "OTHER", "--input", '"OTHER"', env=env)
    assert json.loads(done.stdout) == "5/3"


def test_the_demo_shows_a_success_and_a_failure() -> None:
    done = flowscript("demo")
    assert done.returncode == 0
    assert [len(body) for body in json.loads(done.stdout)] == [2, 2, 1]
    assert "HTTPStatusError" in done.stderr
    assert "2 branches were cancelled" in done.stderr


def test_the_tree_is_live_on_a_terminal(document: Any) -> None:
    main, side = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(
        [*FLOWSCRIPT, "run", document(FAILING)], stdout=subprocess.PIPE, stderr=side, env=env
    ) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert process.wait(30) == 1
    os.close(main)
    text = shown.decode()
    assert "✗" in text
    assert "gone <source:file>" in text
    assert "⊘" in text
    assert "slow <delay>" in text


@contextmanager
def killed_after(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    """What does not end by itself ends all the same, and its test fails."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@pytest.mark.slow
def test_ctrl_c_at_any_moment_exits_with_130_and_prints_no_failure(document: Any) -> None:
    path = document(HANGING)
    chance = random.Random(7)
    for _ in range(50):
        with (
            subprocess.Popen(
                [*FLOWSCRIPT, "run", path],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
            killed_after(60, process),
        ):
            assert process.stderr is not None
            seen = process.stderr.readline()
            spin = time.perf_counter() + chance.random() * 0.05
            while time.perf_counter() < spin:
                pass
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        assert process.returncode == 130, err
        assert out == ""
        assert "Traceback" not in err
        assert "failed" not in seen + err


def test_expressions_see_only_the_variables_of_the_environment_that_are_named(
    document: Any,
) -> None:
    text = (
        '<workflow name="w"><transform:template id="t" template="{{$env.SEEN}} {{$env.HIDDEN ?? 0}}"/>'
        '<output><set field="t" value="{{t}}"/><set field="env" value="{{$env}}"/></output></workflow>'
    )
    env = {**os.environ, "SEEN": "yes", "HIDDEN": "no"}
    done = flowscript("run", document(text), "--env", "SEEN", "-e", "NOT_SET", env=env)
    assert json.loads(done.stdout) == {"t": "yes 0", "env": {"SEEN": "yes"}}
    assert "warning: NOT_SET is not in the environment" in done.stderr


def test_a_variable_of_the_environment_that_is_read_must_be_named(document: Any) -> None:
    text = '<workflow name="w"><transform:template id="t" template="{{$env.SEEN}}"/></workflow>'
    done = flowscript("run", document(text), "-e", "SEEM", env={**os.environ, "SEEM": "1"})
    assert done.returncode == 2
    assert "flow.xml:1:59) is not among them" in done.stderr
    assert "did you mean 'SEEM'?" in done.stderr


def test_the_watchdog_names_a_node_that_reaches_no_checkpoint(document: Any) -> None:
    hog = """<workflow name="w">
      <set var="x" value="{{reduce(range(100000), (a, b) => a + b, 0)}}"/>
      <output><set field="x" value="{{x}}"/></output>
    </workflow>"""
    done = flowscript("run", document(hog), "--watchdog", "1ms", "--quiet")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"x": 4999950000})
    assert "flow.xml:2:7: the node 'set@2' " in done.stderr
    done = flowscript("run", document(hog), "--watchdog", "1ms")
    assert "warning    the node 'set@2' held up the program for " in done.stderr
    assert flowscript("run", document(hog), "--quiet").stderr == ""


@pytest.mark.parametrize("wrong", ["0s", "soon", "-1s"])
def test_a_watchdog_without_a_time_is_wrong_use(document: Any, wrong: str) -> None:
    done = flowscript("run", document(GOOD), "-c", "who=Ada", f"--watchdog={wrong}")
    assert done.returncode == 2
    assert "--watchdog" in done.stderr
    assert "expected a duration" in done.stderr


TYPED = (
    '<workflow name="w"><set id="a" var="v" value="{{ {x: 1} }}"/>'
    '<if id="b" condition="$input"><then><set id="c" var="w" value="{{a.x}}"/></then></if></workflow>'
)


def test_inspect_shows_what_is_known_of_each_node(document: Any) -> None:
    done = flowscript("inspect", "--types", document(TYPED))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[1:5] == [
        "├─ a  control:set  (line 1)  → {x: number}",
        "└─ b  control:if  (line 1)  → number?  after a",
        "   then",
        "     └─ c  control:set  (line 1)  → number",
    ]
    assert lines[-2:] == ["input: any", "output: number?"]
    assert "→" not in flowscript("inspect", document(TYPED)).stdout


def test_inspect_gives_types_as_json_schema(document: Any) -> None:
    described = json.loads(flowscript("inspect", "--types", "--json", document(TYPED)).stdout)
    assert described["nodes"][0]["output"] == {
        "type": "{x: number}",
        "schema": {
            "type": "object",
            "properties": {"x": {"type": "number"}},
            "required": ["x"],
            "additionalProperties": False,
        },
    }
    assert described["types"]["output"]["type"] == "number?"
    plain = json.loads(flowscript("inspect", "--json", document(TYPED)).stdout)
    assert "types" not in plain
    assert "output" not in plain["nodes"][0]
