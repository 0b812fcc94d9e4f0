"""Owns how the command line asks a person: on a terminal, one line in answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import trio

from ..types.decisions import APPROVE, REJECT, Action, Answer
from ..types.errors import nearest
from .saying import say


class TerminalDecider:
    """Asks on standard error and reads from standard input, one question at a time.

    ``pause`` gives a context in which nothing else draws on the terminal. Cancellation ends the wait at
    once; a line that was typed by then stays unread.
    """

    def __init__(self, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._pause = pause
        self._turn = trio.Lock()

    async def __call__(self, prompt: str, actions: Sequence[Action]) -> Answer:
        """Ask until the answer is one of the actions."""
        async with self._turn:
            with self._pause():
                return await _ask(prompt, actions)


async def _ask(prompt: str, actions: Sequence[Action]) -> Answer:
    labels = {APPROVE: "Approve", REJECT: "Reject"} | {each.id: each.label for each in actions}
    _say(prompt or "Go on?")
    for number, (name, label) in enumerate(labels.items(), 1):
        _say(f"  {number}  {name}" + (f"  ({label})" if label.lower() != name.lower() else ""))
    while True:
        say("> ", end="")
        await trio.lowlevel.wait_readable(sys.stdin)
        line = sys.stdin.readline()
        if not line:
            _say("standard input has ended: this counts as reject")
            return Answer(REJECT)
        answer = read_answer(line, labels)
        if answer is not None:
            return answer
        near = nearest(line.strip(), labels)
        _say(
            f"please answer with one of {', '.join(labels)}"
            + (f"; did you mean {near!r}?" if near else "")
        )


def read_answer(line: str, labels: dict[str, str]) -> Answer | None:
    """The answer in a line: the number, id or label of an action; what follows an id or a number after a
    space is the person's input. None where it is not one of them.
    """
    words = {str(number): name for number, name in enumerate(labels, 1)}
    words |= {name.lower(): name for name in labels}
    whole = words | {label.lower(): name for name, label in labels.items()}
    line = line.strip()
    if line.lower() in whole:
        return Answer(whole[line.lower()])
    first, _, rest = line.partition(" ")
    if first.lower() in words:
        return Answer(words[first.lower()], rest.strip())
    return None


def _say(text: str) -> None:
    say(text)
