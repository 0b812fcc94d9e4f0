"""Owns the signals that ask a command to end: SIGTERM and SIGHUP do what Ctrl-C does, at the same moments."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..types.exceptions import call_ctrl_c

INTERRUPTED = 130
_OTHERS: list[int] = [
    int(getattr(signal, name)) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_WORDS = {"SIGTERM": "terminated", "SIGHUP": "hung up"}

_received: list[int] = []  # what asked first, where that was not Ctrl-C


def take_signals() -> None:
    """Let SIGTERM and SIGHUP act as Ctrl-C; those that whoever started us has set to be ignored stay so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A background job: Ctrl-C is not for it, but the two others go the way that Ctrl-C would.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in _OTHERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _as_ctrl_c)
    sys.unraisablehook = _report_unraisable


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):  # else the command is leaving already
        _received.append(number)
        call_ctrl_c(signal.Signals(number).name)
        handler(signal.SIGINT, frame)


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Report what cannot be raised, but for a signal that a callback swallowed: the command says that itself."""
    if not (was_asked_to_end() and unraisable.exc_type is KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def was_asked_to_end() -> bool:
    """Whether a signal came: an import may have swallowed what it raised, or made another error of it."""
    return bool(_received)


def ignore_signals() -> None:
    """Ignore every further Ctrl-C, SIGTERM and SIGHUP."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def status_of_signal() -> tuple[int, str]:
    """The exit status of a command that was asked to end, and the word for it."""
    if not _received:
        return INTERRUPTED, "interrupted"
    number = signal.Signals(_received[0])
    return 128 + number, f"{_WORDS[number.name]} ({number.name})"


class Held:
    """Signals that are held back: see :func:`holding_signals`."""

    def __init__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_OTHERS)}
        self._pending: list[int] = []

    def hold(self) -> None:
        for number, before in self._before.items():
            if callable(before):
                signal.signal(number, self._keep)

    def release(self) -> None:
        for number, before in self._before.items():
            if signal.getsignal(number) == self._keep:
                signal.signal(number, before)
        if self._pending:
            signal.raise_signal(self._pending.pop(0))

    def _keep(self, number: int, frame: FrameType | None) -> None:
        self._pending.append(number)

    @contextmanager
    def letting_through(self) -> Iterator[None]:
        """Not in this block: what was held back comes at its beginning."""
        self.release()
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                self.hold()


@contextmanager
def holding_signals() -> Iterator[Held]:
    """Hold back what asks the command to end while files are begun and completed; it comes at the end."""
    held = Held()
    held.hold()
    try:
        yield held
    finally:
        held.release()
