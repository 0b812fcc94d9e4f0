"""Owns which model of the syntax tree each element becomes."""

from __future__ import annotations

from ..types import ast
from ..types.ast import BaseNode

MODELS: dict[str, type[BaseNode]] = {
    "source": ast.SourceNode,
    "transform": ast.TransformNode,
    "ai": ast.TransformNode,
    "sink": ast.SinkNode,
    "delay": ast.DelayNode,
    "set": ast.SetNode,
    "break": ast.BreakNode,
    "foreach": ast.ForeachNode,
    "loop": ast.LoopNode,
    "while": ast.WhileNode,
    "timeout": ast.TimeoutNode,
    "phase": ast.PhaseNode,
    "parallel": ast.ParallelNode,
    "if": ast.IfNode,
    "branch": ast.BranchNode,
    "context": ast.ContextNode,
    "output": ast.OutputNode,
    "include": ast.IncludeNode,
    "call": ast.CallNode,
    "checkpoint": ast.CheckpointNode,
}

PART_FIELDS = {
    "context": "assignments",
    "output": "fields",
    "include": "binds",
    "call": "arguments",
    "checkpoint": "actions",
}
"""In which field each node with parts keeps them."""
