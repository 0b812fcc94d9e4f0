"""Owns ``flowscript graph``: a workflow as a picture, without running it."""

from __future__ import annotations

from pathlib import Path

import click

from .loading import load_or_exit, roots_option
from .saying import show_text
from .writing import write_whole


@click.command("graph", short_help="Draw a workflow as SVG, Mermaid or DOT.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["svg", "mermaid", "dot"]),
    help="By default what the file's name says, else SVG.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the picture goes, instead of standard output.",
)
@roots_option
def graph_command(file: str, form: str | None, output: Path | None, roots: tuple[str, ...]) -> None:
    """Draw a workflow: its nodes, its blocks with their limits, and what waits for what."""
    from ..picture import as_dot, as_mermaid, as_svg, picture_of

    makers = {"svg": as_svg, "mermaid": as_mermaid, "dot": as_dot}
    drawn = makers[form or _form_of(output)](picture_of(load_or_exit(file, roots)))
    if output is None:
        show_text(drawn, end="")
    else:
        write_whole(output, drawn, "--output")


def _form_of(output: Path | None) -> str:
    """The format that the name of a file says; SVG where it says none."""
    suffix = "" if output is None else output.suffix.lower()
    return {".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}.get(
        suffix, "svg"
    )
