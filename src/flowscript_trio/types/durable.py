"""Owns what can be wrong with a run that another process had begun."""

from __future__ import annotations

from .errors import FlowScriptError


class Interrupted(FlowScriptError):
    """The process that ran a node died or left while the node was at work, and it is not to be done again.

    Either the node says ``on-crash="fail"``, or several processes have died at it, ``times``: what was left does
    not count. Whether it had its effect is not known. It is an error of that node, as any other, and not tried
    again unless a ``<retry when>`` says so; it is not a cancellation.
    """

    retryable = False

    def __init__(self, label: str, times: int) -> None:
        if times == 0:
            said = "the process left the run while it was at work"
        elif times == 1:
            said = "the process died while it was at work"
        else:
            said = f"{times} processes have died while it was at work"
        super().__init__(f"{label!r} was interrupted: {said}, and it may have had its effect")
        self.times: int = times


class Diverged(FlowScriptError):
    """A node that is done again after a crash has other settings than it had when it was begun.

    Something that it depends on is not what it was: a function of the application, a file of the document.

    It is an error of that node, as any other, and not a cancellation. Where instead something that had ended
    comes to another end, the run is left as it is, with this error.
    """

    retryable = False

    def __init__(self, said: str) -> None:
        super().__init__(f"{said}; resume the run with what it was begun with, or begin a new one")
