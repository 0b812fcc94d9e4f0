"""Owns what is said where a store has no such run or question, or another document. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..types.errors import InputError, nearest


def no_such_run(run_id: str, known: Iterable[str]) -> InputError:
    """The error for a run that is not in the store."""
    near = nearest(run_id, known)
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"there is no run {run_id!r} in the store{hint}")


def no_such_question(run_id: str, slot: str, asked: Iterable[str]) -> InputError:
    """The error for an answer to what the run does not ask."""
    asked = list(asked)
    waits = f"it waits for {', '.join(map(repr, asked))}" if asked else "it waits for no answer"
    near = nearest(slot, asked)
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"the run {run_id!r} does not ask {slot!r}; {waits}{hint}")


def other_document(run_id: str) -> InputError:
    """The error for a run that was begun with something else."""
    return InputError(
        f"the run {run_id!r} is in the store with another document, input or config; "
        "expected another run_id, or the same document, input and config"
    )
