"""Owns the workloads of costs: each operator and function over as much as the bounds let through.

Beside what the table of costs claims, where nothing is to cost 50 times its claim; and beside the second that
an evaluation has. Both count the processor time of the thread.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from time import thread_time

from costing import ENDLESS, SAMPLES, Sample, evaluation
from flowscript_trio.expression.scope import OPERATION
from flowscript_trio.types.errors import EvaluationError

from .measuring import Workload

SMALL = 0.01
"""The share of the most at which a sample fits its second, so that all that it claims is done."""
OFTEN = 2_000
"""How often a sample is evaluated that costs few operations."""
FEW = 1_000


def seconds(run: Callable[[], object], times: int = 1) -> float:
    """The processor time of evaluations, whether they give a value or meet a bound."""
    began = thread_time()
    for _ in range(times):
        with contextlib.suppress(EvaluationError):
            run()
    return thread_time() - began


def claimed(sample: Sample, scale: float) -> Workload:
    """What an evaluation takes, to the operations that the table claims."""
    size = max(int(sample.most * SMALL * scale), 1_000)
    times = max(int(OFTEN * scale), 1) if sample.claim(size) < FEW else 1

    def engine() -> float:
        run, _ = evaluation(sample, size)
        return seconds(run, times)

    operations = max(sample.claim(size), 4) * times
    name = f"claim: {sample.name} over {sample.make.__name__}"
    return Workload(
        name, "operation", int(operations), engine, lambda: operations * OPERATION, 50, None
    )


def held(sample: Sample, scale: float) -> Workload:
    """How long one evaluation over the most holds its thread, to the second that it has."""
    size = max(int(sample.most * scale), 1_000)

    def engine() -> float:
        run, _ = evaluation(sample, size)
        gc.collect()
        return seconds(run)

    name = f"hold: {sample.name} over {sample.make.__name__}"
    return Workload(name, "evaluation", 1, engine, lambda: 1.0, 1.2, None)


def claims(scale: float) -> Iterator[Workload]:
    for sample in SAMPLES:
        yield claimed(sample, scale)


def holds(scale: float) -> Iterator[Workload]:
    for sample in [*SAMPLES, *ENDLESS]:
        yield held(sample, scale)
