from __future__ import annotations

import math
from typing import Any

import pytest
import trio

import flowscript_trio as fs

DECLARED = """<workflow name="w">
  <param name="count" type="number" required="true"/>
  <param name="mode" type="enum[fast, slow]" default="fast"/>
  <param name="tags" type="array" default='["a"]'/>
  <secret name="KEY"/>
  <transform type="template" id="t" template="{{BODY}}"/>
</workflow>"""


def run(body: str, **options: Any) -> fs.Run:
    flow = fs.loads(DECLARED.replace("BODY", body), name="w.xml")
    return trio.run(lambda: fs.run(flow, **options))


def test_declared_configuration_is_seen_with_its_defaults_also_by_its_bare_name() -> None:
    done = run("[$config.count, $config.mode, $config.tags, count]", config={"count": 2})
    assert done.output == [2, "fast", ["a"], 2]


def test_everything_wrong_with_the_configuration_is_said_at_once() -> None:
    with pytest.raises(fs.InputError) as caught:
        run("1", config={"mode": "quick", "tags": "a", "cuont": 1})
    message = str(caught.value)
    assert "'count' is missing; expected a number (is 'cuont' meant to be it?)" in message
    assert "'mode' is 'quick'; expected one of fast, slow (declared at w.xml:3:3)" in message
    assert "'tags' is 'a'; expected an array" in message


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "2"])
def test_a_limit_that_is_no_whole_number_of_at_least_1_is_refused(limit: Any) -> None:
    with pytest.raises(fs.InputError, match="max_concurrency"):
        run("1", config={"count": 1}, max_concurrency=limit)


def test_an_unlimited_run_is_allowed() -> None:
    assert run("1", config={"count": 1}, max_concurrency=math.inf).output == 1


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="cofnig"):
        run("1", cofnig={})


def test_a_declared_secret_that_is_missing_is_a_warning_and_an_error_where_it_is_used() -> None:
    done = run("1", config={"count": 1}, secrets={"KEY": ""})
    assert "the secret 'KEY' was not given" in [warning.message for warning in done.warnings]
    with pytest.raises(fs.EvaluationError, match="the secret 'KEY' was not given") as caught:
        run("$secrets.KEY", config={"count": 1})
    assert caught.value.location is not None
    assert run("$secrets.KEY", config={"count": 1}, secrets={"KEY": "s"}).output == "s"


def test_the_library_reads_no_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "from outside")
    assert run("$env.KEY ?? 'none'", config={"count": 1}).output == "none"
    assert run("$env.KEY", config={"count": 1}, env={"KEY": "given"}).output == "given"


def test_seed_and_clock_fix_what_is_left_to_chance() -> None:
    from datetime import UTC, datetime

    def once(seed: int) -> Any:
        moment = datetime(2024, 1, 2, tzinfo=UTC)
        done = run("[random(), uuid(), now()]", config={"count": 1}, seed=seed, now=lambda: moment)
        return done.output

    assert once(1) == once(1) != once(2)
    assert once(1)[2] == "2024-01-02T00:00:00.000Z"


def test_a_variable_of_the_environment_that_is_read_and_not_given_is_an_error_before_anything_runs() -> (
    None
):
    with pytest.raises(fs.InputError) as caught:
        run("$env.HOEM + $env.LANG", config={"count": 1}, env={"HOME": "/"})
    assert str(caught.value) == (
        "the variables that env gives to the run: "
        "$env.HOEM (at w.xml:6:49) is not among them; did you mean 'HOME'?; "
        "$env.LANG (at w.xml:6:61) is not among them"
    )


OF_COPIES = [
    "$secrets[K]",
    "get($secrets, K)",
    "({...$secrets})[K]",
    "({a: 1, ...$secrets, b: 2})[K]",
    "({...{a: 1}, ...$secrets})[K]",
    "merge({a: 1}, $secrets)[K]",
    "merge($secrets, {a: 1})[K]",
    "pick($secrets, 'KEY')[K]",
    "omit($secrets, 'KEY')[K]",
    "set($secrets, 'a', 1)[K]",
    "delete($secrets, 'KEY')[K]",
    "clone({a: [$secrets]}).a[0][K]",
    "[$secrets].map(x => ({...x}))[0][K]",
    "reduce([1], (all, x) => all[K], $secrets)",
    "switch(1, {1: $secrets})[K]",
]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("use", OF_COPIES)
def test_a_secret_of_a_computed_name_that_is_not_there_is_an_error_where_it_is_used(
    use: str, compiled: bool
) -> None:
    expression = f"'Bearer ' + {use.replace('K]', 'input.x]').replace('K)', 'input.x)')}"
    if compiled:  # an expression with an arrow function is made into one of Python at once
        expression = f"[1].map(each => {expression})"
    with pytest.raises(fs.EvaluationError, match=r"there is no secret 'KEYS'.*mean 'KEY'"):
        run(expression, config={"count": 1}, secrets={"KEY": "s"}, input={"x": "KEYS"})


def test_a_secret_that_was_not_given_is_an_error_of_a_copy_too() -> None:
    with pytest.raises(fs.EvaluationError, match=r"the secret 'KEY' was not given"):
        run("({...$secrets}).KEY", config={"count": 1})


def test_a_name_of_a_secret_that_is_computed_is_shown_only_where_it_can_be_one() -> None:
    with pytest.raises(fs.EvaluationError, match="there is no secret of that name") as caught:
        run("$secrets[input]", config={"count": 1}, secrets={"KEY": "s"}, input="my password!")
    assert "password" not in str(caught.value)
