"""Owns ``flowscript inspect``: what a workflow is made of, and what waits for what."""

from __future__ import annotations

from typing import Any

import click

from ..expression import encode_json
from ..program.loading import Flow
from ..scheduler.plan import find_waves
from ..types.ast import BaseNode, Body
from ..types.printing import one_line
from .loading import load_or_exit, roots_option
from .saying import show_text, write_json


@click.command("inspect")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@roots_option
def inspect_command(file: str, as_json: bool, roots: tuple[str, ...]) -> None:
    """Show the tree of a workflow, its dependencies and its waves."""
    flow = load_or_exit(file, roots)
    if as_json:
        write_json(encode_json(describe_flow(flow), indent=2))
    else:
        show_text(render_flow(flow))


def describe_flow(flow: Flow) -> dict[str, Any]:
    """A workflow for tools, ready for JSON."""
    document = flow.document
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
        "nodes": describe_body(flow, document.body),
    }


def describe_body(flow: Flow, body: Body) -> list[dict[str, Any]]:
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
        inner = [
            {"tag": part.tag, "kind": part.kind, "nodes": describe_body(flow, part)}
            for part in node.bodies
        ]
        if inner:
            entry["bodies"] = inner
        described.append(entry)
    return described


def render_flow(flow: Flow) -> str:
    """A workflow for people."""
    document = flow.document
    version = f" {document.version}" if document.version else ""
    lines = [one_line(f"{document.name}{version}")]
    lines += _render_body(flow, document.body, "")
    waves = enumerate(_waves(flow, document.body), 1)
    lines += ["", "waves:", *(one_line(f"  {number}. {', '.join(wave)}") for number, wave in waves)]
    lines += _render_inputs(flow)
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


def _render_body(flow: Flow, body: Body, indent: str) -> list[str]:
    lines = []
    checked = flow.checked.bodies[body.key]
    for index, node in enumerate(body.nodes):
        last = index == len(body.nodes) - 1
        after = "  (handler)" if index in checked.handlers else ""
        if body.kind == "graph" and checked.waits[index]:
            after += "  after " + ", ".join(
                body.nodes[other].label for other in checked.waits[index]
            )
        lines.append(f"{indent}{'└─' if last else '├─'} {_title(node)}{after}")
        deeper = indent + ("   " if last else "│  ")
        for number, part in enumerate(node.bodies):
            if len(node.bodies) > 1 or part.tag not in (node.tag, node.kind):
                lines.append(
                    f"{deeper}{part.tag} {number if part.tag == 'branch' else ''}".rstrip()
                )
                lines += _render_body(flow, part, deeper + "  ")
            else:
                lines += _render_body(flow, part, deeper)
    return lines


def _title(node: BaseNode) -> str:
    return one_line(f"{node.label}  {node.type}  (line {node.location.line})")


def _waves(flow: Flow, body: Body) -> list[list[str]]:
    """The labels of a graph body's nodes by waves, without the handlers, which do not run by themselves."""
    checked = flow.checked.bodies[body.key]
    waves = [
        [body.nodes[index].label for index in wave if index not in checked.handlers]
        for wave in find_waves(checked.waits)
    ]
    return [wave for wave in waves if wave]
