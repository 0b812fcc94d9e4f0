"""Owns how tests call a command in their own process."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

from flowscript_trio.cli.commands import commands


def call(*arguments: str, code: int = 0) -> Any:
    """What came of a command, which has to exit with that code."""
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == code, result.output
    return result
