"""Owns what a picture of a workflow shows: its nodes, the bodies inside them, and what leads to what. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ..language.elements import element_of
from ..program.loading import Flow
from ..runtimes.placing import HERE
from ..scheduler.plan import find_waves
from ..types.ast import BaseNode, Body, Part, Setting, Structure
from ..types.location import Text

MOST_TEXT = 48
"""Characters of a setting that are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """One node.

    ``number`` is its own in the picture; ``label`` its id, or its tag and line; ``kind`` its element; ``type`` its
    runtime. ``notes`` say what the document sets: conditions, places, limits, retries. ``groups`` are its bodies.
    ``is_handler``: it does not run by itself.
    """

    number: int
    label: str
    kind: str
    type: str
    line: int
    notes: tuple[str, ...]
    groups: tuple[Group, ...]
    is_handler: bool


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One body: its boxes by waves, each of which waits for some of those before; handlers are the last one.

    ``arrows`` are pairs of numbers of its boxes; ``title`` may be empty.
    """

    number: int
    title: str
    waves: tuple[tuple[Box, ...], ...]
    arrows: tuple[tuple[int, int], ...]

    @property
    def boxes(self) -> Iterator[Box]:
        return (box for wave in self.waves for box in wave)


@dataclass(frozen=True, slots=True)
class Link:
    """From a node to the handler that it names, with ``word`` saying when that runs."""

    source: int
    target: int
    word: str


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A whole document: the groups of its body, and of what runs when it fails."""

    name: str
    groups: tuple[Group, ...]
    links: tuple[Link, ...]


def picture_of(flow: Flow) -> Picture:
    """What a picture of a workflow shows."""
    return _Painter(flow).paint()


class _Painter:
    """Nodes keep the numbers that the document has for them, so that a picture is the same every time."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._checked = flow.checked
        self._links: list[Link] = []

    def paint(self) -> Picture:
        document = self._flow.document
        groups = [self._group(document.body, "")]
        groups += self._cleanup(document.body)
        if document.on_workflow_error is not None:
            groups.append(self._group(document.on_workflow_error, "on workflow error"))
        return Picture(document.name, tuple(groups), tuple(self._links))

    def _group(self, body: Body, title: str) -> Group:
        checked = self._checked.bodies[body.key]
        running = [at for at in range(len(body.nodes)) if at not in checked.handlers]
        if body.kind == "graph":
            waves = [
                [at for at in w if at not in checked.handlers] for w in find_waves(checked.waits)
            ]
            arrows = [(other, at) for at in running for other in checked.waits[at]]
        else:
            waves = [[at] for at in running]
            arrows = list(pairwise(running))
        waves.append(sorted(checked.handlers))
        boxes = {at: self._box(node, at in checked.handlers) for at, node in enumerate(body.nodes)}
        keys = [node.key for node in body.nodes]
        return Group(
            body.key,
            title,
            tuple(tuple(boxes[at] for at in wave) for wave in waves if wave),
            tuple((keys[a], keys[b]) for a, b in arrows),
        )

    def _box(self, node: BaseNode, is_handler: bool) -> Box:
        checked = self._checked.nodes[node.key]
        for handler, word in ((checked.fallback, "on error"), (checked.on_timeout, "on timeout")):
            if handler is not None:
                self._links.append(Link(node.key, handler.key, word))
        groups = []
        for index, body in enumerate(node.bodies):
            groups.append(self._group(body, self._title(node, body, index)))
            groups += self._cleanup(body)
        if node.compensate is not None:
            groups.append(self._group(node.compensate, "compensate"))
        return Box(
            node.key,
            node.label,
            node.tag,
            node.type,
            node.location.line,
            tuple(_notes(node)),
            tuple(groups),
            is_handler,
        )

    def _title(self, node: BaseNode, body: Body, index: int) -> str:
        element = element_of(node)
        if element.scope == "apart" and element.sides:
            place = self._checked.bodies[body.key].place
            return f"{body.tag} {index}" if place is None else f"{body.tag} {index} at {place}"
        if element.form is not None:
            return ""  # its only body needs no name
        when = body.settings.get("when")
        return body.tag if when is None else f"{body.tag} {_shown(when)}"

    def _cleanup(self, body: Body) -> list[Group]:
        return [] if body.cleanup is None else [self._group(body.cleanup, "finally")]


def _notes(node: BaseNode) -> Iterator[str]:
    """What the document sets that decides whether, where, how often, and how many at once a node runs."""
    if node.condition is not None:
        yield f"if {_shown(node.condition)}"
    if node.place is not None and _shown(node.place) != HERE:
        yield f"at {_shown(node.place)}"
    if element_of(node).is_control:
        yield from _settings(node.settings)
    if node.timeout is not None:
        yield f"timeout {_shown(node.timeout)}"
    if node.limit is not None:
        yield f"limit {_shown(node.limit)}"
    for retry in () if node.on_error is None else node.on_error.retries:
        yield "retry " + ", ".join(_of(retry))


def _settings(settings: Mapping[str, Setting]) -> Iterator[str]:
    for setting in settings.values():
        shown = _shown(setting)
        if setting.name == "max_concurrency":
            yield "no limit" if shown == "unlimited" else f"at most {shown} at once"
        else:
            yield f"{setting.written} {shown}"


def _of(part: Part) -> Iterator[str]:
    return (f"{setting.written} {_shown(setting)}" for setting in part.settings.values())


def _shown(setting: Setting) -> str:
    """The value of a setting as it is in the document, in one line."""
    value = setting.value
    if isinstance(value, Structure):
        value = value.text
    text = value.value if isinstance(value, Text) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
