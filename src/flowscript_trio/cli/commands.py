"""Owns the list of commands."""

from __future__ import annotations

from importlib import import_module

import click

from .collecting import collect_from_here
from .importing import runtimes_option

_COMMANDS = {
    "answer": "answer:answer_command",
    "cancel": "answer:cancel_command",
    "demo": "demo:demo_command",
    "fmt": "format:fmt_command",
    "fork": "fork:fork_command",
    "graph": "graph:graph_command",
    "inspect": "inspect:inspect_command",
    "markers": "markers:markers_command",
    "new": "new:new_command",
    "prove": "prove:prove_command",
    "prune": "prune:prune_command",
    "report": "report:report_command",
    "resume": "resume:resume_command",
    "run": "run:run_command",
    "runs": "records:runs_command",
    "schema": "schema:schema_command",
    "show": "records:show_command",
    "submit": "submit:submit_command",
    "test": "test:test_command",
    "validate": "validate:validate_command",
    "work": "work:work_command",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        home = _COMMANDS.get(name)
        if home is None:
            return None
        module, _, attribute = home.partition(":")
        command = getattr(import_module(f".{module}", __package__), attribute)
        assert isinstance(command, click.Command)
        collect_from_here()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from ..types.errors import nearest

        if args and args[0] not in _COMMANDS:
            near = nearest(args[0], _COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup)
@click.version_option(package_name="flowscript-trio")
@runtimes_option
def commands() -> None:
    """FlowScript workflows on trio."""
