"""Owns ``flowscript inspect``: what a workflow is made of, and what waits for what."""

from __future__ import annotations

from typing import Any

import click

from ..expression import encode_json
from ..program.loading import Flow
from ..runtimes.placing import HERE
from ..scheduler.plan import find_waves
from ..types.ast import BaseNode, Body
from ..types.printing import one_line
from ..types.shapes import ValueType
from .loading import load_or_exit, roots_option
from .saying import show_text, write_json

NodeTypes = dict[int, ValueType]


@click.command("inspect", short_help="Show the tree of a workflow, and what waits for what.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@click.option("--types", "with_types", is_flag=True, help="What is known about each node's output.")
@roots_option
def inspect_command(file: str, as_json: bool, with_types: bool, roots: tuple[str, ...]) -> None:
    """Show the tree of a workflow: where its nodes run, what they wait for, and its waves."""
    flow = load_or_exit(file, roots)
    types = _types_of(flow) if with_types else None
    if as_json:
        write_json(encode_json(describe_flow(flow, types), indent=2))
    else:
        show_text(render_flow(flow, types))


def _types_of(flow: Flow) -> NodeTypes:
    """The types of all nodes by their keys, found in document order."""
    keys = sorted(flow.checked.nodes)
    return {key: ValueType(flow.shapes.of_node(key)) for key in keys}


def describe_flow(flow: Flow, types: NodeTypes | None = None) -> dict[str, Any]:
    """A workflow for tools, ready for JSON; with the ``types`` of its nodes where they are asked for."""
    document = flow.document
    whole = {}
    if types is not None:
        of_flow = flow.types
        whole["types"] = {
            name: {"type": str(each), "schema": each.schema}
            for name, each in (
                ("input", of_flow.input),
                ("config", of_flow.config),
                ("output", of_flow.output),
            )
        }
    return {
        "name": document.name,
        "version": document.version,
        "description": document.description,
        "config": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "choices": list(parameter.choices),
                "required": parameter.required,
                "default": parameter.default,
            }
            for parameter in document.parameters
        ],
        "secrets": [secret.name for secret in document.secrets],
        "trigger": document.trigger,
        "waves": _waves(flow, document.body),
        **whole,
        "nodes": describe_body(flow, document.body, types),
    }


def describe_body(flow: Flow, body: Body, types: NodeTypes | None = None) -> list[dict[str, Any]]:
    """The nodes of a body, each with what it waits for and with its own bodies."""
    described = []
    checked = flow.checked.bodies[body.key]
    for index, node in enumerate(body.nodes):
        entry: dict[str, Any] = {
            "id": node.id,
            "label": node.label,
            "type": node.type,
            "line": node.location.line,
            "column": node.location.column,
        }
        if body.kind == "graph":
            entry["waits_for"] = [body.nodes[other].label for other in checked.waits[index]]
        if index in checked.handlers:
            entry["handler"] = True
        place = flow.checked.nodes[node.key].place
        if place is not None:
            entry["place"] = place
        if types is not None:
            known = types[node.key]
            entry["output"] = {"type": str(known), "schema": known.schema}
        inner = [_describe_part(flow, part, types) for part in node.bodies]
        if inner:
            entry["bodies"] = inner
        described.append(entry)
    return described


def _describe_part(flow: Flow, part: Body, types: NodeTypes | None) -> dict[str, Any]:
    place = flow.checked.bodies[part.key].place
    return {
        "tag": part.tag,
        "kind": part.kind,
        **({} if place is None else {"place": place}),
        "nodes": describe_body(flow, part, types),
    }


def render_flow(flow: Flow, types: NodeTypes | None = None) -> str:
    """A workflow for people; with the ``types`` of its nodes where they are asked for."""
    document = flow.document
    version = f" {document.version}" if document.version else ""
    lines = [one_line(f"{document.name}{version}")]
    lines += _render_body(flow, document.body, "", types)
    waves = enumerate(_waves(flow, document.body), 1)
    lines += ["", "waves:", *(one_line(f"  {number}. {', '.join(wave)}") for number, wave in waves)]
    lines += _render_inputs(flow)
    if types is not None:
        lines += [f"input: {flow.types.input}", f"output: {flow.types.output}"]
    if document.trigger is not None:
        lines.append(f"trigger: {encode_json(document.trigger)}")
    return "\n".join(lines)


def _render_inputs(flow: Flow) -> list[str]:
    """What the application gives a run: configuration and secrets, a line each."""
    lines = []
    for parameter in flow.document.parameters:
        kind = f"enum[{', '.join(parameter.choices)}]" if parameter.choices else parameter.type
        default = f" = {encode_json(parameter.default)}" if parameter.has_default else ""
        required = ", required" if parameter.required else ""
        lines.append(f"config: {parameter.name} ({kind or 'any'}{required}){default}")
    return lines + [f"secret: {secret.name}" for secret in flow.document.secrets]


def _render_body(flow: Flow, body: Body, indent: str, types: NodeTypes | None = None) -> list[str]:
    lines = []
    checked = flow.checked.bodies[body.key]
    for index, node in enumerate(body.nodes):
        last = index == len(body.nodes) - 1
        after = "  (handler)" if index in checked.handlers else ""
        if body.kind == "graph" and checked.waits[index]:
            after += "  after " + ", ".join(
                body.nodes[other].label for other in checked.waits[index]
            )
        known = "" if types is None else one_line(f"  → {types[node.key]}")
        lines.append(f"{indent}{'└─' if last else '├─'} {_title(flow, node)}{known}{after}")
        deeper = indent + ("   " if last else "│  ")
        for number, part in enumerate(node.bodies):
            if len(node.bodies) > 1 or part.tag not in (node.tag, node.kind):
                word = f"{part.tag} {number}" if part.tag == "branch" else part.tag
                lines.append(deeper + word + _at(flow.checked.bodies[part.key].place))
                lines += _render_body(flow, part, deeper + "  ", types)
            else:
                lines += _render_body(flow, part, deeper, types)
    return lines


def _title(flow: Flow, node: BaseNode) -> str:
    place = _at(flow.checked.nodes[node.key].place)
    return one_line(f"{node.label}  {node.type}{place}  (line {node.location.line})")


def _at(place: str | None) -> str:
    return "" if place in (None, HERE) else one_line(f"  at {place}")


def _waves(flow: Flow, body: Body) -> list[list[str]]:
    """The labels of a graph body's nodes by waves, without the handlers, which do not run by themselves."""
    checked = flow.checked.bodies[body.key]
    waves = [
        [body.nodes[index].label for index in wave if index not in checked.handlers]
        for wave in find_waves(checked.waits)
    ]
    return [wave for wave in waves if wave]
