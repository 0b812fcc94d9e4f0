"""Owns the workloads of files and streams: read whole, and from a large CSV file in batches into SQLite."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from .data import peak
from .flows import fs, load
from .measuring import Cost, Workload, timed

ROW_BYTES = 63
COLUMNS = ("id", "name", "price", "quantity", "city", "day")
TABLE = f"CREATE TABLE rows ({', '.join(COLUMNS)})"
INSERT = f"INSERT INTO rows VALUES ({', '.join(':' + name for name in COLUMNS)})"
BATCH = 1000

IN_BATCHES = """
  <source:file id="rows" path="rows.csv" stream="true"/>
  <foreach id="each" collection="rows" batch="1000" merge="none">
    <sink:database id="put" input="item" connection="sqlite:///rows.db" table="rows" batch="1000"/>
  </foreach>
"""
AT_ONCE = """
  <source:file id="rows" path="rows.csv" stream="true"/>
  <sink:database id="put" input="rows" connection="sqlite:///rows.db" table="rows" batch="1000"/>
"""


def make_rows(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": number,
            "name": f"name {number}",
            "price": number * 1.5,
            "quantity": number % 7,
            "city": f"Some City {number % 100}",
            "day": "2026-01-02T03:04:05",
        }


def make_files(count: int) -> Path:
    """A folder with the rows as CSV, JSON and JSON lines."""
    folder = Path(mkdtemp(prefix="flowscript-benchmark-"))
    rows = list(make_rows(count))
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def by_hand(path: Path) -> Any:
    """The content of a file as the standard library reads it."""
    with path.open(newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        return json.load(file) if path.suffix == ".json" else [json.loads(line) for line in file]


def whole(folder: Path, name: str, count: int) -> Iterator[Workload]:
    """A file that is read whole: its time and its memory."""
    flow = load(f'<source:file id="f" path="{name}"/>')
    engine = partial(fs.run, flow, base=folder)

    async def hand() -> Any:
        return by_hand(folder / name)

    yield Workload(f"{name} read whole", "row", count, timed(engine), timed(hand), 1.3, 1.1)
    few = max(count // 10, 1)
    small = make_files(few)
    engine = partial(fs.run, flow, base=small)

    async def hand_of_few() -> Any:
        return by_hand(small / name)

    yield Workload(
        f"memory of {name} read whole", "row", few, peak(engine), peak(hand_of_few), 1.3, 1.0
    )


def clear(folder: Path) -> None:
    (folder / "rows.db").unlink(missing_ok=True)
    connection = sqlite3.connect(folder / "rows.db")
    connection.execute(TABLE)
    connection.close()


def engine_into_sqlite(folder: Path, body: str) -> None:
    import trio

    trio.run(partial(fs.run, load(body), base=folder))


def hand_into_sqlite(folder: Path, every: bool) -> None:
    """csv.DictReader and executemany; ``every`` batch in a transaction of its own, as each sink is."""
    connection = sqlite3.connect(folder / "rows.db")
    try:
        with (folder / "rows.csv").open(newline="") as file:
            reader = csv.DictReader(file)
            while batch := list(islice(reader, BATCH)):
                connection.executemany(INSERT, batch)
                if every:
                    connection.commit()
        connection.commit()
    finally:
        connection.close()


def seconds(folder: Path, work: Callable[[], None]) -> Cost:
    def cost() -> float:
        clear(folder)
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return cost


def resident(folder: Path, call: str) -> Cost:
    """The most memory of a process of its own that makes a call of this module, in bytes (on Linux)."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.streams import *; "
        f"{call}; print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    path = os.pathsep.join(each for each in sys.path if each)

    def cost() -> float:
        clear(folder)
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        return float(done.stdout) * 1024

    return cost


def into_sqlite(folder: Path, count: int) -> Iterator[Workload]:
    """A large CSV file into SQLite, by a stream; each batch or all of it in one transaction."""
    size = (folder / "rows.csv").stat().st_size / 1_000_000
    for name, body, every in (("in batches", IN_BATCHES, True), ("in one go", AT_ONCE, False)):
        yield Workload(
            f"CSV of {size:.0f} MB into SQLite, {name}",
            "row",
            count,
            seconds(folder, partial(engine_into_sqlite, folder, body)),
            seconds(folder, partial(hand_into_sqlite, folder, every)),
            2.0,
            1.5,
        )
    yield Workload(
        f"memory of a process with CSV of {size:.0f} MB into SQLite",
        "process",
        1,
        resident(folder, "engine_into_sqlite(Path(sys.argv[1]), IN_BATCHES)"),
        resident(folder, "hand_into_sqlite(Path(sys.argv[1]), True)"),
        None,
        None,
    )


def workloads(scale: float) -> Iterator[Workload]:
    count = max(int(200_000 * scale), 100)
    folder = make_files(count)
    for name in ("rows.csv", "rows.json", "rows.jsonl"):
        yield from whole(folder, name, count)
    large = max(int(50_000_000 / ROW_BYTES * scale), 100)
    yield from into_sqlite(make_files(large), large)
