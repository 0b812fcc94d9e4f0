"""Owns the command line: ``main`` is the console script; each command is imported when it is used."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 the workflow failed, 2 used wrongly, 130 interrupted."""
    try:
        from .commands import commands

        commands.main(prog_name="flowscript", standalone_mode=False)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except BrokenPipeError:
        # Who read standard output has gone; nothing may be written to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as exc:
        import click

        if isinstance(exc, click.exceptions.Abort):
            _leave("interrupted", 130)
        if isinstance(exc, click.ClickException):
            exc.show()
            sys.exit(2)
        from ..types.errors import InputError

        if isinstance(exc, InputError):
            _leave(str(exc), 2)
        raise


def _leave(message: str, status: int) -> None:
    import signal

    if status == 130:  # a second Ctrl-C must not interrupt the leaving
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(message, file=sys.stderr)  # noqa: T201
    sys.exit(status)
