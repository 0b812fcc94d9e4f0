"""Owns what a store finds and may be asked for: answers in slots, and what is said about what is missing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan

from ..types.errors import InputError, nearest
from .rows import CANCEL, ENDED, STATES, Answered

LONGEST_ID = 200
"""Characters that the id of a run may have."""
MOST = 1 << 53
"""More runs than any store has: databases know no larger numbers."""
OLDEST = 1e10
"""Seconds; no run is older than that, and the dates of databases go back that far."""


def can_be_id(run_id: object) -> bool:
    """Whether a run may have that id."""
    return isinstance(run_id, str) and run_id.isprintable() and 0 < len(run_id) <= LONGEST_ID


def check_id(run_id: str) -> str:
    """The id of a run that is looked for; InputError for what no run can have."""
    if not can_be_id(run_id):
        raise no_such_run(run_id, ())
    return run_id


def check_age(seconds: float, name: str) -> float:
    """Seconds that databases can reckon with; InputError for what is not an age."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or isnan(seconds):
        raise InputError(f"{name} is {seconds!r}; expected a number of seconds")
    return max(min(seconds, OLDEST), -OLDEST)


def check_count(count: int, name: str) -> int:
    """A number of runs that databases can reckon with; InputError for what is not one."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InputError(f"{name} is {count!r}; expected a whole number from 0")
    return min(count, MOST)


def no_such_run(run_id: str, known: Iterable[str]) -> InputError:
    """The error for a run that is not in the store."""
    near = nearest(run_id, known)
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"there is no run {run_id!r:.300} in the store{hint}")


def check_states(states: Iterable[str]) -> None:
    """Raise InputError for what is not the state of a run."""
    for state in states:
        if state not in STATES:
            near = nearest(state, STATES) if isinstance(state, str) else None
            hint = f"; did you mean {near!r}?" if near else ""
            raise InputError(
                f"{state!r} is not a state of a run; expected {', '.join(STATES)}{hint}"
            )


def no_such_question(
    run_id: str, slot: str, asked: Iterable[str], names: Iterable[str] = ()
) -> InputError:
    """The error for an answer to what the run does not ask; ``names`` may stand for the slots that are asked."""
    asked = list(asked)
    waits = f"it waits for {', '.join(map(repr, asked))}" if asked else "it waits for no answer"
    near = nearest(slot, [*asked, *names])
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"the run {run_id!r} does not ask {slot!r}; {waits}{hint}")


def other_document(run_id: str) -> InputError:
    """The error for a run that was begun with something else."""
    return InputError(
        f"the run {run_id!r} is in the store with another document, input or config; "
        "expected another run_id, or the same document, input and config"
    )


def find_answer(
    run_id: str,
    slot: str,
    found: tuple[bytes | None, str | None] | None,
    state: str,
    open_slots: Callable[[], Iterable[str]],
) -> Answered | None:
    """The answer that is in a slot already; None where it may be filled now.

    ``found`` is what the store has of the slot: its answer and whose it is, if there is one; None where the
    run has no such slot. Raises InputError for a slot that is not asked, and for a run that has ended.
    """
    if found is not None and found[0] is not None and not (slot == CANCEL and state in ENDED):
        return Answered(slot, found[0], found[1] or "", False)
    if state in ENDED:
        raise InputError(f"the run {run_id!r} has ended; it is {state}")
    if found is None and slot != CANCEL:
        raise no_such_question(run_id, slot, open_slots())
    return None
