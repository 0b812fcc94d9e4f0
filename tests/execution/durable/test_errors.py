"""Owns the tests of errors that a resumed run looks at: it sees what the process before it saw."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

from crashing import Crashing, points


class Mute(Exception):
    """Its text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Moody(Exception):
    """Whether it can be tried again cannot be told."""

    @property
    def retryable(self) -> bool:
        raise LookupError("no mood")


class Hasty(Exception):
    """When it can be tried again cannot be told."""

    @property
    def retry_after(self) -> float:
        raise ArithmeticError("no time")


@pytest.mark.parametrize("error", [Mute, Moody, Hasty])
@pytest.mark.parametrize("when", ["true", "retryable"])
def test_an_error_that_cannot_be_looked_at_has_the_same_end_after_every_crash(
    error: type[Exception], when: str
) -> None:
    def crashing() -> tuple[Crashing, list[int]]:
        made = Crashing(
            f'<workflow name="w"><source:odd id="a"><on-error><retry max="1" when="{when}"/>'
            '<fallback node="instead"/></on-error></source:odd>'
            '<source:act id="instead" gives="{{[$error.type, $error.message]}}"/>'
            '<source:act id="b" gives="{{a}}"/></workflow>'
        )
        attempts: list[int] = []

        async def odd(params: fs.ExecutionParams) -> Any:
            assert params.execution is not None
            attempts.append(params.execution.number)
            raise error

        made.world.registry.runtime("source:odd")(odd)
        return made, attempts

    whole, expected = crashing()
    outcome = whole.process().outcome
    assert outcome[0] == "completed"
    for at in points(whole.store.commits):
        crashed, attempts = crashing()
        if crashed.process(at).died:
            assert (at, crashed.process().outcome) == (at, outcome)
            assert set(attempts) == set(expected)
