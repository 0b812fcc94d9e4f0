"""Owns the tests of ``flowscript prove``: what plays the nodes, streams, choice of cases, and the exit status."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
TEXT = """<workflow name="w">
  <param name="who" type="string"/>
  <source:http id="a" url="http://x.invalid/{{$config.who}}">
    <on-error><fallback node="b"/></on-error>
  </source:http>
  <source:file id="b" path="b.txt"/>
  <transform type="template" id="c" template="{{a.name}}"/>
</workflow>"""
CASES = """
cases:
  first one: {stubs: {a: {output: {name: Ada}, delay: 1s}, b: {output: {name: b}}}, output: Ada}
  second one: {stubs: {a: [{output: {name: Ada}}, {hangs: true}], b: {output: 1}}, output: Ada}
  only a: {stubs: {a: {output: {name: Ada}, delay: 1s}}, output: Ada}
  a hangs: {stubs: {a: {error: no}, b: {hangs: true}}, error: no}
  fails: {stubs: {a: {error: no}, b: {error: neither}}, output: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w.xml").write_text(TEXT)
    (tmp_path / "w.test.yaml").write_text(CASES)
    return tmp_path


def flowscript(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLOWSCRIPT, "prove", *args], capture_output=True, text=True, check=False, cwd=folder
    )


