"""Owns the pytest plugin: flows in virtual time as a fixture, the proof as an assertion, seeds by a marker.

pytest loads it for every session, so everything else is imported when a fixture is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..program.loading import Flow
    from .proof import Report
    from .virtual import VirtualRun

MARKER = "flowscript_seeds"
SEED = "flowscript_seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--flowscript-seed``."""
    parser.getgroup("flowscript").addoption(
        "--flowscript-seed",
        type=int,
        metavar="N",
        help=f"the only seed that run_flow and assert_proved use, whatever {MARKER} says",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*seeds, count=None): run the test with each of the seeds, or with this many from 0 on",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with each seed of its marker."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None:
        return
    if SEED not in metafunc.fixturenames:
        if marker in metafunc.definition.own_markers:
            _refuse(metafunc, "it does nothing here; the test uses none of run_flow, assert_proved")
        return
    seeds = _seeds_of(metafunc, marker)
    only = metafunc.config.getoption("flowscript_seed")
    if only is not None:
        seeds = [only]
    metafunc.parametrize(SEED, seeds, indirect=True, ids=[f"seed={seed}" for seed in seeds])


def _seeds_of(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list[int]:
    for name in marker.kwargs:
        if name != "count":
            _refuse(metafunc, f"it takes seeds, or count=…; found {name}=…")
    if "count" in marker.kwargs:
        count = marker.kwargs["count"]
        if marker.args:
            _refuse(metafunc, "it takes seeds, or count=…; found both")
        if not _is_whole(count) or count < 1:
            _refuse(metafunc, f"count is a whole number from 1; found {count!r}")
        return list(range(count))
    if not marker.args:
        _refuse(metafunc, "it takes seeds, or count=…; found neither")
    for seed in marker.args:
        if not _is_whole(seed):
            _refuse(metafunc, f"a seed is a whole number; found {seed!r}")
    return list(dict.fromkeys(marker.args))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(metafunc: pytest.Metafunc, why: str) -> None:
    pytest.fail(f"{metafunc.definition.nodeid}: marker {MARKER}: {why}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the seed of a test that failed."""
    report = yield
    seed = getattr(item, "funcargs", {}).get(SEED)
    if seed is not None and report.failed and call.when == "call":
        told = f"seed {seed}; to run it again: --flowscript-seed {seed}"
        report.sections.append(("flowscript", told))
    return report


@pytest.fixture
def flowscript_seed(request: pytest.FixtureRequest) -> int:
    """The seed that this test is run with: of ``--flowscript-seed``, of its marker, or 0."""
    given = request.config.getoption("flowscript_seed")
    return int(getattr(request, "param", 0) if given is None else given)


@pytest.fixture
def run_flow(flowscript_seed: int) -> Callable[..., VirtualRun]:
    """Runs a workflow in virtual time with stubs: ``flowscript_trio.testing.run_flow`` with the test's seed."""

    def run_with_the_seed(flow: Flow | str | Path, **options: Any) -> VirtualRun:
        __tracebackhide__ = True
        from .virtual import run_flow

        return run_flow(flow, **{"seed": flowscript_seed, **options})

    return run_with_the_seed


@pytest.fixture
def assert_proved(flowscript_seed: int) -> Callable[..., Report]:
    """Proves a workflow with stubs, and fails the test with the report where a promise does not hold.

    The function takes what ``run_flow`` takes, and ``around``, ``seeds``, ``most`` and ``pairs`` as
    ``prove`` does; it returns the report.
    """

    def prove_with_the_seed(
        flow: Flow | str | Path,
        *,
        seed: int = flowscript_seed,
        seeds: int = 1,
        most: int = 20_000,
        pairs: int = 500,
        around: Any = None,
        **given: Any,
    ) -> Report:
        __tracebackhide__ = True
        from .case_proof import prove_case
        from .stage import NotStubbed
        from .virtual import flow_of, make_case, refuse_inside_trio

        refuse_inside_trio("assert_proved")
        flow = flow_of(flow)
        case = make_case(flow, seed=seed, **given)
        unfit: NotStubbed | None = None
        try:
            report = prove_case(
                flow, case, around=around, seed=seed, seeds=seeds, most=most, pairs=pairs
            )
        except NotStubbed as exc:
            unfit = exc
        if unfit is not None:
            pytest.fail(f"{flow.name}: {unfit}", pytrace=False)
        if not report.holds:
            pytest.fail(f"{flow.name} does not keep its promises\n{report.render()}", pytrace=False)
        return report

    return prove_with_the_seed
