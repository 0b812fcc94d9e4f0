"""Owns the reading of whole documents: XML and front matter → a document, with all its problems."""

from __future__ import annotations

from collections.abc import Iterable

from ..types.ast import Document, LimitDeclaration, Parameter, Secret, Setting
from ..types.deferred import dataclass
from ..types.errors import Problem, problem_at
from ..types.findings import Findings
from ..types.location import Source
from ..types.patterns import pattern
from .builder import Builder, Content
from .declarations import DeclarationReader, word_in
from .fences import read_front
from .front import Front
from .frontkeys import VERSION
from .hidden import control_in, find_turns
from .limits import ReadLimits
from .markup import SPACE, Element
from .reading import SettingReader, Settings
from .xml import read_xml

ATTRIBUTES = ("name", "version", "description", "timeout", "max_concurrency")
_VERSION = pattern(VERSION)
_LONGEST_SAID = 60
"""A longer text of the front matter is not repeated."""
_ENDINGS = frozenset({"finally", "on-workflow-error"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as read, None only where nothing could be built, and its problems in document order."""

    document: Document | None
    problems: tuple[Problem, ...]


def parse(text: str, *, file: str, limits: ReadLimits = ReadLimits()) -> Parsed:  # noqa: B008
    """Read a document from text.

    Args:
        text: an XML document, or front matter between ``---`` lines, a workflow and any Markdown.
        file: its name, for places; one that ends in ``.flow.md`` may have front matter.
        limits: how large and how deep it may be.

    Whatever the text is, nothing is raised: what is wrong is among the problems, each with its place.
    """
    source = Source(file, text)
    if len(text) > limits.size:
        return too_large(file, limits)
    front: Front | None = None
    findings = Findings(source)
    start = 1 if text.startswith("\ufeff") else 0
    if file.endswith(".flow.md") or text.startswith("---", start):
        front, start = read_front(findings, start)
        start += len(text[start:]) - len(text[start:].lstrip(SPACE))
        if front.unfinished:
            return Parsed(None, tuple(findings))
    root = read_xml(findings, limits, start, one=front is not None)
    findings.include(find_turns(source))
    document = None
    if root is not None:
        try:
            document = _DocumentReader(findings).read(root, front)
        except RecursionError:  # only with limits far beyond the default
            message = "elements nest deeper than this interpreter's recursion limit allows"
            findings.add(root.offset, "too-deep", message)
    return Parsed(document, findings.in_order())


def too_large(file: str, limits: ReadLimits) -> Parsed:
    """What becomes of a document beyond the limit of size."""
    message = f"the document is larger than {limits.size:,} characters"
    return Parsed(None, (problem_at(Source(file, ""), 0, "too-large", message),))


class _DocumentReader:
    """Reads the ``<workflow>`` element."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._source = findings.source
        self._reader = SettingReader(findings)
        self._declarations = DeclarationReader(self._reader)
        self._builder = Builder(self._reader)

    def read(self, root: Element, front: Front | None) -> Document | None:
        if (root.family, root.local) != ("", "workflow"):
            message = f"the document is a <{root.name}>"
            self._findings.at_element(root, "no-workflow", message, expected="a <workflow> element")
            return None
        front = front or Front()
        key = self._builder.next_key()
        settings = self._reader.attributes(root)
        self._declarations.only(settings, ATTRIBUTES, root)
        parameters, secrets, limits = self._declarations.read(root)
        parameters, secrets = [*front.parameters, *parameters], [*front.secrets, *secrets]
        self._judge_twice(parameters, "parameter")
        self._judge_twice(secrets, "secret")
        self._judge_twice(limits, "limit")
        self._judge_both(settings, front)
        content = Content({})
        self._builder.read_children(root, content, _ENDINGS, nodes=True, other=False)
        self._builder.ids.judge()
        return Document(
            name=self._workflow_name(root, settings, front),
            file=self._source.file,
            source=self._source,
            version=self._version(settings) or front.version,
            description=word_in(settings, "description") or front.description,
            parameters=tuple(parameters),
            secrets=tuple(secrets),
            limits=tuple(limits),
            input=front.input,
            output=front.output,
            timeout=settings.get("timeout", front.timeout),
            max_concurrency=settings.get("max_concurrency", front.max_concurrency),
            retry=front.retry,
            trigger=front.trigger,
            schemas=front.schemas,
            evolution=front.evolution,
            body=self._builder.make_body(key, "graph", "workflow", root, content, {}),
            on_workflow_error=content.body("on-workflow-error"),
        )

    def _workflow_name(self, root: Element, settings: Settings, front: Front) -> str:
        written = word_in(settings, "name")
        name = written or front.name
        wrong = control_in(written or "")
        if wrong:
            offset = settings["name"].offset
            self._findings.add(offset, "control-character", wrong, length=len("name"))
        if not name and not front.unreadable:
            where = root.offset if front.offset is None else front.offset
            message = "the workflow has no name"
            expected = 'name="…"' if front.offset is None else "name: …"
            length = len(root.name) + 1 if front.offset is None else 1
            self._findings.add(where, "missing-name", message, length=length, expected=expected)
        return name or "workflow"

    def _version(self, settings: Settings) -> str | None:
        written = word_in(settings, "version")
        if written and not _VERSION.fullmatch(written):
            message = f"{written!r} is not a version"
            self._findings.at_value(
                settings["version"], "version", message, expected="X.Y or X.Y.Z"
            )
        return written

    def _judge_both(self, settings: Settings, front: Front) -> None:
        """Warn of what the front matter says too, and otherwise: what stands on the element counts."""
        for word in ATTRIBUTES:
            there, setting = getattr(front, word), settings.get(word)
            if not there or setting is None:
                continue
            here, other = str(setting.value).strip(), str(getattr(there, "value", there)).strip()
            if here and here != other:
                if len(other) > _LONGEST_SAID:
                    other = f"a text of {len(other)} characters"
                written = there.written if isinstance(there, Setting) else word
                self._findings.at_value(
                    setting,
                    "said-otherwise",
                    f"the front matter has {written}: {other}, and this is what counts",
                    severity="warning",
                    expected="the same in both, or in one of them only",
                )

    def _judge_twice(
        self, declared: Iterable[Parameter | Secret | LimitDeclaration], what: str
    ) -> None:
        """Report each name that is declared before."""
        first: dict[str, Parameter | Secret | LimitDeclaration] = {}
        for one in declared:
            other = first.setdefault(one.name, one)
            if other is not one:
                message = f"the {what} {one.name!r} is declared twice, first at {other.location}"
                self._findings.at_place(one.location, "declared-twice", message)
