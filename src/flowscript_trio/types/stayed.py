"""Owns what stands for a value that stayed on the worker where it was made: on a record, and in a scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import CannotTravel
from .results import NodeMark, NodeResult, NodeStatus


@dataclass(frozen=True, slots=True)
class Stayed:
    """Stands on the record of a run for a value that stayed on its worker: a stream, an open file.

    ``why`` says what kept it there.
    """

    kind: str
    worker: str
    why: str

    def __repr__(self) -> str:
        return f"<{self.kind} that stayed on {self.worker}>"


class StayedMark:
    """How a node ended whose output stayed on its worker; whoever asks for the output is told."""

    __slots__ = ("_name", "error", "status", "stayed")

    def __init__(self, name: str, stayed: Stayed, found: NodeResult | NodeMark) -> None:
        self.status: NodeStatus = found.status
        self.error: BaseException | None = found.error
        self.stayed: Stayed = stayed
        self._name = name

    @property
    def output(self) -> Any:
        """Raises CannotTravel."""
        raise CannotTravel(
            f"the output of {self._name!r} stayed on {self.stayed.worker}: {self.stayed.why}; expected a node "
            "there that makes something plain of it"
        )
