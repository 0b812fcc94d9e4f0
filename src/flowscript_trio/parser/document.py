"""Owns the reading of whole documents: XML and front matter → a document, with all its problems."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..types.ast import Body, Document, Parameter, Secret, Setting
from ..types.errors import Problem, nearest, problem_at
from ..types.location import Source
from .builder import Builder, Content
from .frontmatter import Front, read_front
from .limits import ReadLimits
from .names import NODES
from .reading import Settings
from .scanner import Element
from .texts import element_text
from .xml import read_xml

_ATTRIBUTES = frozenset({"name", "version", "description", "timeout", "max_concurrency"})
_TYPES = ("string", "number", "boolean", "object", "array")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as read, None only where nothing could be built, and its problems in document order."""

    document: Document | None
    problems: tuple[Problem, ...]


def parse(text: str, *, file: str, limits: ReadLimits = ReadLimits()) -> Parsed:  # noqa: B008
    """Read a document from text.

    Args:
        text: an XML document, or front matter between ``---`` lines, a workflow and any Markdown.
        file: its name, for places.
        limits: how large and how deep it may be.
    """
    source = Source(file, text)
    if len(text) > limits.size:
        message = f"the document is larger than {limits.size:,} characters"
        return Parsed(None, (problem_at(Source(file, ""), 0, "too-large", message),))
    front: Front | None = None
    start = 0
    problems: list[Problem] = []
    text_start = 1 if text.startswith("\ufeff") else 0
    if file.endswith(".flow.md") or text.startswith("---", text_start):
        front, start = read_front(source, text_start, problems)
    start = max(start, text_start)
    tree, _, found = read_xml(source, limits, start, one=front is not None)
    problems += found
    document = None if tree is None else _Reader(source, tree, problems).document(front)
    return Parsed(document, tuple(sorted(problems, key=lambda problem: problem.location)))


def read(path: str | Path, *, limits: ReadLimits = ReadLimits()) -> Parsed:  # noqa: B008
    """Read a document from a file; raises OSError where the file cannot be read."""
    data = Path(path).read_bytes()
    encoding = _encoding_of(data)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as exc:
        line = data[: getattr(exc, "start", 0)].count(b"\n")
        source = Source(str(path), "\n" * line)
        problem = problem_at(
            source, line, "encoding", f"the file is no text in {encoding}: {exc}", expected="UTF-8"
        )
        return Parsed(None, (problem,))
    return parse(text, file=str(path), limits=limits)


