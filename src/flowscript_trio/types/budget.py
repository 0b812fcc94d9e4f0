"""Owns the bounds that an application sets to a whole run, whatever its document asks for."""

from __future__ import annotations

from math import inf

from .deferred import dataclass
from .errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a whole run may take, whatever its document asks for. None: no bound.

    ``tasks`` and ``cleanup`` cap what a document asks for. Exceeding any other fails the run with
    :class:`BudgetExceeded`, which no retry, handler, ``tolerate`` or ``on-timeout`` of the document catches.

    Args:
        seconds: how long the nodes of the run may take, in seconds of trio's clock. What follows (clean-up) is
            bounded by ``cleanup``.
        cleanup: seconds of ``<finally>``, ``<on-workflow-error>`` and ``<compensate>`` in all, whatever their own
            ``timeout`` says; clean-up that runs at the same time counts once.
        tasks: the most branches of one block, items of one ``<foreach>`` or nodes of one graph that run at once,
            even where ``maxConcurrency`` is ``unlimited``.
        nodes: executions of nodes, in documents that are included or called too; each further attempt counts.
        rounds: rounds of ``<loop>`` and ``<while>`` and iterations of ``<foreach>``, in all.
        output_bytes: bytes of the outputs, variables, inputs and settings that the run keeps at the same time.
            What several of them share counts once.
        requests: HTTP requests that are sent, those of AI nodes, of redirects and for tokens included.
        record_bytes: about how many bytes the record of the run takes, without the outputs in it.

    Clean-up has ``nodes``, ``rounds``, ``output_bytes``, ``requests`` and ``record_bytes`` once more, for itself:
    it can run where the nodes of the run have spent all.

    Raises InputError for what is not such a number. It holds nothing that a cancellation would have to close.
    Where ``seconds`` is exceeded, or any other bound, the rest of the run is cancelled.
    """

    seconds: float | None = None
    cleanup: float | None = None
    tasks: int | None = None
    nodes: int | None = None
    rounds: int | None = None
    output_bytes: int | None = None
    requests: int | None = None
    record_bytes: int | None = None

    def __post_init__(self) -> None:
        for name in SECONDS:
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            least = 0 if name == "cleanup" else 1e-9
            if value is not None and not (is_number and least <= value < inf):
                bound = "of at least 0" if name == "cleanup" else "above 0"
                raise InputError(
                    f"the budget's {name} is {value!r}; expected a number of seconds {bound}, or None"
                )
        for name in COUNTS:
            value = getattr(self, name)
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            least = 1 if name == "tasks" else 0
            if value is not None and not (is_whole and value >= least):
                raise InputError(
                    f"the budget's {name} is {value!r}; expected a whole number of at least {least}, or None"
                )


SECONDS = ("seconds", "cleanup")
"""The fields that are times."""
COUNTS = ("tasks", "nodes", "rounds", "output_bytes", "requests", "record_bytes")
"""The fields that are whole numbers."""