def proofs(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return list(json.loads(done.stdout)["proofs"])


def test_without_cases_stand_ins_play_the_nodes_and_it_is_said_which(folder: Path) -> None:
    (folder / "w.test.yaml").unlink()
    done = flowscript(folder, "w.xml", "--config", "who=me")
    assert done.returncode == 0, done.stderr
    [proof] = proofs(done)
    assert proof["case"] is None
    assert proof["tried"]["cancellations"] > 3
    assert proof["undisturbed"] == "completed"
    lines = done.stderr.splitlines()
    assert lines[0] == "w"
    said = "  played by stand-ins, which take 1 s and give null: a (source:http), b (source:file)"
    assert lines[1] == said
    assert "`flowscript test`" in lines[2]
    assert (
        lines[-1] == f"{proof['points']} points tried in {proof['runs']} runs: every promise held"
    )
    assert any(line.split() == ["seed", "0"] for line in lines)


def test_a_stand_in_takes_a_virtual_second(folder: Path) -> None:
    (folder / "w.xml").write_text(
        '<workflow name="w"><source:file id="a" path="a"/><source:file id="b" path="b" after="a"/></workflow>'
    )
    [proof] = proofs(flowscript(folder, "w.xml", "--no-cases", "--pairs", "0"))
    assert proof["tried"]["deadlines from outside"] == 2


def test_what_a_run_is_given_reaches_it(folder: Path) -> None:
    text = """<workflow name="w"><param name="n" type="number"/><secret name="S"/>
      <while id="l" max="2" condition="$iteration lt input + $config.n + len($env.E) + len($secrets.S)">
        <delay id="d" duration="1s"/></while></workflow>"""
    (folder / "w.xml").write_text(text)
    given = ["-i", "0", "-c", "n=0", "-e", "E"]
    for secret, ending in (("s", "completed"), ("four", "failed: TooManyRounds: ")):
        env = {**os.environ, "E": "e", "S": secret}
        args = [*FLOWSCRIPT, "prove", "w.xml", "--no-cases", "--pairs", "0", *given]
        done = subprocess.run(
            args, capture_output=True, text=True, check=False, cwd=folder, env=env
        )
        [proof] = proofs(done)
        assert proof["undisturbed"].startswith(ending), done.stderr


def test_the_cases_beside_a_workflow_are_proved_each_with_its_stubs(folder: Path) -> None:
    done = flowscript(folder, "w.xml", "-k", "ONE", "--pairs", "20")
    assert done.returncode == 0, done.stderr
    assert [proof["case"] for proof in proofs(done)] == ["first one", "second one"]
    assert [proof["undisturbed"] for proof in proofs(done)] == ["completed"] * 2
    assert "w: first one\n" in done.stderr
    assert "stand-ins" not in done.stderr
    summary = json.loads(done.stdout)
    assert summary["points"] == sum(proof["points"] for proof in proofs(done))
    assert summary["violations"] == 0


def test_a_node_of_which_a_case_says_nothing_is_played_by_a_stand_in(folder: Path) -> None:
    done = flowscript(folder, "w.xml", "--case", "only a", "--pairs", "0")
    assert done.returncode == 0, done.stderr
    assert "give null: b (source:file)\n" in done.stderr


def test_a_node_that_is_real_is_named_and_runs(folder: Path) -> None:
    (folder / "b.txt").write_text("b")
    (folder / "w.test.yaml").write_text(
        "cases: {c: {stubs: {a: {error: no}}, real: [b], output: null}}"
    )
    done = flowscript(folder, "w.xml", "--pairs", "0")
    assert "  for real, in each run: b\n" in done.stderr
    assert "stand-ins" not in done.stderr
    assert proofs(done)[0]["undisturbed"] == "completed"


def test_a_promise_that_does_not_hold_is_shown_and_the_exit_status_is_1(folder: Path) -> None:
    done = flowscript(folder, "w.xml", "--case", "a hangs", "--pairs", "0")
    assert done.returncode == 1
    [proof] = proofs(done)
    found = {violation["promise"] for violation in proof["violations"]}
    assert "every run ends" in found
    assert "every run ends: " in done.stderr
    count = len(proof["violations"])
    assert done.stderr.endswith(f"runs: {count} violation{'' if count == 1 else 's'}\n")


def test_it_is_said_when_the_undisturbed_run_fails(folder: Path) -> None:
    done = flowscript(folder, "w.xml", "--case", "fails", "--pairs", "0")
    assert done.returncode == 0
    assert "undisturbed, the run failed: StubError: neither" in done.stderr
    assert "what follows the failure was not tried; see `flowscript test`" in done.stderr
    (folder / "w.xml").write_text(
        '<workflow name="w"><source:file id="a" path="a.json"/><sink:file id="b" path="{{a.x + 1}}"/></workflow>'
    )
    done = flowscript(folder, "w.xml", "--no-cases", "--pairs", "0")
    assert done.returncode == 0
    assert "is it the null of a stand-in?" in done.stderr


def test_a_failure_that_the_case_expects_is_nothing_to_speak_of(folder: Path) -> None:
    (folder / "w.test.yaml").write_text(
        "cases: {c: {stubs: {a: {error: no}, b: {error: no}}, error: no}}"
    )
    assert "not tried" not in flowscript(folder, "w.xml", "--pairs", "0").stderr


def test_points_pairs_and_seeds_can_be_chosen(folder: Path) -> None:
    one = ["w.xml", "--case", "first one"]
    [few] = proofs(flowscript(folder, *one, "--most", "5", "--pairs", "3", "--seed", "7"))
    assert (few["points"], few["seed"]) == (8, 7)
    assert few["left_out"] > 0
    [twice] = proofs(flowscript(folder, *one, "--most", "5", "--pairs", "3", "--seeds", "2"))
    assert twice["points"] == 16


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["w.xml", "--case", "frist one"],
            "there is no case 'frist one'; did you mean 'first one'?",
        ),
        (["w.xml", "-k", "nothing"], "no case is chosen"),
        (["w.xml", "--cases", "none.yaml"], "none.yaml: No such file"),
        (["w.xml", "--no-cases", "-k", "one"], "--no-cases leaves the cases out"),
        (["w.xml", "--input", "1"], "--input is not for proofs of cases"),
        (["w.xml", "--seeds", "0"], "0 is not in the range"),
        (["none.xml"], "none.xml: No such file"),
        (["w.xml", "--no-cases", "-c", "who"], "'who' is not KEY=VALUE"),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_exits_with_2(folder: Path, args: list[str], message: str) -> None:
    done = flowscript(folder, *args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_input_that_does_not_fit_the_workflow_exits_with_2(folder: Path) -> None:
    (folder / "w.xml").write_text(
        '<workflow name="w"><param name="n" required="true"/><delay duration="1s"/></workflow>'
    )
    done = flowscript(folder, "w.xml", "--no-cases")
    assert done.returncode == 2
    assert "'n'" in done.stderr
    assert done.stdout == ""


def test_a_terminal_shows_how_far_the_proof_is(folder: Path) -> None:
    main, side = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    env.pop("NO_COLOR", None)
    args = [*FLOWSCRIPT, "prove", "w.xml", "--case", "first one"]
    with subprocess.Popen(
        args, stdout=subprocess.PIPE, stderr=side, text=True, env=env, cwd=folder
    ) as process:
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # how Linux tells the end of a terminal
                break
            if not part:
                break
            shown += part
        out, _ = process.communicate()
    os.close(main)
    runs = json.loads(out)["runs"]
    assert f"/{runs}".encode() in shown or f"{runs}/".encode() in shown
    assert b"every promise held" in shown


def test_ctrl_c_ends_a_proof_with_130(folder: Path) -> None:
    args = [*FLOWSCRIPT, "prove", "w.xml", "--case", "first one", "--seeds", "10000"]
    with subprocess.Popen(
        args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (first, out, err.strip()) == ("w: first one\n", "", "interrupted")
    assert process.returncode == 130
