"""What reading refuses is compared with a search of all interleavings, which shares no code with it.

A document is a few ways down: blocks inside each other that hold sets of limits, and a leaf that needs some. Of
each way several runs may be at any step. The search looks for a state in which nobody can take a step and somebody
has not ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

import flowscript_trio as fs

Way = tuple[frozenset[str], ...]
"""What is taken at each level, the outermost first; the last is that of the leaf."""

NAMES = "abc"


def ways_of(chance: Random, deepest: int) -> list[Way]:
    return [
        tuple(
            frozenset(chance.sample(NAMES, 1 if chance.random() < 0.8 else 2))
            for _ in range(chance.randint(1, deepest))
        )
        for _ in range(chance.randint(1, 3))
    ]


def text_of(chance: Random, ways: Sequence[Way], most: dict[str, int], folder: Path) -> str:
    """The ways as a document; here and there one goes on in a document that is called or included."""
    number = 0

    def node(way: Way) -> str:
        nonlocal number
        number += 1
        id, limit = f"n{number}", " ".join(sorted(way[0]))
        if len(way) == 1:
            return f'<source:file id="{id}" path="x" limit="{limit}"/>'
        inner = node(way[1:])
        if chance.random() < 0.3:
            (folder / f"{id}.xml").write_text(
                f'<workflow name="{id}">{declarations}{inner}</workflow>', encoding="utf-8"
            )
            tag = chance.choice(["call", "include"])
            return f'<{tag} id="{id}" workflow="{id}.xml" limit="{limit}"/>'
        if chance.random() < 0.5:
            return f'<foreach id="{id}" collection="{{{{[1]}}}}" limit="{limit}">{inner}</foreach>'
        branch = f"<branch>{inner}</branch>"
        return f'<parallel id="{id}" limit="{limit}">{branch}</parallel>'

    declarations = "".join(f'<limit name="{name}" max="{size}"/>' for name, size in most.items())
    return f'<workflow name="w">{declarations}{"".join(map(node, ways))}</workflow>'


def is_refused(text: str, folder: Path) -> bool:
    try:
        fs.loads(text, base=folder)
    except fs.WorkflowInvalid as exc:
        errors = {problem.code for problem in exc.problems if problem.severity == "error"}
        assert errors == {"limit-cycle"}
        return True
    return False


# ---- the search ----

State = tuple[tuple[int, ...], ...]
"""For each way how many runs hold so many of its levels; those that have ended are not counted."""


def can_lock_up(ways: Sequence[Way], most: dict[str, int], runs: int) -> bool:
    """Whether some interleaving of so many runs of each way comes to where nobody can go on."""
    start: State = tuple((runs, *(0 for _ in way)) for way in ways)
    seen, pending = {start}, [start]
    while pending:
        state = pending.pop()
        after = list(steps(state, ways, most))
        if not after and any(map(any, state)):
            return True
        for other in after:
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return False


def steps(state: State, ways: Sequence[Way], most: dict[str, int]) -> Iterator[State]:
    left = dict(most)
    for way, counts in zip(ways, state, strict=True):
        for level, count in enumerate(counts):
            for taken in way[:level]:
                for name in taken:
                    left[name] -= count
    for at, (way, counts) in enumerate(zip(ways, state, strict=True)):
        for level, count in enumerate(counts):
            if not count:
                continue
            if level == len(way):
                yield moved(state, at, level, None)  # it ends, and gives all back
            elif all(left[name] > 0 for name in way[level]):
                yield moved(state, at, level, level + 1)


def moved(state: State, at: int, start: int, end: int | None) -> State:
    counts = list(state[at])
    counts[start] -= 1
    if end is not None:
        counts[end] += 1
    return (*state[:at], tuple(counts), *state[at + 1 :])


def holds_more_than_one(ways: Sequence[Way]) -> bool:
    """Whether something may keep others from holding what they would have to: reading does not look so far."""
    return any(sum(map(len, way[:-1])) > 1 for way in ways)


def compare(seeds: range, folder: Path) -> tuple[int, int]:
    """Reads and searches one document for each seed; how many were refused, and how many accepted."""
    refused = accepted = 0
    for seed in seeds:
        chance = Random(seed)
        ways = ways_of(chance, deepest=chance.choice([2, 2, 3]))
        most = {name: chance.choice([1, 1, 2]) for name in NAMES}
        text = text_of(chance, ways, most, folder)
        runs = 2 if holds_more_than_one(ways) else 4
        found = can_lock_up(ways, most, runs)
        if is_refused(text, folder):
            refused += 1
            assert found or holds_more_than_one(ways), f"{seed}: it could not lock up: {text}"
        else:
            accepted += 1
            assert not found, f"{seed}: it could lock up: {text}"
    return refused, accepted


@pytest.mark.parametrize("block", range(5))
def test_reading_and_the_search_agree(block: int, tmp_path: Path) -> None:
    refused, accepted = compare(range(block * 60, block * 60 + 60), tmp_path)
    assert refused >= 10
    assert accepted >= 10


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_reading_and_the_search_agree_on_thousands(block: int, tmp_path: Path) -> None:
    refused, accepted = compare(range(1000 + block * 400, 1400 + block * 400), tmp_path)
    assert refused >= 100
    assert accepted >= 100


def test_the_search_knows_what_locks_up_and_what_does_not() -> None:
    a, b = frozenset("a"), frozenset("b")
    most = {"a": 2, "b": 2, "c": 1}
    assert can_lock_up([(a, a)], most, 2)
    assert can_lock_up([(a, b), (b, a)], most, 2)
    assert not can_lock_up([(a, b), (b, a)], most, 1)
    assert not can_lock_up([(a, b), (a, b)], most, 4)
    assert not can_lock_up([(a | b,), (b | a,)], most, 4)
