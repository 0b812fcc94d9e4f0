"""Owns streams in a durable run: where one is consumed again, it is opened again, and read from its beginning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ...runtimes.streams import BATCH, Stream
from ..frame import Attempt, Outcome
from .entries import Opened
from .recorder import Recorder

Work = Callable[[], Awaitable[Outcome]]


class Reopened:
    """The supply of a stream that an earlier process had opened: it is opened again when an item is asked for."""

    def __init__(self, name: str | None, open_again: Work) -> None:
        self._name = name
        self._open_again = open_again
        self._stream: Stream | None = None

    async def fetch(self) -> Sequence[Any]:
        if self._stream is None:
            output = (await self._open_again()).output
            stream = output if self._name is None else output[self._name]
            assert isinstance(stream, Stream)
            stream.claim()
            self._stream = stream
        return await self._stream.take(BATCH)

    async def aclose(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()


_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, dict})
"""What most outputs are: asking whether one is of an abstract class, as a stream is, takes ten times as long."""


def name_of_stream(output: Any) -> str | None:
    """Where in an output a stream is; empty where it is the output, None where there is none."""
    if isinstance(output, dict):
        for name, value in output.items():
            if type(value) not in _PLAIN and isinstance(value, Stream) and isinstance(name, str):
                return name
    elif type(output) not in _PLAIN and isinstance(output, Stream):
        return ""
    return None


def note_opened(recorder: Recorder, attempt: Attempt, name: str, output: Any, sealed: bool) -> None:
    """Write that an attempt gave a stream, and what else it gave; ``sealed``: it has set cookies."""
    rest = {**output, name: None} if name else None
    entry = Opened(attempt.path, attempt.number, recorder.clock.pass_now, name or None, rest)
    recorder.journal.write(entry, sealed=sealed)


def opened_before(recorder: Recorder, attempt: Attempt) -> Opened | None:
    """What an earlier process wrote of the stream that an attempt gave, unless it is done again.

    The scope of the node gets the cookies that came with it.
    """
    known = recorder.past.opened.get((attempt.path, attempt.number))
    if known is None or known.again:
        return None
    recorder.outcomes.take_up(attempt.path, attempt.number, attempt.frame.state)
    return known


def open_later(known: Opened, attempt: Attempt, work: Work) -> Outcome:
    """The output of a node that gave a stream: another one, which does the node's work when it is consumed."""
    stream = Stream(attempt.step.label, Reopened(known.name, work))
    return Outcome(stream if known.name is None else {**known.rest, known.name: stream})
