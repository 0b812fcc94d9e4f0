"""Owns the property of masking: however a secret is written and cut, no eight characters of it are left."""

from __future__ import annotations

from random import Random

import pytest

from flowscript_trio.types.masking import Masker
from secrecy import ENCODINGS, left_of, random_secret

CASES = 5_000
PARTS = 25
SOME = [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))]
"""All take minutes."""


@pytest.mark.parametrize("part", SOME)
def test_no_run_of_a_secret_is_left_however_it_is_written_and_wherever_it_is_cut(part: int) -> None:
    for number in range(part * CASES // PARTS, (part + 1) * CASES // PARTS):
        random = Random(number)
        secret = random_secret(random)
        before, after = random.choice(["", "x", "me:", '{"a": "']), random.choice(["", "!", '"}'])
        name = random.choice(list(ENCODINGS))
        written = ENCODINGS[name](before + secret + after)
        first = random.choice([0, random.randrange(len(written))])
        cut = written[first : random.choice([None, random.randrange(first, len(written) + 1)])]
        shown = Masker([secret]).text(f"the server said: {cut} ({number})")
        assert left_of(secret, shown, ["https://"]) is None, (number, name, secret, cut, shown)
