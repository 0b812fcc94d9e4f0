"""Owns tests of file sources and sinks: formats, confinement, and files that stay whole."""

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
from flowscript_trio.runtimes.file import THREADS, paths, writing
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
        (b'{"a": 1,\n "b" 2}', r"a\.json:2:6: not valid JSON"),
        (b"\xff", "is not UTF-8 text"),
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
    with pytest.raises(
        fs.FlowScriptError, match=r"a\.csv:3: the row has 1 column, and the header 2"
    ):
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


STEPS = ("open", "write", "fsync", "fchmod", "replace", "fstat", "lseek", "read")


class Saboteur:
    """Lets the call of that number of the system's functions fail; every write takes a few bytes only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.number = number
        self.calls: list[str] = []
        for name in STEPS:
            monkeypatch.setattr(os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name: str, real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self.number:
                raise OSError(28, "no room")
            if name == "write":
                return real(args[0], args[1][:3])
            return real(*args, **options)

        return call


@pytest.mark.parametrize("old", ["n\nold\n", None])
@pytest.mark.parametrize("append", [False, True])
async def test_a_write_that_fails_at_any_step_leaves_the_old_file_and_no_other(
    append: bool, old: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    whole = (old or "n\n") + "new\n" if append else "n\nnew\n"
    failed = []
    for number in range(1, 100):
        file.unlink(missing_ok=True)
        if old is not None:
            file.write_text(old)
        with pytest.MonkeyPatch.context() as patch:
            saboteur = Saboteur(patch, number)
            error = None
            try:
                await run_one(
                    f'<sink:file id="f" path="a.csv" append="{str(append).lower()}"/>',
                    tmp_path,
                    input={"n": "new"},
                )
            except OSError as exc:
                error = exc
        if error is not None:
            assert (error.errno, error.filename, error.filename2) == (28, "a.csv", None)
            failed.append(saboteur.calls[number - 1])
            assert (file.read_text() if file.exists() else None) == old
            assert os.listdir(tmp_path) == ([] if old is None else ["a.csv"])
        else:
            assert file.read_text() == whole
            if len(saboteur.calls) < number:
                break
    assert {"open", "write", "fsync"} <= set(failed)
    assert append or "replace" in failed


async def test_a_cancelled_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old")
    reached, go = threading.Event(), threading.Event()
    real = os.fchmod

    def wait(*args: Any, **options: Any) -> None:
        reached.set()
        go.wait(20)
        real(*args, **options)

    monkeypatch.setattr(writing.os, "fchmod", wait)
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


async def test_records_that_are_appended_at_the_same_time_are_all_there_and_whole(
    tmp_path: Path,
) -> None:
    await run_one(
        '<foreach id="each" collection="range(100)" maxConcurrency="unlimited" merge="none">'
        '<sink:file id="f" input="row" path="a.csv" append="true"/></foreach>'.replace(
            "<sink", "<transform type='template' id='row' template='{\"n\": {{item}}}'/><sink"
        ),
        tmp_path,
    )
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert header == "n"
    assert sorted(map(int, rows)) == list(range(100))


@pytest.mark.parametrize(
    ("name", "old", "value", "new"),
    [
        ("a.jsonl", '{"half', [1, 2], '{"half\n1\n2\n'),
        ("a.log", "one\n", "two", "one\ntwo\n"),
        ("a.txt", "one", "two", "onetwo"),
        ("a.csv", "a,b\n1,2\n", [{"b": 4, "a": 3}, {"b": 5}], "a,b\n1,2\n3,4\n,5\n"),
        ("a.csv", "a,b", {"a": 1, "b": 2}, "a,b\n1,2\n"),
    ],
)
async def test_what_is_appended_fits_what_is_there(
    name: str, old: str, value: Any, new: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(old)
    output = await run_one(
        f'<sink:file id="f" path="{name}" append="true"/>', tmp_path, input=value
    )
    assert (tmp_path / name).read_text() == new
    assert output == {"path": name, "bytes": len(new) - len(old)}


async def test_a_row_with_a_column_that_the_file_has_not_is_not_appended(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age\nAda,36\n")
    with pytest.raises(fs.FlowScriptError, match=r"'nam'.*not a column.*did you mean 'name'"):
        await run_one(
            '<sink:file id="f" path="a.csv" append="true"/>', tmp_path, input={"nam": "x"}
        )
    assert (tmp_path / "a.csv").read_text() == "name,age\nAda,36\n"


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
async def test_nothing_is_appended_to_a_file_that_holds_one_value(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match="nothing can be added to it"):
        fs.loads(f'<workflow name="w"><sink:file id="f" path="{name}" append="true"/></workflow>')
    with pytest.raises(fs.SettingError, match="nothing can be added to it"):
        await run_one('<sink:file id="f" path="{{input}}" append="true"/>', tmp_path, input=name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("append", ["true", "false"])
async def test_a_pipe_or_a_device_is_never_replaced(append: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(fs.FlowScriptError, match=r"'a\.txt' is not a regular file"):
        await run_one(f'<sink:file id="f" path="a.txt" append="{append}"/>', tmp_path, input="x")
    assert stat.S_ISFIFO((tmp_path / "a.txt").stat().st_mode)


@pytest.mark.parametrize("kind", ["source", "sink"])
async def test_a_folder_that_becomes_a_link_after_the_check_is_not_followed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    (base / "sub").mkdir(parents=True)
    outside.mkdir()
    (base / "sub" / "a.txt").write_text("inside")
    (outside / "a.txt").write_text("secret")
    resolve = paths.resolve

    def swap(*args: Any) -> Any:
        found = resolve(*args)
        (base / "sub").rename(base / "old")
        (base / "sub").symlink_to(outside)
        return found

    monkeypatch.setattr(paths, "resolve", swap)
    with pytest.raises(OSError, match=r"sub/a\.txt"):
        await run_one(f'<{kind}:file id="f" path="sub/a.txt"/>', base, input="new")
    assert (outside / "a.txt").read_text() == "secret"
    assert os.listdir(outside) == ["a.txt"]


async def test_a_link_inside_the_base_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("deep/real.txt")
    assert await run_one('<source:file id="f" path="link.txt"/>', tmp_path) == "old"
    await run_one('<sink:file id="f" path="link.txt"/>', tmp_path, input="new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "deep" / "real.txt").read_text() == "new"


@pytest.mark.parametrize("element", ["source", "sink"])
@pytest.mark.parametrize("path", [".", "sub", "sub/.."])
async def test_a_folder_is_no_file(element: str, path: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises((IsADirectoryError, fs.FlowScriptError)):
        await run_one(f'<{element}:file id="f" path="{path}" format="text"/>', tmp_path, input="x")
    assert os.listdir(tmp_path) == ["sub"]
    assert os.listdir(tmp_path / "sub") == []


async def test_a_missing_file_is_named_as_the_document_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"'no/such\.txt'"):
        await run_one('<source:file id="f" path="no/such.txt"/>', tmp_path)


@pytest.mark.skipif(
    not os.path.exists("/proc/self/mem"), reason="there is no file here whose reads fail"
)
@pytest.mark.parametrize("settings", ["", 'format="lines" stream="true"', 'format="csv"'])
async def test_a_read_that_fails_in_the_middle_names_the_file(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails tells the descriptor's error, which knows no name."""
    monkeypatch.chdir(tmp_path)
    text = f'<source:file id="f" path="/proc/self/mem" {settings}/>'
    if "stream" in settings:
        text += '<sink:file id="s" input="f" path="out.csv"/>'
    with pytest.raises(OSError, match=r"\[Errno 5\] .*: '/proc/self/mem'"):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>'))


