"""Owns what the whole session shares: every document that a test loads is kept, for tests of the language."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from flowscript_trio.execution import loading
from flowscript_trio.runtimes import registry as default_registry
from flowscript_trio.types.errors import WorkflowInvalid

from harvest import LOADED, REFUSED

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of what all documents of the session have in common come last."""
    items.sort(key=lambda item: item.get_closest_marker("every_document") is not None)
