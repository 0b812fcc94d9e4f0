"""Owns what the whole session shares: signals as on a terminal, one path an execution, documents to keep."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from flowscript_trio.execution.handle import Run
from flowscript_trio.program import loading
from flowscript_trio.runtimes import registry as default_registry

# A background job, or one under nohup: what the tests start would ignore the signals that are ignored here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")  # a busy machine is no reason to fail

repeated: set[str] = set()
"""Every path that two executions of one run had in this test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--keep-documents",
        metavar="FOLDER",
        help="keep the text of every document that the tests load in a file of this folder (see tests/harvest.py)",
    )


def pytest_configure(config: pytest.Config) -> None:
    look_at_paths()
    folder = config.getoption("--keep-documents")
    if folder:
        keep_documents(Path(folder) / f"{os.getpid()}.jsonl")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Proofs come first: they search all objects of their process again and again, and there are few as yet."""
    folder = Path(__file__).parent / "testing"
    items.sort(key=lambda item: folder not in item.path.parents)


def look_at_paths() -> None:
    """Look at the record of every run for two executions with one path."""
    attach, path_of = Run._attach, attrgetter("path")

    def looking(self: Run) -> None:
        paths = list(map(path_of, self.record))
        if len(set(paths)) < len(paths):
            repeated.update(path for path in paths if paths.count(path) > 1)
        attach(self)

    Run._attach = looking  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _one_path_an_execution(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test runs: no two executions of one run share a path, unless it breaks the engine on purpose."""
    repeated.clear()
    yield
    assert repeated == set() or request.node.get_closest_marker("breaks_the_engine")


@pytest.fixture(autouse=True)
def _handlers_of_logs_as_before() -> Iterator[None]:
    """Whatever a test runs: the root logger has the handlers that it had, so the next test logs as it expects."""
    root = logging.getLogger()
    before = set(root.handlers)
    yield
    assert set(root.handlers) == before


def keep_documents(path: Path) -> None:
    make_flow = loading.flow_of

    def kept(found: Any, library: Any, registry: Any) -> Any:
        document = found.parsed.document
        if document is not None and registry is default_registry:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(document.source.text) + "\n")
        return make_flow(found, library, registry)

    loading.flow_of = kept