@pytest.mark.parametrize("confined", [False, True])
async def test_a_file_where_a_folder_should_be_is_said_to_be_none(
    confined: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotADirectoryError, match=r"'a/b/c\.txt'"):
        await run_one(
            '<sink:file id="f" path="a/b/c.txt"/>', tmp_path if confined else None, input="x"
        )


async def test_a_new_file_has_the_permissions_that_the_process_gives(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        await run_one('<sink:file id="f" path="a.txt"/>', tmp_path, input="new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[NaN]", "a.json:1:2: not valid JSON: NaN is not a JSON number"),
        ("a.json", "1" * 5000, "a.json:1:1: not valid JSON: an integer of more than 4,300 digits"),
        ("a.json", "[" * 100_000, "a.json:1: the JSON nests too deeply"),
        ("a.jsonl", "1\n\n{x}\n", "a.jsonl:3:2: not valid JSON"),
        ("a.yaml", "a: [1", "a.yaml:1:6: not valid YAML"),
        ("a.yaml", "!!python/object:os.system {}", "a.yaml:1:1: not valid YAML"),
        (
            "a.yaml",
            "[" * 10_000,
            "a.yaml:1:1001: not valid YAML: the YAML nests deeper than 200 levels",
        ),
        ("a.yaml", "&a [*a]", "a.yaml:1:5: not valid YAML: an alias of the YAML contains itself"),
        (
            "a.yaml",
            "\n".join(
                [f"a0: &a0 [{', '.join('x' * 10)}]"]
                + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
            ),
            "a.yaml:7:5: not valid YAML: the aliases of the YAML make more than 10,000,000 values",
        ),
        ("a.csv", "a,a\n1,2\n", "a.csv:1: the header has the column 'a' twice"),
        ("a.csv", 'a\n"1', "a.csv:2: not valid CSV"),
    ],
)
async def test_contents_that_are_none_of_their_format_are_errors_with_their_place(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(fs.FlowScriptError) as caught:
        await run_one(f'<source:file id="f" path="{name}"/>', tmp_path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "content", "output"),
    [
        ("a.json", b"\xef\xbb\xbf[1]", [1]),
        ("a.csv", b'\xef\xbb\xbfa,b\r\n1,"x\ny"\r\n\r\n', [{"a": "1", "b": "x\ny"}]),
        ("a.csv", b"", []),
        ("a.csv", b"a," + b"b" * 200_000 + b"\n", []),
        ("a.log", "one\r\ntwo\u2028three\rfour".encode(), ["one", "two\u2028three", "four"]),
        ("a.log", b"", []),
        ("a.jsonl", b"", []),
        ("a.yaml", b"", None),
        ("a.yaml", b"a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
        ("A.JSON", b"1", 1),
        ("noend", b"text", "text"),
    ],
)
async def test_odd_contents_are_read(
    name: str, content: bytes, output: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert await run_one(f'<source:file id="f" path="{name}"/>', tmp_path) == output


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("a.log", ["one\ntwo"], "item 0 has a line break in it"),
        ("a.csv", [{"a": 1}, 2], "row 1 is not an object"),
        ("a.txt", "\ud800", "half of a surrogate pair"),
        ("a.json", {"a": object()}, r"\$\.a is of type"),
    ],
)
async def test_what_a_format_cannot_hold_is_an_error_and_touches_no_file(
    name: str, value: Any, message: str, tmp_path: Path
) -> None:
    for append in ("", 'append="true"') if name != "a.json" else ("",):
        with pytest.raises(fs.FlowScriptError, match=message):
            await run_one(f'<sink:file id="f" path="{name}" {append}/>', tmp_path, input=value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "value", "content"),
    [
        ('path="a.json" pretty="false"', {"a": [1, 2.0]}, '{"a":[1,2]}\n'),
        ('path="a.x" format="json" pretty="false"', {"a": 1}, '{"a":1}\n'),
        ('path="a.txt"', {"a": 1}, '{"a":1}'),
        ('path="a.txt"', 3.0, "3"),
        ('path="a.bin"', "é", "é"),
        ('path="a.jsonl"', {"a": 1}, '{"a":1}\n'),
        ('path="a.csv"', [], ""),
        ('path="a.csv"', None, ""),
        ('path="a.csv"', [{"a": [1], "b": True}, {"c": None}], "a,b,c\n[1],true,\n,,\n"),
    ],
)
async def test_settings_say_what_is_written(
    settings: str, value: Any, content: str, tmp_path: Path
) -> None:
    output = await run_one(f'<sink:file id="f" {settings}/>', tmp_path, input=value)
    assert (tmp_path / output["path"]).read_text(encoding="utf-8") == content


async def test_reads_that_hang_in_one_run_leave_threads_for_another(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "a.txt").write_text("x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: run_one(
                '<foreach id="each" collection="range(50)" maxConcurrency="unlimited">'
                '<source:file id="f" path="pipe.txt"/></foreach>',
                tmp_path,
            )
        )
        with trio.fail_after(20):
            while threading.active_count() < THREADS:
                await trio.lowlevel.checkpoint()
            assert await run_one('<source:file id="f" path="a.txt"/>', tmp_path) == "x"
        nursery.cancel_scope.cancel()
    writer = os.open(tmp_path / "pipe.txt", os.O_WRONLY)
    os.close(writer)  # the threads that were left behind end
