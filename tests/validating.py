"""Owns checking a document by the schemas, as an editor does."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

import flowscript_trio as fs

from harvest import declared, workflow_of

_PARSER = etree.XMLParser(huge_tree=True)


def schema_of(folder: Path, registry: fs.Registry | None = None) -> etree.XMLSchema:
    """The schema of the language with the runtimes of a registry, from files in a folder."""
    for name, text in fs.schema_files(registry).items():
        (folder / name).write_text(text, encoding="utf-8")
    return etree.XMLSchema(etree.parse(folder / "flowscript.xsd"))


def complaint(schema: etree.XMLSchema, text: str) -> str | None:
    """What a schema says against a document; raises XMLSyntaxError where that is no XML."""
    root = etree.fromstring(declared(workflow_of(text)).strip().encode(), _PARSER)
    return None if schema.validate(root) else str(schema.error_log.last_error)  # type: ignore[attr-defined]


def workflow(nodes: str) -> str:
    """A document of these nodes."""
    return f'<workflow name="w">\n{nodes}\n</workflow>'


def errors_of(text: str, registry: fs.Registry | None = None) -> list[fs.Problem]:
    """What the engine finds wrong with a document."""
    try:
        fs.loads(declared(text), registry=registry)
    except fs.WorkflowInvalid as exc:
        return [problem for problem in exc.problems if problem.severity == "error"]
    return []
