from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands
from flowscript_trio.cli.limiting import read_limits
from flowscript_trio.testing.proof.others import Others
from flowscript_trio.types.limits import BreakerRule, Rate

from planting import let_too_many_in

NODE = '<workflow name="w"><transform:template id="a" template="done" limit="api"/></workflow>'
HOLDS = """<workflow name="w"><if id="i" condition="true" limit="x"><then>
  <transform:template id="a" template="done" limit="y"/></then></if></workflow>"""


def write(folder: Path, text: str) -> str:
    file = folder / "w.xml"
    file.write_text(text)
    return str(file)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def test_a_limit_is_told_by_its_name_and_its_rules() -> None:
    found = read_limits(
        (
            "github=max=5,rate=100/s,burst=20,shared",
            "api=breaker=5 in 1m, 30s,max=2",
            "a.b-c= rate = 1/10ms , burst = 3",
        )
    )
    github, api, third = found.values()
    assert list(found) == ["github", "api", "a.b-c"]
    assert (github.max, github.rate, github.burst, github.shared) == (5, Rate(100, 1), 20, True)
    assert (api.breaker, api.max, api.shared) == (BreakerRule(5, 60, 30), 2, False)
    assert (third.name, third.rate, third.burst) == ("a.b-c", Rate(1, 0.01), 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("api", "is not NAME=RULE"),
        ("=max=5", "is not NAME=RULE"),
        ("two words=max=5", "is not NAME=RULE"),
        ("api=", "a limit has no ''; expected max, rate, burst, breaker, shared"),
        ("api=5", "a limit has no '5'"),
        ("api=maxx=5", "did you mean 'max'?"),
        ("api=max", "max has no value; write max=…"),
        ("api=max=0", "a whole number of at least 1"),
        ("api=max=many", "a whole number of at least 1"),
        ("api=max=5,max=6", "max is given twice"),
        ("api=shared=yes", "shared has no value"),
        ("api=shared", "a limit limits something"),
        ("api=rate=fast", "is not a rate"),
        ("api=burst=2,max=1", "burst goes only with rate"),
        ("api=breaker=5 in 1m", "5 in 1m, 30s"),
    ],
)
def test_what_is_no_limit_is_refused_with_what_is_expected(given: str, said: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_limits((given,))
    assert said in caught.value.message


def test_a_limit_is_given_once() -> None:
    with pytest.raises(click.BadParameter, match="api is given twice"):
        read_limits(("api=max=1", "api=max=2"))


def test_a_run_takes_a_limit_that_the_command_line_gives(tmp_path: Path) -> None:
    file = write(tmp_path, NODE)
    missing = call("run", file, "-q")
    assert missing.exit_code == 2
    assert "takes the limit 'api', which is neither declared nor given" in missing.stderr
    done = call("run", file, "-q", "--limit", "api=max=1,rate=10/s")
    assert (done.exit_code, json.loads(done.stdout)) == (0, "done")
    wrong = call("run", file, "-q", "--limit", "api=many")
    assert wrong.exit_code == 2
    assert "Invalid value for '--limit'" in wrong.stderr


def test_a_limit_is_shared_in_the_store_alone(tmp_path: Path) -> None:
    file = write(tmp_path, NODE)
    without = call("run", file, "-q", "--limit", "api=max=1,shared")
    assert without.exit_code == 2
    assert "'api' is shared in a store, and the run has none" in without.stderr
    store = str(tmp_path / "runs.db")
    done = call("run", file, "-q", "--limit", "api=max=1,shared", "--store", store)
    assert (done.exit_code, json.loads(done.stdout)) == (0, "done")


def test_a_limit_that_may_not_be_held_so_is_a_wrong_use(tmp_path: Path) -> None:
    file = write(tmp_path, HOLDS)
    done = call("run", file, "-q", "--limit", "x=rate=1/s", "--limit", "y=max=1")
    assert done.exit_code == 2
    assert "the limit 'x' is a rate" in done.stderr


def test_a_worker_and_a_resumption_take_the_limits_of_the_command_line(tmp_path: Path) -> None:
    file, store = write(tmp_path, NODE), str(tmp_path / "runs.db")
    for run in ("one", "two"):
        assert call("submit", file, "--store", store, "--run-id", run).exit_code == 0
    passed = call("work", "--store", store, "--until-empty")
    assert "passed over  one" in passed.stderr
    done = call("resume", "one", "-q", "--store", store, "--limit", "api=max=1,shared")
    assert (done.exit_code, json.loads(done.stdout)) == (0, "done")
    worked = call("work", "--store", store, "--until-empty", "--limit", "api=max=1,shared")
    assert worked.exit_code == 0
    assert "completed    two" in worked.stderr


def proof(*arguments: str) -> dict[str, Any]:
    done = call("prove", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_proof_takes_limits_and_runs_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    run = Others.run

    async def counted(self: Others, options: Any) -> bool:
        assert list(options.limits) == ["api"]
        ran.append(self.count)
        return await run(self, options)

    monkeypatch.setattr(Others, "run", counted)
    file = write(tmp_path, NODE)
    alone = proof(file, "--limit", "api=max=1")
    assert alone["violations"] == 0
    assert ran == []
    beside = proof(file, "--limit", "api=max=1", "--beside", "2", "--most", "20", "--pairs", "0")
    assert beside["violations"] == 0
    assert set(ran) == {2}
    assert len(ran) == 2 * beside["runs"]


@pytest.mark.slow
@pytest.mark.breaks_the_engine
def test_a_limit_that_lets_too_many_in_is_found_with_runs_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_too_many_in(monkeypatch)
    file = write(
        tmp_path, '<workflow name="w"><delay id="d" duration="1s" limit="api"/></workflow>'
    )
    few = (file, "--limit", "api=max=1", "--most", "20", "--pairs", "0")
    assert proof(*few)["violations"] == 0
    beside = call("prove", *few, "--beside", "1")
    assert beside.exit_code == 1
    assert "no more hold a limit over all runs" in beside.stderr


def test_what_runs_beside_is_of_no_use_where_each_process_dies(tmp_path: Path) -> None:
    file = write(tmp_path, NODE)
    done = call("prove", file, "--crash", "--beside", "2", "--limit", "api=max=1")
    assert done.exit_code == 2
    assert "--beside is for runs that go on" in done.stderr
