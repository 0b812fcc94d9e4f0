"""Owns what observes a run for the options of ``flowscript run``: a trace, a record, a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..program.loading import Flow
    from ..types.events import Observer


@contextmanager
def tracing(path: Path | None) -> Iterator[list[Observer]]:
    """What observes a run for ``--trace``; the file is there when the block has ended."""
    if path is None:
        yield []
        return
    from ..observe.trace import writing_trace

    with ExitStack() as stack:
        try:
            observer = stack.enter_context(writing_trace(path))
        except OSError as exc:
            raise click.UsageError(f"--trace {path}: {exc.strerror}") from None
        yield [observer]


@contextmanager
def recording(folder: Path | None, file: str) -> Iterator[list[Observer]]:
    """What observes a run for ``--record``."""
    if folder is None:
        yield []
        return
    from ..observe.chronicle import keeping_chronicle

    with ExitStack() as stack:
        try:
            observer = stack.enter_context(keeping_chronicle(folder, file))
        except OSError as exc:
            raise click.UsageError(f"--record {folder}: {exc.strerror}") from None
        yield [observer]


@contextmanager
def reporting(path: Path | None, flows: Sequence[Flow], file: str) -> Iterator[list[Observer]]:
    """What observes a run for ``--report``; the page is there when the block has ended, however it did.

    The first of ``flows`` is drawn in it, if there is one by then.
    """
    if path is None:
        yield []
        return
    from ..observe.chronicle import Chronicle, Entry
    from ..observe.private_files import PRIVATE
    from ..observe.report import render_report
    from .drawing import drawing_of
    from .writing import write_whole

    entries: list[Entry] = []
    try:
        yield [Chronicle(entries.append, file)]
    finally:
        if entries:
            page = render_report(entries, drawing_of(flows[0]) if flows else None)
            write_whole(path, page, "--report", mode=PRIVATE)
