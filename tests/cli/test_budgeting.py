from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import flowscript_trio as fs
from flowscript_trio.cli.budgeting import read_budget

ENDLESS = """<workflow name="w">
  <while id="w" condition="true" max="1000000000"><delay duration="1ms"/></while>
</workflow>"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("seconds=10", fs.Budget(seconds=10)),
        ("seconds=1.5m, tasks=20", fs.Budget(seconds=90, tasks=20)),
        ("cleanup=0,nodes=1_000", fs.Budget(cleanup=0, nodes=1000)),
        (
            "output_bytes=64MiB,record_bytes=2MB",
            fs.Budget(output_bytes=2**26, record_bytes=2_000_000),
        ),
        ("requests=0,rounds=7", fs.Budget(requests=0, rounds=7)),
    ],
)
def test_a_budget_is_written_in_one_word(given: str | None, expected: fs.Budget | None) -> None:
    assert read_budget(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "a budget has no ''; expected seconds, cleanup, tasks, "),
        ("second=1", "a budget has no 'second'; did you mean 'seconds'?"),
        ("seconds", "seconds has no value; write seconds=…"),
        ("nodes=1,nodes=2", "nodes is given twice"),
        ("seconds=soon", "seconds: 'soon' is not a duration"),
        ("seconds=0", "the budget's seconds is 0.0; expected a number of seconds above 0"),
        ("tasks=0", "the budget's tasks is 0; expected a whole number of at least 1"),
        ("nodes=many", "nodes is 'many'; expected a whole number such as 1000"),
        ("nodes=1MB", "nodes is '1MB'; expected a whole number such as 1000"),
        ("output_bytes=-1", "output_bytes is '-1'; expected a whole number such as 1000000, 64MB"),
    ],
)
def test_what_is_wrong_with_a_budget_is_said(given: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_budget(given)
    assert message in str(caught.value)


def test_a_run_within_a_budget_says_what_it_exceeded(tmp_path: Path) -> None:
    path = tmp_path / "w.xml"
    path.write_text(ENDLESS)
    command = [sys.executable, "-m", "flowscript_trio", "run", str(path), "-q", "--budget"]
    done = subprocess.run([*command, "rounds=20"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the run went through more rounds than its budget of 20, at 'w[20]'" in done.stderr
    assert "Traceback" not in done.stderr
    done = subprocess.run([*command, "bound=20"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a budget has no 'bound'" in done.stderr


def test_a_run_that_stays_within_its_budget_gives_its_output(tmp_path: Path) -> None:
    path = tmp_path / "w.xml"
    path.write_text(ENDLESS.replace('condition="true"', 'condition="$iteration &lt; 3"'))
    command = [sys.executable, "-m", "flowscript_trio", "run", str(path), "-q"]
    done = subprocess.run(
        [*command, "--budget", "rounds=3,nodes=4,seconds=1m"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, None)
