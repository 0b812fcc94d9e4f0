"""Owns the workload of loading: a document becomes a flow that is ready to run."""

from __future__ import annotations

import time
from collections.abc import Iterator

from lxml import etree
from pydantic import BaseModel

from . import flows
from .measuring import Workload


class Element(BaseModel):
    """An element as a model of its own, validated."""

    tag: str
    attributes: dict[str, str]
    children: list[Element]


def build(element: etree._Element) -> Element:
    return Element(
        tag=str(element.tag),
        attributes={str(name): str(value) for name, value in element.attrib.items()},
        children=[build(child) for child in element],
    )


def loading(count: int) -> Workload:
    """Reading, checking and compiling, to lxml's reading and as many models. One node in ten has an expression."""
    nodes = "".join(
        f'<branch><transform type="template" id="t{i}" template="{_text(i)}"/></branch>'
        for i in range(count)
    )
    body = f'<parallel id="p">{nodes}</parallel>'
    document = f'<workflow name="w">{body}</workflow>'.encode()

    def engine() -> float:
        started = time.perf_counter()
        flows.load(body)
        return time.perf_counter() - started

    def hand() -> float:
        started = time.perf_counter()
        build(etree.fromstring(document))
        return time.perf_counter() - started

    return Workload(f"loading a document of {count} nodes", "node", count, engine, hand, 12.0, None)


def _text(index: int) -> str:
    return f"row {index}" if index % 10 else f"{{{{{index} + 1}}}}"


def workloads(scale: float) -> Iterator[Workload]:
    yield loading(int(1_000 * scale))
    yield loading(int(10_000 * scale))
