"""Owns ``flowscript inspect``: what a workflow is made of, and what waits for what."""

from __future__ import annotations

import json
from typing import Any

import click

from ..execution.loading import Flow
from ..scheduler.plan import find_waves
from ..types.ast import BaseNode, Body
from .loading import load_or_exit


@click.command("inspect")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
def inspect_command(file: str, as_json: bool) -> None:
    """Show the tree of a workflow, its dependencies and its waves."""
    flow = load_or_exit(file)
    if as_json:
        click.echo(json.dumps(describe_flow(flow), indent=2))
    else:
        click.echo(render_flow(flow))


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
        "waves": [
            [document.body.nodes[index].label for index in wave]
            for wave in _waves(flow, document.body)
        ],
        "nodes": describe_body(flow, document.body),
    }


def describe_body(flow: Flow, body: Body) -> list[dict[str, Any]]:
    """The nodes of a body, each with what it waits for and with its own bodies."""
    described = []
    waits = flow.checked.bodies[body.key].waits
    for index, node in enumerate(body.nodes):
        entry: dict[str, Any] = {
            "id": node.id,
            "label": node.label,
            "type": node.type,
            "line": node.location.line,
            "column": node.location.column,
        }
        if body.kind == "graph":
            entry["waits_for"] = [body.nodes[other].label for other in waits[index]]
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
    lines = [f"{document.name}{version}"]
    lines += _render_body(flow, document.body, "")
    waves = [
        ", ".join(document.body.nodes[index].label for index in wave)
        for wave in _waves(flow, document.body)
    ]
    lines += ["", "waves:", *(f"  {number}. {wave}" for number, wave in enumerate(waves, 1))]
    if document.trigger is not None:
        lines.append(f"trigger: {json.dumps(document.trigger)}")
    return "\n".join(lines)


def _render_body(flow: Flow, body: Body, indent: str) -> list[str]:
    lines = []
    waits = flow.checked.bodies[body.key].waits
    for index, node in enumerate(body.nodes):
        last = index == len(body.nodes) - 1
        after = ""
        if body.kind == "graph" and waits[index]:
            after = "  after " + ", ".join(body.nodes[other].label for other in waits[index])
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
    return f"{node.label}  {node.type}  (line {node.location.line})"


def _waves(flow: Flow, body: Body) -> tuple[tuple[int, ...], ...]:
    return find_waves(flow.checked.bodies[body.key].waits)
