"""Owns the words for where a node is in its code: of a thread's stack, the part that is the node's."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import trio

from .watcher import Stack

_TRIO = trio.lowlevel.current_task.__code__.co_filename
"""The file whose frames call the steps of tasks."""
_WALK = f"{Path(__file__).parents[1] / 'execution'}{os.sep}"
"""The folder whose frames call runtimes, resources and observers."""
_ENGINE = f"{Path(__file__).parents[1]}{os.sep}"
_LIBRARIES = (
    "<frozen ",
    _ENGINE,
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib")),
)
_SHOWN = 3


def node_part(stack: Stack) -> Stack:
    """The frames inside the engine's call of a runtime, or inside trio's call of a task's step.

    Where those are the innermost frames themselves, it is the first of them.
    """
    for depth, spot in enumerate(stack):
        if spot.file.startswith(_WALK) or spot.file == _TRIO:
            return stack[: max(depth, 1)]
    return stack


def describe_stack(stack: Stack) -> str | None:
    """Where a node is: its innermost frames, then those of its own code. None where nothing is known.

    Its own code begins with the innermost frame that is not in a library, and ends with its outermost frame.
    Where all of it is the engine's (an expression), or a library's, the innermost frames and the outermost tell.
    """
    part = node_part(stack)
    if not part:
        return None
    own = (n for n, spot in enumerate(part) if not spot.file.startswith(_LIBRARIES))
    foreign = (n for n, spot in enumerate(part) if not spot.file.startswith(_ENGINE))
    depth = next(own, 0)
    shown = {*range(min(depth, _SHOWN)), depth, max(foreign, default=depth)}
    words, before = [], -1
    for number in sorted(shown):
        if number > before + 1:
            words.append("…")
        words.append(f"{part[number].function} ({part[number].file}:{part[number].line})")
        before = number
    return ", called by ".join(words)
