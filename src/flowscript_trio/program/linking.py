"""Owns linking: the documents that a workflow includes and calls are checked and compiled with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ..runtimes.registry import Registry
from ..types.ast import CallNode, Document, IncludeNode, Setting
from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.shapes import UNKNOWN, Shape
from ..validator import Checked, CheckedNode, Inherited, check
from ..validator.arguments import arguments_of, check_arguments, keep_texts
from ..validator.shapes import DocumentShapes
from ..validator.streams import is_stream
from .compile import compile_program
from .compiled import Program
from .holding import problems_of
from .library import Found, Library, shown
from .placing import check_travelling

DEEPEST = 64
"""How deeply documents may be nested."""


MOST_VARIANTS = 8
"""This many times a document is checked for different things that it inherits; then for all of them together.

Documents that include each other in many ways would else be checked once for each way.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """A document that was checked and compiled with all that it runs, and what is known about its values."""

    checked: Checked
    program: Program
    shapes: DocumentShapes
    gives_stream: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A document that others run; ``program`` is None where something is wrong with it."""

    document: Document
    program: Program | None
    output: Shape
    gives_stream: bool = False


_Use = tuple[Path, frozenset[str], Inherited]
"""How a document is run by another: its file, the names that it is run with, and what it inherits."""


class Linker:
    """Checks and compiles a document and all that it runs; ``findings`` has what is wrong with any of them:
    of each document in order, and behind it what is wrong with those that it runs.
    """

    def __init__(self, library: Library, registry: Registry) -> None:
        self.findings: Findings = Findings()
        self._library = library
        self._registry = registry
        self._variants: dict[tuple[Path, bool], list[Inherited]] = {}
        self._made: dict[_Use, _Made | None] = {}

    def link(
        self,
        found: Found,
        given: Collection[str] = (),
        chain: tuple[Path, ...] = (),
        inherited: Inherited = Inherited(),  # noqa: B008
        *,
        is_main: bool = False,
    ) -> Linked | None:
        """The checked document with its program, or None where something is wrong with it.

        ``given`` are the names that it is run with, ``chain`` the files that are being linked around it,
        ``inherited`` the members that it has from those that include it; ``is_main`` says that none does.
        """
        parsed = found.parsed
        if parsed.document is None:
            self.findings.include(parsed.problems)
            return None
        own = Findings(parsed.document.source)
        own.include(parsed.problems)
        checked = check(parsed.document, self._registry, given=given, inherited=inherited)
        own.include(checked.problems)
        handed_on = inherited.over(parsed.document)
        linked: dict[int, Program] = {}
        outputs: dict[int, Shape] = {}
        kept: dict[int, CheckedNode] = {}
        found_by: dict[int, _Made] = {}
        outer, self.findings = self.findings, Findings()
        for key, node in checked.nodes.items():
            if isinstance(node.node, (IncludeNode, CallNode)):
                made = self._link_node(node, found.path, chain, own, handed_on)
                if made is not None:
                    found_by[key] = made
                    kept[key] = keep_texts(node, made.document)
                    if made.program is not None:
                        linked[key], outputs[key] = made.program, made.output
        if kept:
            checked = replace(checked, nodes={**checked.nodes, **kept})
        inner, self.findings = self.findings, outer
        streaming = [key for key, made in found_by.items() if made.gives_stream]
        gives_stream = False
        if streaming or any(map(is_stream, checked.nodes.values())):
            from ..validator import kept as kept_streams  # most documents open none

            given_streams = kept_streams.streams_given(checked, streaming)
            gives_stream = bool(given_streams)
            if is_main:
                kept_streams.report_kept(given_streams, own)
        shapes = DocumentShapes(checked.scene, outputs, own)
        shapes.check()
        if found_by or parsed.document.output:
            from ..validator.shapes import (
                fitting,
            )  # most documents run no others and declare nothing

            fitting.check_declared_output(shapes, own)
            for key, made in found_by.items():
                fitting.check_computed_arguments(shapes, checked.nodes[key], made.document, own)
        self.findings.include(own.in_order())
        self.findings.include(inner)
        if own.has_errors or inner.has_errors:
            return None
        named = {each.name for each in checked.wanted}
        more = (each for each in shapes.wanted if each.name not in named)
        checked = replace(checked, wanted=(*checked.wanted, *more))
        program = compile_program(checked, linked)
        problems = Findings(parsed.document.source)
        problems.include(problems_of(program))
        check_travelling(program, problems)
        self.findings.include(problems)
        return None if problems.has_errors else Linked(checked, program, shapes, gives_stream)

    def _link_node(
        self,
        node: CheckedNode,
        including: Path | None,
        chain: tuple[Path, ...],
        findings: Findings,
        inherited: Inherited,
    ) -> _Made | None:
        """The document that a node runs, or None where that cannot be found."""
        config = node.settings.constant
        if config is None:
            return None  # its settings are wrong, and were reported
        path = self._find(node, config.workflow, including, chain, findings)
        if path is None:
            return None
        given = frozenset(name for name, _ in arguments_of(node))
        if isinstance(node.node, CallNode):
            inherited = Inherited(environment=False)
        use = (path, given, self._variant(path, inherited))
        if use not in self._made:
            self._made[use] = self._make(use, chain)
        made = self._made[use]
        if made is not None:
            kept = keep_texts(node, made.document)
            check_arguments(kept, made.document, findings, inherited)
        return made

    def _variant(self, path: Path, inherited: Inherited) -> Inherited:
        """What a document is checked with that inherits this: that, or beyond a number of them what all have."""
        known = self._variants.setdefault((path, inherited.environment), [])
        if len(known) >= MOST_VARIANTS and inherited not in known:
            for other in known:
                inherited = inherited.joined(other)
        if inherited not in known:
            known.append(inherited)
        return inherited

    def _make(self, use: _Use, chain: tuple[Path, ...]) -> _Made | None:
        path, given, inherited = use
        parsed = self._library.read(path)
        result = self.link(Found(parsed, path), given, (*chain, path), inherited)
        if parsed.document is None:
            return None
        if result is None:
            return _Made(parsed.document, None, UNKNOWN)
        return _Made(parsed.document, result.program, result.shapes.output, result.gives_stream)

    def _find(
        self,
        node: CheckedNode,
        written: str,
        including: Path | None,
        chain: tuple[Path, ...],
        findings: Findings,
    ) -> Path | None:
        """The file that a node names; what is wrong with it goes to the findings."""
        setting = node.node.settings["workflow"]
        candidates = self._library.candidates(written, including)
        allowed = [path for path in candidates if self._library.allows(path, including)]
        path = next((path for path in allowed if self._library.has(path)), None)
        if path is not None and path in chain:
            steps = " → ".join(shown(each) for each in (*chain[chain.index(path) :], path))
            findings.at_value(
                setting, "document-cycle", f"these documents run each other without end: {steps}"
            )
            return None
        if path is not None and len(chain) < DEEPEST:
            try:
                self._library.read(path)
                return path
            except OSError as exc:
                findings.at_value(
                    setting,
                    "unreadable-document",
                    f"{written!r} cannot be read: {exc.strerror or exc}",
                )
                return None
        if path is not None:
            findings.at_value(
                setting, "too-deep", f"more than {DEEPEST} documents are inside each other"
            )
        elif not candidates:
            findings.at_value(
                setting,
                "unknown-document",
                "text has no folder in which another document could be",
                expected="a document loaded from a file, or a base folder given when it is loaded",
            )
        elif not allowed:
            findings.at_value(
                setting,
                "forbidden-document",
                f"{written!r} leaves the folder of this document",
                expected="a path inside it, or a further root given when it is loaded",
            )
        else:
            self._report_missing(setting, written, allowed, findings)
        return None

    def _report_missing(
        self, setting: Setting, written: str, looked: Sequence[Path], findings: Findings
    ) -> None:
        known: dict[str, str] = {}
        for path in looked:
            if path.parent.is_dir():
                found = (each.name for each in path.parent.iterdir() if each.is_file())
                known |= {name.partition(".")[0]: name for name in found}
        near = nearest(Path(written).name.partition(".")[0], sorted(known))
        findings.at_value(
            setting,
            "unknown-document",
            f"there is no document {written!r}",
            expected="the path of a document, from this one's folder",
            suggestion=None if near is None else known[near],
        )
