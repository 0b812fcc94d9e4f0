"""Owns how tests call a command: in their own process, or in one that nothing measures."""

from __future__ import annotations

import os
from typing import Any

from click.testing import CliRunner

from flowscript_trio.cli.commands import commands


def call(*arguments: str, code: int = 0) -> Any:
    """What came of a command, which has to exit with that code."""
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == code, result.output
    return result


def unmeasured() -> dict[str, str]:
    """The environment of a process in which coverage neither imports modules nor handles signals."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
