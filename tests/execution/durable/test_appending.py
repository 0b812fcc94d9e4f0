"""Owns the tests of files that a durable run adds to: nothing is lost or added twice where its process dies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.journal.store import MemoryStore, Store
from flowscript_trio.runtimes.file import again, writing
from flowscript_trio.runtimes.streams import Items, Stream
from flowscript_trio.types.storing import StoreFailed


class Dying:
    """A run that adds to a file, whose process dies at a commit, or with the first bytes that it writes."""

    def __init__(
        self, folder: Path, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.file = folder / name
        self.value = value
        self.warnings: list[str] = []
        self.output: Any = None
        self._folder = folder
        self._die_at: Any = None
        self._count = 0
        self.store: MemoryStore = Store.memory(watch=self._watch)
        self._pour = writing._pour
        self._truncate = os.ftruncate
        self._is_gone = False
        monkeypatch.setattr(writing, "_pour", self._pour_some)
        monkeypatch.setattr(os, "ftruncate", self._cut)

    def _watch(self, moment: str, number: int) -> None:
        if (moment, number) == self._die_at:
            self.store.crash()

    def _pour_some(self, handle: int, data: bytes, stop: Any = None) -> None:
        if isinstance(
            self._die_at, int
        ):  # so many bytes reach the file, and then the process is gone
            self._pour(handle, data[: self._die_at])
            self._is_gone = True
            raise Gone
        self._pour(handle, data, stop)

    def _cut(self, handle: int, size: int) -> None:
        if not self._is_gone:  # who is killed takes nothing back
            self._truncate(handle, size)

    def process(self, die_at: Any = None) -> bool:
        """Begin or resume the run; whether the process died."""
        self._die_at, self._is_gone = die_at, False
        text = f'<workflow name="w"><sink type="file" id="k" path="{self.file.name}" append="true"/></workflow>'
        registry = fs.Registry(base=fs.registry)

        async def main() -> None:
            flow = fs.loads(text, registry=registry.wrapped(self._around))
            run = await fs.run(
                flow,
                store=self.store,
                run_id="r",
                base=self._folder,
                input=None if isinstance(self.value, Flowing) else self.value,
            )
            self.warnings = [each.message for each in run.record.warnings]
            self.output = run.output

        try:
            trio.run(main)
        except StoreFailed:
            return True
        return False

    async def _around(self, runtime: Any, params: fs.ExecutionParams) -> Any:
        if isinstance(self.value, Flowing):
            params = fs.ExecutionParams(
                params.node,
                params.config,
                Stream("s", Items(self.value.items)),
                params.scope,
                params.run,
                True,
            )
        try:
            output = await runtime.execute(params)
        except Gone:
            self.store.crash()
            return None  # what it writes of that is lost
        if self._die_at == "effect":
            self.store.crash()
        return output


class Flowing:
    """Items that come as a stream."""

    def __init__(self, *items: Any) -> None:
        self.items = list(items)


class Gone(BaseException):
    """The process is killed here."""


Make = Callable[..., Dying]


@pytest.fixture
def dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(name: str, value: Any, before: str | None = None) -> Dying:
        if before is not None:
            (tmp_path / name).write_text(before)
        else:
            (tmp_path / name).unlink(missing_ok=True)
        return Dying(tmp_path, name, value, monkeypatch)

    return make


KINDS = [
    ("a.jsonl", [{"n": 1}, {"n": 2}], None, '{"n":1}\n{"n":2}\n'),
    ("a.jsonl", [{"n": 1}, {"n": 2}], '{"n":0}\n', '{"n":0}\n{"n":1}\n{"n":2}\n'),
    ("a.csv", [{"n": 1}, {"n": 2}], None, "n\n1\n2\n"),
    ("a.csv", [{"n": 1}, {"n": 2}], "n\n0\n", "n\n0\n1\n2\n"),
    ("a.log", "line", "no end", "no end\nline\n"),
    ("a.jsonl", Flowing({"n": 1}, {"n": 2}), '{"n":0}\n', '{"n":0}\n{"n":1}\n{"n":2}\n'),
    ("a.csv", Flowing({"n": 1}, {"n": 2}), None, "n\n1\n2\n"),
]
POINTS = [("before", n) for n in range(1, 5)] + [("after", n) for n in range(1, 5)]


@pytest.mark.parametrize(("name", "value", "before", "after"), KINDS)
@pytest.mark.parametrize("point", [*POINTS, "effect", 0, 1, 3])
def test_what_is_added_is_there_once_wherever_the_process_dies(
    name: str, value: Any, before: str | None, after: str, point: Any, dying: Make
) -> None:
    run = dying(name, value, before)
    died = run.process(point)
    assert died or point in (("after", 4), ("before", 4), ("after", 3), ("before", 3))
    assert not run.process()
    assert run.file.read_text() == after
    assert run.warnings == []


def test_what_others_add_meanwhile_stays_and_is_warned_of(dying: Make) -> None:
    run = dying("a.log", "ours", "first\n")
    assert run.process(2)
    with run.file.open("a") as file:
        file.write("theirs\n")
    with pytest.warns(fs.FlowScriptWarning, match="others have written"):
        run.process()
    assert run.file.read_text() == "first\noutheirs\nours\n"


def test_what_is_whole_is_not_added_again_whatever_others_add_behind_it(dying: Make) -> None:
    run = dying("a.log", "ours", "first\n")
    assert run.process("effect")
    with run.file.open("a") as file:
        file.write("theirs\n")
    run.process()
    assert run.file.read_text() == "first\nours\ntheirs\n"
    assert run.output == {"path": "a.log", "bytes": 5}
    assert run.warnings == []


def test_a_file_that_was_cut_meanwhile_is_added_to(dying: Make) -> None:
    run = dying("a.log", "ours", "a long beginning\n")
    assert run.process("effect")
    run.file.write_text("new\n")
    with pytest.warns(fs.FlowScriptWarning, match="others have written"):
        run.process()
    assert run.file.read_text() == "new\nours\n"


def test_a_stream_behind_which_others_have_written_is_an_error(dying: Make) -> None:
    run = dying("a.jsonl", Flowing({"n": 1}), "")
    assert run.process(2)
    with run.file.open("a") as file:
        file.write("theirs\n")
    with pytest.raises(fs.FlowScriptError, match="others have written to it since"):
        run.process()
    assert run.file.read_text() == '{"theirs\n'


@pytest.mark.parametrize(
    ("there", "found"),
    [("", "nothing"), ("ab", "part"), ("abc", "part"), ("abcd", "whole"), ("axc", "others")],
)
def test_what_stands_behind_the_length_that_was_found_is_told_by_its_bytes(
    there: str, found: str, tmp_path: Path
) -> None:
    (tmp_path / "f").write_text("12" + there)
    with (tmp_path / "f").open("rb") as file:
        assert again.what_follows(file.fileno(), 2, [b"ab", b"c"]) == found
        assert again.what_follows(file.fileno(), 20, [b"ab", b"c"]) == "others"
