"""Owns how the command line ends: exit statuses, and the trio program in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from io import StringIO
from typing import TypeVar

import click

from ..types.errors import FlowScriptError
from ..types.exceptions import is_a, leaves_of
from .collecting import collect_from_here
from .saying import say
from .signals import ignore_signals, status_of_signal, was_asked_to_end
from .standard import OutputLost, drop_output, finish_output

T = TypeVar("T")


def run_in_trio(function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function to its end.

    A Ctrl-C, or a signal that acts as one, reaches it at its next checkpoint, or in a node's own code, never in
    the middle of ours. Once it has unwound, further ones are ignored: what is left is to say so and to exit.
    """
    import trio

    collect_from_here()

    @trio.lowlevel.enable_ki_protection
    async def call() -> T:
        try:
            if was_asked_to_end():
                raise KeyboardInterrupt
            return await function()
        except BaseException as exc:
            if _find(exc, KeyboardInterrupt) is not None:
                ignore_signals()
            raise

    return trio.run(call)


def leave(exc: BaseException) -> int | str | None:
    """The exit status that belongs to what ended a command; raises it again if it is a bug of ours."""
    if was_asked_to_end() or _find(exc, (KeyboardInterrupt, click.Abort)) is not None:
        return leave_interrupted()
    left = _find(exc, SystemExit)
    if is_a(left, SystemExit):
        try:
            finish_output()
        except OutputLost as failed:
            return left.code or leave(failed)
        return left.code
    lost = _find(exc, OutputLost)
    if isinstance(lost, OutputLost):
        drop_output()
        say(f"Error: standard output could not be written: {lost.reason}")
        return 1
    if is_a(exc, click.ClickException):
        from .importing import told_where_runtimes_go  # only for what is wrong

        shown = StringIO()
        told_where_runtimes_go(exc).show(shown)
        say(shown.getvalue(), end="")
        return 2
    if is_a(exc, FlowScriptError):
        from ..types.looking import text_of  # it imports trio, which not every command needs

        say(f"Error: {text_of(exc)}")
        return 2
    raise exc


def leave_interrupted() -> int:
    """Say that the command was interrupted; a further signal does not interrupt the leaving."""
    ignore_signals()
    status, word = status_of_signal()
    with suppress(OSError):  # the terminal has gone
        say(word)
    return status


def _find(
    exc: BaseException, kind: type[BaseException] | tuple[type[BaseException], ...]
) -> BaseException | None:
    """The exception itself or one in its groups that is of a kind, or None."""
    return next((each for each in leaves_of(exc) if is_a(each, kind)), None)
