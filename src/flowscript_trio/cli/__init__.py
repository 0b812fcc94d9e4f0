"""Owns the command line: ``main`` is the console script; each command is imported when it is used."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line.

    Exit status: 0 done, 1 the workflow failed, 2 used wrongly, 3 the run was left in its store, 130 interrupted,
    143 and 129 by SIGTERM and SIGHUP.
    """
    try:
        try:
            from .signals import take_signals
            from .standard import finish_output, take_streams

            take_signals()
            take_streams()
            from .commands import commands

            commands.main(prog_name="flowscript", standalone_mode=False)
            finish_output()
            status: int | str | None = 0
        except BaseException as exc:
            from .exiting import leave

            status = leave(exc)
    except KeyboardInterrupt:  # one more, before the leaving had begun
        from .exiting import leave_interrupted

        status = leave_interrupted()
    sys.exit(status)
