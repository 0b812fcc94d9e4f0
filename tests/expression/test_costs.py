"""Owns tests of the table of costs: it is complete, and what is charged is what it says."""

from __future__ import annotations

import contextlib

import pytest

from costing import SAMPLES, Sample, evaluation
from flowscript_trio.expression import function_names
from flowscript_trio.expression.costs import COSTS, OPERATORS
from flowscript_trio.expression.operators import BINARY, UNARY
from flowscript_trio.types.errors import EvaluationError


def test_every_function_and_operator_has_a_cost_and_a_sample() -> None:
    assert set(COSTS) == function_names()
    assert set(OPERATORS) >= {*BINARY, *UNARY}
    assert {sample.name for sample in SAMPLES} == {*COSTS, *OPERATORS}


def charged(sample: Sample, size: int) -> int:
    run, scope = evaluation(sample, size, operations=10**12, seconds=1000.0)
    with contextlib.suppress(EvaluationError):
        run()
    return scope.services.spent


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{s.name} {s.make.__name__}" for s in SAMPLES])
def test_what_is_charged_grows_as_the_table_says(sample: Sample) -> None:
    if sample.counts == "nothing":
        assert charged(sample, 1) >= sample.cost.call
        return
    small, big = 6_000, 24_000
    more = charged(sample, big) - charged(sample, small)
    claimed = sample.claim(big) - sample.claim(small)
    assert more >= claimed / 3 if claimed else more <= big, (more, claimed)
