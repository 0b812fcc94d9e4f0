from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.file import writing
from flowscript_trio.runtimes.file.paths import PathOutside


async def run_one(element: str, base: Path | None = None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, base=base, **options)).output


@pytest.mark.parametrize(
    ("name", "content", "output"),
    [
        ("a.json", '{"x": [1, "é"]}', {"x": [1, "é"]}),
        ("a.jsonl", '{"x": 1}\n\n[2]\n', [{"x": 1}, [2]]),
        ("a.yaml", "x: [1, two]\n", {"x": [1, "two"]}),
        ("a.csv", "a,b\n1,two\n", [{"a": "1", "b": "two"}]),
        ("a.txt", "one\ntwo", "one\ntwo"),
        ("a.log", "one\ntwo\n", ["one", "two"]),
        ("a.bin", "\x00", b"\x00"),
    ],
)
async def test_a_file_is_read_by_its_suffix(
    name: str, content: str, output: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert await run_one(f'<source:file id="f" path="{name}"/>', tmp_path) == output


@pytest.mark.parametrize(
    ("name", "value", "content"),
    [
        ("a.json", {"x": [1, "é"]}, '{\n  "x": [\n    1,\n    "é"\n  ]\n}\n'),
        ("a.jsonl", [{"x": 1}, 2], '{"x":1}\n2\n'),
        ("a.yaml", {"x": [1]}, "x:\n- 1\n"),
        ("a.csv", [{"a": 1, "b": "t,o"}, {"a": None}], 'a,b\n1,"t,o"\n,\n'),
        ("a.txt", "text", "text"),
        ("a.log", ["one", 2], "one\n2\n"),
        ("a.bin", b"\x00", "\x00"),
    ],
)
async def test_a_file_is_written_by_its_suffix(
    name: str, value: Any, content: str, tmp_path: Path
) -> None:
    output = await run_one(f'<sink:file id="f" path="deep/er/{name}"/>', tmp_path, input=value)
    written = tmp_path / "deep" / "er" / name
    assert written.read_text(encoding="utf-8") == content
    assert output == {"path": f"deep/er/{name}", "bytes": len(content.encode())}
    assert os.listdir(written.parent) == [name]


async def test_a_csv_that_is_appended_to_keeps_one_header(tmp_path: Path) -> None:
    for number in (1, 2):
        await run_one(
            '<sink:file id="f" path="a.csv" append="true"/>', tmp_path, input={"n": number}
        )
    assert (tmp_path / "a.csv").read_text() == "n\n1\n2\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1,\n "b" 2}', r"a\.json:2:6: no JSON"),
        (b"\xff", "no UTF-8 text"),
    ],
)
async def test_an_unreadable_file_is_an_error_with_its_place(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(fs.FlowScriptError, match=message):
        await run_one('<source:file id="f" path="a.json"/>', tmp_path)


async def test_a_csv_row_of_another_length_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(fs.FlowScriptError, match=r"a\.csv:3: the row has not the 2 columns"):
        await run_one('<source:file id="f" path="a.csv"/>', tmp_path)


@pytest.mark.parametrize("path", ["../x.txt", "/etc/passwd", "link/x.txt", "a/../../x.txt"])
@pytest.mark.parametrize("kind", ["source", "sink"])
async def test_a_path_cannot_leave_the_base_folder(kind: str, path: str, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "x.txt").write_text("outside")
    (base / "link").symlink_to(tmp_path)
    with pytest.raises(PathOutside, match="leads out of the base folder"):
        await run_one(f'<{kind}:file id="f" path="{path}"/>', base, input="new")
    assert (tmp_path / "x.txt").read_text() == "outside"


async def test_without_a_base_paths_are_taken_from_the_current_folder_and_may_go_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("here")
    monkeypatch.chdir(tmp_path / "sub")
    assert await run_one('<source:file id="f" path="../a.txt"/>') == "here"


async def test_nan_is_refused_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(fs.EvaluationError, match=r"\$\.x\[0\] is NaN"):
        await run_one('<sink:file id="f" path="a.json"/>', tmp_path, input={"x": [float("nan")]})
    assert (tmp_path / "a.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
async def test_a_write_that_fails_at_any_step_leaves_the_old_file_and_no_other(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail(*args: Any, **options: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(writing.os, step, fail)
    with pytest.raises(OSError, match="no room"):
        await run_one('<sink:file id="f" path="a.txt"/>', tmp_path, input="new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


async def test_a_cancelled_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old")
    reached, go = threading.Event(), threading.Event()
    real = os.chmod

    def wait(*args: Any, **options: Any) -> None:
        reached.set()
        go.wait(20)
        real(*args, **options)

    monkeypatch.setattr(writing.os, "chmod", wait)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: run_one('<sink:file id="f" path="a.txt"/>', tmp_path, input="new")
        )
        await trio.to_thread.run_sync(reached.wait, 20)
        nursery.cancel_scope.cancel()
        go.set()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


async def test_a_hung_read_frees_the_run_when_it_is_cancelled(tmp_path: Path) -> None:
    pipe = tmp_path / "a.txt"
    os.mkfifo(pipe)  # whoever opens it to read waits for a writer
    writer = -1
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: run_one('<source:file id="f" path="a.txt"/>', tmp_path))
        while writer < 0:
            await trio.lowlevel.checkpoint()
            with suppress(OSError):  # until the reader waits
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        nursery.cancel_scope.cancel()
    os.close(writer)  # the thread that was left behind ends


async def test_the_permissions_of_an_existing_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o640)
    await run_one('<sink:file id="f" path="a.txt"/>', tmp_path, input="new")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


async def test_without_create_dir_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await run_one('<sink:file id="f" path="no/a.txt" createDir="false"/>', tmp_path, input="x")
