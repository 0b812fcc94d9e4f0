"""Owns questions and answers as a store has them: which is meant, and whether an answer fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..types.decisions import APPROVE, REJECT, Action
from ..types.errors import InputError, nearest
from .rows import Asked
from .values import decode_value, encode_value


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What a run waits to be told at a checkpoint.

    ``key`` tells it from all others of the run, ``checkpoint`` is the id of its node. ``due`` is when ``default``
    stands if nobody has answered (seconds since 1970), or None where it waits for as long as it takes.
    ``actions`` are those that the document names; ``choices`` are those that a page has a button for.
    Plain data: cancellation means nothing to it.
    """

    key: str
    checkpoint: str
    prompt: str
    actions: tuple[Action, ...]
    default: str
    due: float | None = None

    @property
    def choices(self) -> tuple[Action, ...]:
        """All that may be answered: the actions, then ``approve`` and ``reject`` if they are not among them."""
        labels = {APPROVE: "Approve", REJECT: "Reject"} | {
            each.id: each.label for each in self.actions
        }
        return tuple(Action(id, labels[id]) for id in actions_of(self.actions))


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is in a slot; ``timed_out``: it is the default, since the time had passed."""

    action: str
    input: Any
    timed_out: bool


def encode_question(checkpoint: str, prompt: str, actions: Sequence[Action], default: str) -> bytes:
    """What is asked, but for its key and time."""
    return encode_value([checkpoint, prompt, [[each.id, each.label] for each in actions], default])


def question_of(asked: Asked) -> OpenQuestion:
    """The question that a store has. Raises StoreFailed where it is damaged."""
    checkpoint, prompt, actions, default = decode_value(asked.asked)
    made = tuple(Action(*each) for each in actions)
    return OpenQuestion(asked.slot, checkpoint, prompt, made, default, asked.due)


def encode_answer(given: Given, encode_input: Callable[[Any], bytes] = encode_value) -> bytes:
    """An answer as bytes; its input by ``encode_input``, which may keep secrets as references."""
    return encode_value([given.action, encode_input(given.input), given.timed_out])


def decode_answer(data: bytes, decode_input: Callable[[bytes], Any] = decode_value) -> Given:
    """The answer that was encoded; raises what ``decode_input`` raises."""
    action, given, timed_out = decode_value(data)
    return Given(action, decode_input(given), timed_out)


def shown_input(data: bytes) -> Any:
    """What went along with an answer; None where it has secrets, which only the run knows."""
    try:
        return decode_value(data)
    except InputError:
        return None


def find_question(run_id: str, checkpoint: str, asked: Sequence[Asked]) -> OpenQuestion | None:
    """The question with that key, or of the checkpoint with that id; None where there is none.

    What is answered counts where nothing is open: whoever comes second is told what the first said. Raises
    InputError where several are meant.
    """
    questions = [(question_of(each), each.answered) for each in asked]
    keyed = [each for each in questions if each[0].key == checkpoint]
    named = [each for each in questions if each[0].checkpoint == checkpoint]
    for found in (keyed, named):
        waiting = [question for question, answered in found if not answered]
        if len(waiting) > 1:
            keys = ", ".join(sorted(repr(each.key) for each in waiting))
            raise InputError(
                f"the run {run_id!r} waits at {checkpoint!r} {len(waiting)} times; expected one of the keys {keys}"
            )
        if waiting:
            return waiting[0]
    found = keyed or named
    return found[-1][0] if found else None


def check_action(question: OpenQuestion, action: str) -> None:
    """Raise InputError for an action that the question does not offer."""
    known = actions_of(question.actions)
    if action in known:
        return
    near = nearest(action, known) if isinstance(action, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    raise InputError(
        f"{question.checkpoint!r} has no action {action!r}; expected one of {', '.join(known)}{hint}"
    )


def actions_of(actions: Sequence[Action]) -> list[str]:
    """The ids of all that may be answered, each once."""
    return list(dict.fromkeys([*(each.id for each in actions), APPROVE, REJECT]))
