"""Owns tests of files under a base folder in which others write: links, second names, races, devices."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.runtimes.file import paths, writing

from swapping import swapping

ROUNDS = [60, pytest.param(2000, marks=pytest.mark.slow)]
"""Writes, or readings, that a race is tried for."""

SWAPPER = """
import os, sys
base, outside = sys.argv[1:3]
victim = os.path.join(outside, "a.txt")
makes = [getattr(os, name) for name in sys.argv[3:]]
print("ready", flush=True)
while True:
    for entry in os.scandir(base):
        if entry.name.endswith(".tmp"):
            try:
                os.unlink(entry.path)
                os.symlink(victim, entry.path)
            except OSError:
                pass
    name = os.path.join(base, "a.txt")
    for make in makes:
        try:
            os.unlink(name)
        except OSError:
            pass
        try:
            make(victim, name)
        except OSError:
            pass
    try:
        os.unlink(name)
        with open(name, "x") as file:
            file.write("inside")
        os.chmod(name, 0o666)
    except OSError:
        pass
    folder, moved = os.path.join(base, "sub"), os.path.join(base, "moved")
    try:
        os.rename(folder, moved)
        os.symlink(outside, folder)
        os.unlink(folder)
        os.rename(moved, folder)
    except OSError:
        pass
"""


async def run_one(element: str, base: Path | None = None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, base=base, **options)).output


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    base, outside = tmp_path / "base", tmp_path / "outside"
    (base / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "a.txt").write_text("key")
    (outside / "a.txt").chmod(0o600)
    return base, outside


def state_of(folder: Path) -> tuple[list[str], str, int]:
    file = folder / "a.txt"
    return os.listdir(folder), file.read_text(), stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("append", ["true", "false"])
@pytest.mark.parametrize("path", ["a.txt", "sub/a.txt"])
async def test_no_race_of_another_process_touches_a_file_outside(
    path: str, append: str, rounds: int, folders: tuple[Path, Path]
) -> None:
    base, outside = folders
    before = state_of(outside)
    flow = fs.loads(
        f'<workflow name="w"><sink:file id="f" path="{path}" append="{append}" create-dir="false"/></workflow>'
    )
    wrote = 0
    with swapping(SWAPPER, base, outside, "symlink", "link"):
        for _ in range(rounds):
            with suppress(OSError, fs.FlowScriptError):
                await fs.run(flow, base=base, input="new" * 1000)
                wrote += 1
            assert state_of(outside) == before
    assert wrote > 0


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("path", ["a.txt", "sub/a.txt"])
async def test_no_race_of_another_process_reads_a_file_outside(
    path: str, rounds: int, folders: tuple[Path, Path]
) -> None:
    base, outside = folders
    (base / "sub" / "a.txt").write_text("inside")
    flow = fs.loads(f'<workflow name="w"><source:file id="f" path="{path}"/></workflow>')
    read = 0
    with swapping(SWAPPER, base, outside, "symlink"):
        for _ in range(rounds):
            with suppress(OSError, fs.FlowScriptError):
                output = (await fs.run(flow, base=base)).output
                assert output in ("inside", "")  # a file that was just made is empty
                read += 1
    assert read > 0


async def test_a_temporary_file_that_is_swapped_for_a_link_changes_nothing(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, outside = folders
    before = state_of(outside)
    (base / "a.txt").write_text("old")
    (base / "a.txt").chmod(0o666)
    real = os.fsync

    def swap(handle: int) -> None:
        real(handle)
        for found in base.glob(".*.tmp"):
            found.unlink()
            found.symlink_to(outside / "a.txt")

    monkeypatch.setattr(writing.os, "fsync", swap)
    with pytest.raises(fs.FlowScriptError, match="another process moves files"):
        await run_one('<sink:file id="f" path="a.txt"/>', base, input="new")
    assert state_of(outside) == before
    assert (base / "a.txt").read_text() == "old"
    assert sorted(os.listdir(base)) == ["a.txt", "sub"]


async def test_a_hard_link_is_not_added_to_under_a_base(folders: tuple[Path, Path]) -> None:
    base, outside = folders
    os.link(outside / "a.txt", base / "x.log")
    with pytest.raises(fs.FlowScriptError, match=r"'x\.log' is not added to: it is a hard link"):
        await run_one('<sink:file id="f" path="x.log" append="true"/>', base, input="new")
    assert state_of(outside)[1] == "key"
    await run_one(
        f'<sink:file id="f" path="{base}/x.log" append="true"/>', None, input="new"
    )  # nothing confines it
    assert state_of(outside)[1] == "key\nnew\n"


async def test_a_file_with_a_second_name_is_replaced_and_the_other_name_stays(
    folders: tuple[Path, Path],
) -> None:
    base, outside = folders
    os.link(outside / "a.txt", base / "x.txt")
    await run_one('<sink:file id="f" path="x.txt"/>', base, input="new")
    assert state_of(outside)[1] == "key"
    assert (base / "x.txt").read_text() == "new"


async def test_new_content_gets_no_bits_that_lend_its_owners_rights(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o6755)
    await run_one('<sink:file id="f" path="a.txt"/>', tmp_path, input="new")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o755


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "/dev/full"])
async def test_a_device_is_not_read(path: str, tmp_path: Path) -> None:
    with pytest.raises(fs.FlowScriptError, match="is a device or a socket"):
        await run_one(f'<source:file id="f" path="{path}"/>')
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(fs.FlowScriptError, match="is a device or a socket"):
        await run_one(f'<source:file id="f" path="{tmp_path}/link"/>')


async def test_the_null_device_and_pipes_are_read_without_a_base(tmp_path: Path) -> None:
    assert await run_one('<source:file id="f" path="/dev/null"/>') == ""
    reader, writer = os.pipe()
    os.write(writer, b"piped")
    os.close(writer)
    assert await run_one(f'<source:file id="f" path="/dev/fd/{reader}"/>') == "piped"
    os.close(reader)


def test_the_device_of_a_standard_stream_is_allowed() -> None:
    code = (
        "import os, sys; from flowscript_trio.runtimes.file.paths import refuse_device;"
        "refuse_device(os.fstat(0), '/dev/stdin'); print('read')"
    )
    master, terminal = os.openpty()
    found = subprocess.run(
        [sys.executable, "-c", code], stdin=terminal, capture_output=True, text=True, check=True
    )
    assert found.stdout == "read\n"
    with pytest.raises(fs.FlowScriptError, match="is a device"):
        paths.refuse_device(os.fstat(terminal), "tty")
    os.close(master)
    os.close(terminal)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with a name")
async def test_what_is_no_file_is_not_even_opened_to_add_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened: list[str] = []
    real = os.open

    def watched(path: Any, *args: Any, **options: Any) -> int:
        opened.append(os.path.basename(os.fspath(path)))
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", watched)
    flow = fs.loads('<workflow name="w"><sink:file id="f" path="pipe" append="true"/></workflow>')
    with pytest.raises(fs.FlowScriptError, match="is not a regular file"):
        await fs.run(flow, input="x", base=tmp_path)
    assert tmp_path.name in opened
    assert "pipe" not in opened


@pytest.mark.parametrize("stream", ["", ' stream="true"'])
async def test_links_that_lead_to_each_other_are_said_to(stream: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to("b.log")
    (tmp_path / "b.log").symlink_to("a.log")
    flow = fs.loads(f'<workflow name="w"><source:file id="s" path="a.log"{stream}/></workflow>')
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        await fs.run(flow, base=tmp_path)
