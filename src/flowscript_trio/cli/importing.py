"""Owns ``flowscript --runtimes MODULE``: the import of modules that register runtimes of an application."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import click

from .run_options import Command


def import_runtimes(ctx: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> None:
    """Import the modules, from the current folder too, as ``python -m`` does."""
    if names and "" not in sys.path:
        sys.path.insert(0, "")
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise click.BadParameter(f"{name!r} is not the name of a module, such as app.runtimes")
        try:
            import_module(name)
        except ModuleNotFoundError as exc:
            if exc.name is None or not (name == exc.name or name.startswith(f"{exc.name}.")):
                raise
            raise click.BadParameter(f"there is no module {exc.name!r}") from None


def told_where_runtimes_go(error: click.ClickException) -> click.ClickException:
    """The error; for ``--runtimes`` after a command, one that says that it goes before that."""
    if not isinstance(error, click.NoSuchOption) or error.option_name != "--runtimes":
        return error
    command = "COMMAND" if error.ctx is None else error.ctx.info_name
    return click.UsageError(
        f"--runtimes goes before the command: flowscript --runtimes MODULE {command} …", error.ctx
    )


runtimes_option: Callable[[Command], Command] = click.option(
    "--runtimes",
    multiple=True,
    metavar="MODULE",
    expose_value=False,
    callback=import_runtimes,
    help="A module that registers runtimes when it is imported; may be given several times.",
)
