"""Owns the workflow on its way to a worker: its documents as texts, read again over there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..parser import parse
from ..program.compiled import Program, Step
from ..program.library import Found, Library
from ..program.loading import Flow, flow_of
from ..program.placing import programs_of, steps_in
from ..runtimes.registry import Registry, registry
from ..runtimes.types import ExecutionParams, FunctionRuntime, NodeRuntime
from ..types.ast import BaseNode
from ..types.errors import CannotTravel, FlowScriptError
from .jobs import FlowFacts, NodeKey
from .packing import pack, unpack


def pack_flow(flow: Flow) -> bytes:
    """A workflow, with the runtimes that what is placed in it needs; raises CannotTravel."""
    programs = programs_of(flow.program)
    needed = {
        name: runtime
        for program in programs
        for placed in program.placed.values()
        for name, runtime in placed.runtimes.items()
        if not is_known_everywhere(runtime)
    }
    models = {
        name: _crossing_model(runtime)
        for program in programs
        for name, runtime in program.runtimes.items()
        if name not in needed and not is_known_everywhere(runtime)
    }
    document = flow.document
    root = None if flow.found.path is None else str(flow.found.path)
    files = [(root, document.file, document.source.text)]
    for path, parsed in flow.library.files.items():
        if parsed.document is not None:
            source = parsed.document.source
            files.append((str(path), source.file, source.text))
    library = flow.library
    facts = FlowFacts(
        tuple(files),
        str((library.base or Path()).resolve()),
        tuple(str(each.resolve()) for each in library.roots),
        library.limits,
        needed,
        models,
    )
    return pack(facts, "the workflow")


def is_known_everywhere(runtime: NodeRuntime) -> bool:
    """Whether it is one of the built-in runtimes, which every worker has."""
    is_ours = type(runtime).__module__.startswith("flowscript_trio.runtimes.")
    name = runtime.type
    return is_ours and registry.has_runtime(name) and registry.get_runtime(name) is runtime


def _crossing_model(runtime: NodeRuntime) -> Any:
    try:
        pack(runtime.config, "")
    except CannotTravel:
        return None  # any setting is allowed there, and the node does not run there
    return runtime.config


@lru_cache(maxsize=16)
def read_flow(data: bytes) -> Flow:
    """The workflow of a run, read on a worker; raises WorkflowInvalid where it cannot be run there."""
    facts: FlowFacts = unpack(data)
    library = _Brought(facts.limits, tuple(map(Path, facts.roots)), Path(facts.base))
    documents = [parse(text, file=name, limits=facts.limits) for _, name, text in facts.files]
    for (path, _, _), parsed in zip(facts.files[1:], documents[1:], strict=True):
        assert path is not None, "only the workflow itself may be a text"
        library.files[Path(path)] = parsed
    own = Registry(base=registry)
    for name, runtime in facts.runtimes.items():
        own.register(name, runtime)
    for name, model in facts.models.items():
        own.register(name, FunctionRuntime(name, _stays_at_home, model))
    root = facts.files[0][0]
    return flow_of(Found(documents[0], None if root is None else Path(root)), library, own)


class _Brought(Library):
    """Files that came with the workflow; there are no others."""

    def has(self, path: Path) -> bool:
        return path in self.files


async def _stays_at_home(params: ExecutionParams) -> Any:
    raise FlowScriptError(
        f"{params.node.type!r} does not run here: nothing that is placed names it"
    )


def steps_of(programs: Iterable[Program]) -> dict[int, NodeKey]:
    """The nodes of some documents by the ids of their steps and of the nodes themselves."""
    found: dict[int, NodeKey] = {}
    for number, program in enumerate(programs):
        for step in steps_in(program):
            found[id(step)] = found[id(step.node)] = (number, step.key)
    return found


def nodes_of(programs: Iterable[Program]) -> dict[NodeKey, BaseNode]:
    """The nodes of some documents by their numbers."""
    return {
        (number, step.key): step.node
        for number, program in enumerate(programs)
        for step in steps_in(program)
    }


def step_in(program: Program, key: int) -> Step:
    """The step of a node."""
    return next(step for step in steps_in(program) if step.key == key)
