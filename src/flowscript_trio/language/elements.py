"""Owns the declarations of all elements that are nodes.

A new element is one row here and a runtime in its ``home``; its settings are the runtime's config model.
"""

from __future__ import annotations

from ..types import ast
from ..types.ast import BaseNode, Part
from .element import Element, Parts, Side

_ITEM = frozenset({"$item", "$index", "$items", "$first", "$last", "$branch"})
_ITERATION = frozenset({"$iteration"})

_ROWS = (
    # ---- what the application's runtimes do ----
    Element("source", ast.SourceNode, None, usual="http", has_place=True),
    Element("transform", ast.TransformNode, None, usual="template", has_place=True),
    Element("sink", ast.SinkNode, None, usual="http", has_place=True),
    Element("ai", ast.TransformNode, "transform:ai", has_place=True),
    # ---- blocks ----
    Element(
        "parallel",
        ast.ParallelNode,
        sides=(Side("branch", "branches", many=True, endings=True),),
        scope="apart",
        binds=frozenset({"$branch"}),
    ),
    Element(
        "foreach",
        ast.ForeachNode,
        form="sequence",
        scope="apart",
        binds=_ITEM,
        names=(("item", "item"), ("index", "index")),
        is_loop=True,
        has_place=True,
    ),
    Element(
        "if",
        ast.IfNode,
        sides=(Side("then", "then", needed="<then>…</then>"), Side("else", "otherwise")),
        is_setting=True,
    ),
    Element(
        "branch",
        ast.BranchNode,
        sides=(
            Side("case", "cases", many=True, needed="<case when=…>"),
            Side("default", "default"),
        ),
        where="a <branch> outside of <parallel>",
    ),
    Element("loop", ast.LoopNode, form="sequence", scope="rounds", binds=_ITERATION, is_loop=True),
    Element(
        "while", ast.WhileNode, form="sequence", scope="rounds", binds=_ITERATION, is_loop=True
    ),
    Element("timeout", ast.TimeoutNode, form="sequence", endings=True, is_setting=True),
    Element(
        "phase",
        ast.PhaseNode,
        form="graph",
        endings=True,
        needs_id=False,
        is_barrier=True,
        is_named=True,
    ),
    # ---- nodes with parts ----
    Element(
        "context", ast.ContextNode, parts=Parts("set", "assignments", assigns="key"), needs_id=False
    ),
    Element("output", ast.OutputNode, parts=Parts("set", "fields"), needs_id=False),
    Element("include", ast.IncludeNode, parts=Parts("bind", "binds"), has_place=True),
    Element(
        "call",
        ast.CallNode,
        settings=("workflow",),
        parts=Parts("arg", "arguments", takes_attributes=True),
        has_place=True,
    ),
    Element(
        "checkpoint",
        ast.CheckpointNode,
        parts=Parts("action", "actions", is_text=False),
        is_barrier=True,
        asks=True,
    ),
    # ---- leaves ----
    Element("set", assigns="var", needs_id=False),
    Element("break", needs_id=False, leaves="loop", passes_on=True, is_setting=True),
    Element("delay", home="temporal", needs_id=False, passes_on=True),
    Element("fail", needs_id=False),
    Element("return", needs_id=False, leaves="document", passes_on=True),
)

ELEMENTS: dict[str, Element] = {row.tag: row for row in _ROWS}
"""Every element that is a node, by its name."""

COMMON = ("id", "input", "after", "if", "timeout", "limit")
"""The settings that every node has."""
PLACE = "place"
"""One more, of the nodes that may run elsewhere."""


def own_settings(element: Element) -> tuple[str, ...]:
    """The settings of a node that are not parts of it, whatever its runtime says."""
    return (*COMMON, *((PLACE,) if element.has_place else ()), *element.settings)


def element_of(node: BaseNode) -> Element:
    """The declaration of a node's element."""
    return ELEMENTS[node.kind]


def parts_of(node: BaseNode) -> tuple[Part, ...]:
    """What is in a node and is neither node nor body, in document order."""
    parts = element_of(node).parts
    found: tuple[Part, ...] = () if parts is None else getattr(node, parts.field)
    return found
