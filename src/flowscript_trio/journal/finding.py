"""Owns what a store finds: what is in a slot, and what is said where a run or a question is missing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..types.errors import InputError, nearest
from .rows import CANCEL, ENDED, STATES, Answered


def no_such_run(run_id: str, known: Iterable[str]) -> InputError:
    """The error for a run that is not in the store."""
    near = nearest(run_id, known)
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"there is no run {run_id!r} in the store{hint}")


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