def _encoding_of(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    head = data[:200]
    if head.startswith(b"<?xml") and b"encoding" in head:
        word = head.partition(b"encoding")[2].lstrip(b" \t=")[1:]
        for quote in (b'"', b"'"):
            word = word.partition(quote)[0]
        return word.decode("ascii", "replace") or "utf-8"
    return "utf-8"


class _Reader(Builder):
    """Reads the ``<workflow>`` element."""

    def document(self, front: Front | None) -> Document | None:
        root = self.tree.root
        if self.tree.name_of(root) != ("", "workflow"):
            self.report(
                root.offset,
                "no-workflow",
                f"the document is a <{root.name}>",
                length=len(root.name) + 1,
                expected="a <workflow> element",
            )
            return None
        key = self.next_key()
        settings = self.attributes(root)
        parameters, secrets = self._declarations(root)
        content = Content({})
        allowed = frozenset({"finally", "on-workflow-error"})
        self._read_children(root, content, "<workflow>", allowed, nodes=True, other=False)
        body = self._make_body(key, "graph", "workflow", root, content, {})
        self._check_attributes(settings)
        return self._make_document(root, settings, parameters, secrets, content, body, front)

    def _make_document(
        self,
        root: Element,
        settings: Settings,
        parameters: list[Parameter],
        secrets: list[Secret],
        content: Content,
        body: Body,
        front: Front | None,
    ) -> Document:
        front = front or Front()
        name = self._word(settings, "name") or front.name
        if not name:
            where = root.offset if front.offset is None else front.offset
            self.report(where, "missing-name", "the workflow has no name", 9, expected='name="…"')
        return Document.model_construct(
            name=name or "workflow",
            file=self.source.file,
            source=self.source,
            version=self._word(settings, "version") or front.version,
            description=self._word(settings, "description") or front.description,
            parameters=(*front.parameters, *parameters),
            secrets=(*front.secrets, *secrets),
            timeout=settings.get("timeout", front.timeout),
            max_concurrency=settings.get("max_concurrency", front.max_concurrency),
            retry=front.retry,
            trigger=front.trigger,
            schemas=front.schemas,
            evolution=front.evolution,
            body=body,
            on_workflow_error=content.body("on-workflow-error"),
        )

    def _word(self, settings: Settings, name: str) -> str:
        setting = settings.get(name)
        return "" if setting is None else str(setting.value)

    def _check_attributes(self, settings: Settings) -> None:
        for setting in settings.values():
            if setting.name not in _ATTRIBUTES:
                self.report(
                    setting.offset,
                    "unknown-attribute",
                    f"<workflow> has no attribute {setting.written!r}",
                    length=len(setting.written),
                    expected="one of name, version, description, timeout, maxConcurrency",
                    suggestion=nearest(setting.name, _ATTRIBUTES),
                )

    # ---- declarations ----

    def _declarations(self, root: Element) -> tuple[list[Parameter], list[Secret]]:
        """Take the leading ``<param>`` and ``<secret>`` children off the element."""
        parameters: list[Parameter] = []
        secrets: list[Secret] = []
        taken = []
        for child in root.children:
            tag = self.tree.name_of(child)[1]
            if tag == "param":
                parameters.append(self._parameter(child))
            elif tag == "secret":
                found = self._secret(child)
                if found is not None:
                    secrets.append(found)
            elif self.kind_of(child) in NODES:
                break
            else:
                continue
            taken.append(child)
        root.content = [item for item in root.content if item not in taken]
        return parameters, secrets

    def _needed(self, element: Element, settings: Settings) -> str:
        name = self._word(settings, "name")
        if not name:
            self.report(
                element.offset,
                "missing-name",
                f"<{element.name}> needs a name",
                len(element.name) + 1,
                expected='name="…"',
            )
        return name

    def _secret(self, element: Element) -> Secret | None:
        settings = self.attributes(element)
        name = self._needed(element, settings)
        self._only(settings, {"name"}, element)
        if not name:
            return None
        return Secret.model_construct(name=name, location=self.source.location(element.offset))

    def _only(self, settings: Settings, known: set[str], element: Element) -> None:
        for setting in settings.values():
            if setting.name not in known:
                self.report(
                    setting.offset,
                    "unknown-attribute",
                    f"<{element.name}> has no attribute {setting.written!r}",
                    length=len(setting.written),
                    expected=", ".join(sorted(known)),
                    suggestion=nearest(setting.name, known),
                )

    def _parameter(self, element: Element) -> Parameter:
        settings = self.attributes(element)
        self._only(settings, {"name", "type", "default", "required"}, element)
        kind, choices = self._type(settings.get("type"))
        default = settings.get("default")
        return Parameter.model_construct(
            name=self._needed(element, settings),
            location=self.source.location(element.offset),
            type=kind,
            choices=choices,
            has_default=default is not None,
            default=None if default is None else self._default(default, kind, choices),
            required=self._word(settings, "required").strip() == "true",
            description=element_text(self.source, element).value,
        )

    def _type(self, setting: Setting | None) -> tuple[Any, tuple[str, ...]]:
        if setting is None:
            return None, ()
        word = str(setting.value).strip()
        if word in _TYPES:
            return word, ()
        if word.startswith("enum[") and word.endswith("]"):
            return "enum", tuple(part.strip() for part in word[5:-1].split(","))
        self.report(
            setting.offset,
            "unknown-type",
            f"there is no type {word!r}",
            length=len(setting.written),
            expected=", ".join(_TYPES) + ", enum[a, b]",
            suggestion=nearest(word, _TYPES),
        )
        return None, ()

    def _default(self, setting: Setting, kind: str | None, choices: tuple[str, ...]) -> Any:
        word = str(setting.value)
        try:
            return convert(word, kind, choices)
        except ValueError:
            expected = f"one of {', '.join(choices)}" if choices else f"a JSON {kind}"
            self.report(
                setting.offset,
                "invalid-default",
                f"the default {word!r} does not fit its type",
                length=len(setting.written),
                expected=expected,
            )
            return None


def convert(word: str, kind: str | None, choices: tuple[str, ...] = ()) -> Any:
    """The value that a text is for a declared type; raises ValueError where it is none."""
    if kind is None or kind == "string":
        return word
    if kind == "enum":
        if word not in choices:
            raise ValueError(word)
        return word
    value = json.loads(word)
    fits = {
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
    }
    if not fits[kind]:
        raise ValueError(word)
    return value
