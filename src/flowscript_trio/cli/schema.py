"""Owns ``flowscript schema``: the schemas of the language, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from .saying import say
from .writing import write_whole


@click.command("schema", short_help="Write the schemas of documents, for editors.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def schema_command(folder: Path) -> None:
    """Write the schemas of documents into FOLDER, for editors: XML Schema, and JSON Schema of front matter.

    They know the runtimes that are registered; add your own with --runtimes MODULE.
    """
    from ..schemas import schema_files

    files = schema_files()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise click.UsageError(f"{folder}: {exc.strerror}") from None
    for name, text in files.items():
        write_whole(folder / name, text, "FOLDER")
    say(f"{folder}: {', '.join(files)}")
