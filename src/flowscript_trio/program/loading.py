"""Owns loading: a document's text becomes a flow that is checked, compiled and ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..parser import ReadLimits, parse, read
from ..runtimes import registry as default_registry
from ..runtimes.collector import FullCollections
from ..runtimes.registry import Registry
from ..types.ast import Document
from ..types.deferred import dataclass
from ..types.errors import Problem, WorkflowInvalid
from ..validator import Checked
from ..validator.shapes import DocumentShapes
from .callers import Given, given_by_callers
from .compiled import Program
from .library import Found, Library
from .linking import Linker
from .types import FlowTypes, types_of


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Flow:
    """A loaded workflow: immutable, and it may run many times at once.

    ``warnings`` are the problems of the document, and of those that it runs, that do not keep it from
    running.

    It holds nothing that a cancellation would have to close.
    """

    document: Document
    program: Program
    warnings: tuple[Problem, ...]
    registry: Registry
    checked: Checked
    """What reading found out about every node: settings, references, order."""
    found: Found
    library: Library
    """The files that it was made of."""
    shapes: DocumentShapes
    """What is known about its values; ``types`` says it."""

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def types(self) -> FlowTypes:
        """What is known before it runs about its input, its output, and the output of each node."""
        return types_of(self.shapes)

    def with_registry(self, registry: Registry) -> Flow:
        """This workflow with other runtimes; raises WorkflowInvalid where they do not fit."""
        if registry is self.registry:
            return self
        return flow_of(self.found, self.library, registry)


def load(
    path: str | Path,
    *,
    registry: Registry | None = None,
    limits: ReadLimits | None = None,
    roots: Sequence[str | Path] = (),
    base: str | Path | None = None,
) -> Flow:
    """Read a workflow from a file (``*.xml`` or ``*.flow.md``), and the documents that it runs.

    Args:
        path: the document's file.
        registry: the runtimes; the default ones unless given.
        limits: how large and how deep each document may be.
        roots: folders from which documents may be included and called, besides the including document's
            own folder and those below it.
        base: one more such folder, where the relative path of a document is looked for second; None: that
            is the current folder, from which nothing else may be taken.

    Raises:
        OSError: the file cannot be read.
        WorkflowInvalid: with all problems of all documents at once.

    This is synchronous and quick; nothing of it can be cancelled.
    """
    library = _library(limits, roots, base)
    with FullCollections() as full:
        full.hold_off()
        found = Found(read(path, limits=library.limits), Path(path).resolve())
        return flow_of(found, library, registry or default_registry)


def loads(
    text: str,
    *,
    name: str = "<text>",
    registry: Registry | None = None,
    limits: ReadLimits | None = None,
    roots: Sequence[str | Path] = (),
    base: str | Path | None = None,
) -> Flow:
    """Read a workflow from text; ``name`` stands for the file in places. Raises as :func:`load`.

    A text has no folder: documents that it runs are looked for in ``base``, and may not leave it.

    This is synchronous and quick; nothing of it can be cancelled.
    """
    library = _library(limits, roots, base)
    with FullCollections() as full:
        full.hold_off()
        found = Found(parse(text, file=name, limits=library.limits), None)
        return flow_of(found, library, registry or default_registry)


@dataclass(frozen=True, slots=True)
class Kept:
    """A workflow as text, to be loaded again where its files are not.

    ``texts`` and ``names`` have its document first, and then those that it runs, by their paths; ``path``,
    ``roots`` and ``base`` are what it was loaded with.
    """

    texts: dict[str, str]
    names: dict[str, str]
    path: str | None
    roots: tuple[str, ...]
    base: str | None


def keep(flow: Flow) -> Kept:
    """What has to be kept of a workflow for :func:`restore`."""
    path = None if flow.found.path is None else str(flow.found.path)
    documents = {path or "": flow.document}
    for each, document in flow.library.found.items():
        documents[str(each)] = document
    return Kept(
        {name: document.source.text for name, document in documents.items()},
        {name: document.source.file for name, document in documents.items()},
        path,
        tuple(map(str, flow.library.roots)),
        None if flow.library.base is None else str(flow.library.base),
    )


def restore(kept: Kept, registry: Registry | None = None) -> Flow:
    """Load a workflow from what was kept of it, without its files; raises WorkflowInvalid."""
    library = _library(None, kept.roots, kept.base)
    main, *others = kept.texts
    for name in others:
        parsed = parse(kept.texts[name], file=kept.names[name], limits=library.limits)
        library.give(Path(name), parsed)
    parsed = parse(kept.texts[main], file=kept.names[main], limits=library.limits)
    path = None if kept.path is None else Path(kept.path)
    return flow_of(Found(parsed, path), library, registry or default_registry)


def _library(
    limits: ReadLimits | None, roots: Sequence[str | Path], base: str | Path | None
) -> Library:
    folders = tuple(Path(root) for root in roots)
    return Library(limits or ReadLimits(), folders, None if base is None else Path(base))


def flow_of(found: Found, library: Library, registry: Registry) -> Flow:
    """The flow of a document that was found, with those that it runs; raises WorkflowInvalid."""
    linker = Linker(library, registry)
    chain = () if found.path is None else (found.path,)
    linked = linker.link(found, chain=chain, is_main=True)
    problems = tuple(linker.findings)
    if found.path is not None and any(map(_is_missing, problems)):
        given = given_by_callers(found.path, library)
        if given != Given():
            linker = Linker(library, registry)
            linked = linker.link(found, given.names, chain, given.inherited)  # run by others
            problems = _with_warnings(tuple(linker.findings), problems)
    if linked is None:
        raise WorkflowInvalid(problems)
    checked, program = linked.checked, linked.program
    return Flow(
        checked.document, program, problems, registry, checked, found, library, linked.shapes
    )


def _is_missing(problem: Problem) -> bool:
    """Whether a problem could be none if the document were run by another."""
    return problem.code in ("unknown-name", "unknown-member", "missing-argument")


def _with_warnings(
    problems: tuple[Problem, ...], alone: tuple[Problem, ...]
) -> tuple[Problem, ...]:
    """The problems that a document has with what its callers give, and as warnings those that it has ``alone``."""
    still = {(problem.code, problem.location) for problem in problems}
    missing = [
        replace(problem, severity="warning")
        for problem in alone
        if _is_missing(problem) and (problem.code, problem.location) not in still
    ]
    return tuple(sorted((*problems, *missing), key=lambda problem: problem.location))
