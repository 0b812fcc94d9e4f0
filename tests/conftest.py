"""Owns what the whole session shares: every document that a test loads is kept, for tests of the language."""

from __future__ import annotations

import signal
from operator import attrgetter
from typing import Any

import pytest

from flowscript_trio.execution import loading
from flowscript_trio.execution.handle import Run
from flowscript_trio.runtimes import registry as default_registry
from flowscript_trio.types.errors import WorkflowInvalid

from harvest import LOADED, REFUSED, REPEATED

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A background job: what the tests start would ignore Ctrl-C too, and those that press it would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the texts of documents with the default runtimes, and the codes of what is wrong with them."""
    make_flow = loading._make_flow

    def kept(found: Any, library: Any, registry: Any) -> Any:
        document = found.parsed.document
        try:
            flow = make_flow(found, library, registry)
        except WorkflowInvalid as exc:
            if document is not None and registry is default_registry:
                REFUSED[document.source.text] = {
                    problem.code for problem in exc.problems if problem.severity == "error"
                }
            raise
        if registry is default_registry:
            LOADED[document.source.text] = {problem.code for problem in flow.warnings}
        return flow

    loading._make_flow = kept
    keep_repeated_paths()


def keep_repeated_paths() -> None:
    """Look at the record of every run of the session for two executions with one path."""
    attach, path_of = Run._attach, attrgetter("path")

    def looking(self: Run) -> None:
        paths = list(map(path_of, self.record._kept))  # no code of ours: others count calls
        if len(set(paths)) < len(paths):
            REPEATED.update(path for path in paths if paths.count(path) > 1)
        attach(self)

    Run._attach = looking  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of what all documents of the session have in common come last."""
    items.sort(key=lambda item: item.get_closest_marker("every_document") is not None)
