"""Owns how the outputs of a block's branches become its output. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def merge_outputs(
    word: str, outputs: Sequence[Any], failed: frozenset[int], labels: Sequence[str]
) -> Any:
    """The output of a block by one of the words of ``merge``.

    Args:
        word: ``array``, ``concat``, ``object`` or ``none``.
        outputs: one slot a branch, in the order of the output; null where a branch failed.
        failed: the slots of branches that failed and were tolerated.
        labels: for ``object``: the id of each branch's last node; empty for a branch without nodes, which has
            nothing to put there.
    """
    if word == "array":
        return list(outputs)
    if word == "none":
        return len(outputs) - len(failed)
    good = [(slot, value) for slot, value in enumerate(outputs) if slot not in failed]
    if word == "concat":
        merged: list[Any] = []
        for _, value in good:
            if isinstance(value, (list, tuple, range)):
                merged.extend(value)
            else:
                merged.append(value)
        return merged
    assert word == "object"
    result: dict[Any, Any] = {}
    for slot, value in good:
        if isinstance(value, Mapping):
            result.update(value)
        elif labels[slot]:
            result[labels[slot]] = value
    return result
