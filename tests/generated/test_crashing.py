"""Random workflows whose processes die at random points: what is promised of durable runs holds of every one.

``FLOWSCRIPT_GENERATED=5000`` sets how many, ``FLOWSCRIPT_SEED=1`` takes others.
"""

from __future__ import annotations

import os
import re
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings

import flowscript_trio as fs
from flowscript_trio.testing.proof.crashing import CrashProver
from flowscript_trio.testing.proof.proving import _options_of

from .runtimes import Leaves
from .shapes import Workflow
from .strategies import workflows
from .writing import write

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("FLOWSCRIPT_GENERATED", 150))
SEED = int(os.environ.get("FLOWSCRIPT_SEED", 0))
UNREPEATABLE = ("flaky", "block", "hang")
"""Leaves that count their calls, hold the thread, or never end."""
LONG = re.compile(r"\d{6,}")
SHORTER = 100_000
"""Generated times are thousands of years, for which no calendar has dates."""
POINTS = 4
PAIRS = 3


def test_generated_workflows_survive_the_death_of_their_processes() -> None:
    tried = 0

    @seed(SEED)
    @settings(
        max_examples=COUNT,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(workflows())
    def survive(workflow: Workflow) -> None:
        nonlocal tried
        text = LONG.sub(lambda found: str(int(found[0]) // SHORTER), write(workflow))
        assume(not any(f'end="{end}"' in text for end in UNREPEATABLE))
        leaves = Leaves()
        flow = fs.loads(text, name="generated.xml", registry=leaves.registry)
        chance = Random(workflow.seed).randrange(1 << 30)
        prover = CrashProver(flow, leaves.registry, lambda: _options_of(None, 0), chance)
        violations = prover.prove(POINTS, PAIRS)
        tried += len(prover.tried)
        assert not violations, text + "\n" + "\n".join(map(str, violations))

    survive()
    assert tried > COUNT
