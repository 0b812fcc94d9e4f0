"""Owns what tests of the check share: a registry of stubs, and documents with their expected places marked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flowscript_trio import registry as default_registry
from flowscript_trio.expression import Expression, Template
from flowscript_trio.expression.scope import Services
from flowscript_trio.language.structure import CONTROLS
from flowscript_trio.parser import parse
from flowscript_trio.runtimes.markers import ACCUMULATOR_NAMES, ITEM_NAMES
from flowscript_trio.runtimes.registry import Registry
from flowscript_trio.runtimes.types import ExecutionParams, FunctionRuntime
from flowscript_trio.types.ast import Document
from flowscript_trio.types.durations import Duration
from flowscript_trio.types.errors import Problem
from flowscript_trio.validator import Checked, check

MARK = "⟦"


class Auth(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["bearer", "basic"]
    token: str | None = None


class StubConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    url: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    ratio: float = 0.5
    flag: bool = False
    mode: Literal["fast", "slow"] = "fast"
    headers: dict[str, str] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    auth: Auth | None = None
    body: Any = None
    when: Expression | None = None
    template: Template | None = None
    each: Annotated[Expression | None, ITEM_NAMES] = None
    fold: Annotated[Expression | None, ACCUMULATOR_NAMES] = None
    pause: Duration | None = None
    outputSchema: dict[str, Any] | None = None


class StrictConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str
    max_size: int


class WholeConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    low: int = 0
    high: int = 10

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}; expected low up to high")
        return self


class OpenConfig(BaseModel):
    model_config = ConfigDict(extra="allow")
    count: int = 1


async def _nothing(params: ExecutionParams) -> Any:
    return None


def build_registry() -> Registry:
    """The control elements, and stubs: stub (with a model), strict, whole, open, free (without one)."""
    registry = Registry()
    models: dict[str, type[BaseModel] | None] = {
        **{
            name: default_registry.get_runtime(name).config
            for name in map("control:{}".format, CONTROLS)
        },
        "source:stub": StubConfig,
        "transform:stub": StubConfig,
        "sink:strict": StrictConfig,
        "source:whole": WholeConfig,
        "source:open": OpenConfig,
        "source:free": None,
    }
    for name, model in models.items():
        registry.register(name, FunctionRuntime(name, _nothing, model))
    return registry


def read(text: str) -> Document:
    """The document of a text; a text that is no workflow element is the body of one."""
    if "<workflow" not in text:
        text = f'<workflow name="w">{text}</workflow>'
    parsed = parse(text, file="w.xml")
    assert parsed.document is not None, parsed.problems
    assert not [problem for problem in parsed.problems if problem.severity == "error"], (
        parsed.problems
    )
    return parsed.document


def check_text(text: str, **options: Any) -> Checked:
    """The check of a document or body."""
    return check(read(text), build_registry(), **options)


def check_marked(text: str, **options: Any) -> tuple[tuple[Problem, ...], list[tuple[int, int]]]:
    """The problems of a document, and the marked places in it as (line, column)."""
    if "<workflow" not in text:
        text = f'<workflow name="w">{text}</workflow>'
    places = []
    clean = ""
    for part in text.split(MARK)[:-1]:
        clean += part
        places.append((clean.count("\n") + 1, len(clean) - clean.rfind("\n")))
    clean = text.replace(MARK, "")
    return check_text(clean, **options).problems, places


def waits_of(text: str, label: str | None = None) -> dict[str, list[str]]:
    """What each node of a graph body waits for, by labels: of the document, or of the phase ``label``."""
    checked = check_text(text)
    assert checked.is_valid, checked.problems
    body = checked.document.body
    if label is not None:
        body = next(node for node in body.nodes if node.label == label).bodies[0]
    nodes = body.nodes
    waits = checked.bodies[body.key].waits
    return {
        node.label: [nodes[other].label for other in awaited]
        for node, awaited in zip(nodes, waits, strict=True)
    }


class FakeScope:
    """A scope of given values and node results."""

    def __init__(self, values: dict[str, Any] | None = None, nodes: dict[str, Any] | None = None):
        self.services = Services()
        self._values = values or {}
        self._nodes = nodes or {}

    def value(self, name: str) -> Any:
        return self._values.get(name)

    def node(self, name: str) -> Any:
        return self._nodes.get(name)
