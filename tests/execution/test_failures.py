from __future__ import annotations

import pytest

from flowscript_trio.execution.failures import branch_of, masked_by, note_block


@pytest.mark.parametrize(
    ("path", "branch"),
    [
        ("api1", None),
        ("fetch-all/1/api2", "fetch-all/1"),
        ("each[3]/step", "each[3]"),
        ("p/0/each[1]/choose/x", "p/0/each[1]"),
        ("choose/x", None),
        ("p/0/again[2]/q/11/x", "p/0/again[2]/q/11"),
    ],
)
def test_the_branch_of_a_node_is_the_innermost_branch_iteration_or_round(
    path: str, branch: str | None
) -> None:
    assert branch_of(path) == branch


def test_what_the_caller_was_handling_is_not_taken_for_a_masked_error() -> None:
    known, masked = ValueError("the caller's"), KeyError("masked")
    cancelled = BaseException()
    cancelled.__context__ = masked
    masked.__context__ = known
    assert masked_by(cancelled, known) == (masked,)
    assert masked_by(cancelled, None) == (masked, known)


def test_a_note_is_said_once() -> None:
    error = ValueError()
    for _ in range(2):
        note_block(error, 1, "p", failed=1, cancelled=2, idle=3)
    assert error.__notes__ == [
        "flowscript: in p: 1 other branch failed, 2 branches were cancelled, 3 branches were not started"
    ]
