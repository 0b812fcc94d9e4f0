"""A power cut loses or tears what was not synced, at any byte of it: the store opens, and has all that was."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store

ROWS = 3
"""Rows that are synced at once, and must be there all or none."""


def cut(source: Path, target: Path, synced: int, chance: Random) -> None:
    """What is there of a store after a power cut: of the log behind what was synced a part, and that torn."""
    target.mkdir()
    shutil.copy(source / "runs.db", target)
    log = (source / "runs.db-wal").read_bytes()
    end = chance.randint(synced, len(log))
    tail = bytearray(log[synced:end])
    for _ in range(chance.randrange(3)):  # sectors that never reached the disk
        at = chance.randrange(max(len(tail), 1)) // 512 * 512
        tail[at : at + 512] = chance.randbytes(len(tail[at : at + 512]))
    (target / "runs.db-wal").write_bytes(log[:synced] + bytes(tail))


async def rows_of(folder: Path) -> list[Row]:
    journal = await Store(folder / "runs.db").open("r")
    rows = list(journal.read())
    await journal.aclose()
    return rows


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_synced_outlives_a_power_cut_and_the_rest_is_there_whole_or_not(
    seed: int, tmp_path: Path
) -> None:
    chance = Random(seed)
    folder = tmp_path / "runs"
    folder.mkdir()
    journal = await Store(folder / "runs.db").begin("r", b"")
    lengths = [0]
    for number in range(12):
        for part in range(ROWS):
            value = os.urandom(chance.choice((10, 6_000)))
            journal.write(Row("ended", f"{number}/{part}", b"", value))
        await journal.synced()
        lengths.append((folder / "runs.db-wal").stat().st_size)
    assert lengths == sorted(lengths), "no checkpoint of SQLite has begun the log anew"
    lost = 0
    for number, synced in enumerate(lengths):
        if number == 0:
            continue
        after = tmp_path / f"cut-{number}"
        cut(folder, after, synced, chance)
        rows = await rows_of(after)
        assert len(rows) >= number * ROWS
        assert len(rows) % ROWS == 0
        assert [row.key for row in rows] == [f"{at // ROWS}/{at % ROWS}" for at in range(len(rows))]
        lost += len(rows) < len(lengths[1:]) * ROWS
    assert lost > 3
    await journal.aclose()
