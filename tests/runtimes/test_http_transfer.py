"""Owns tests of bodies that go straight to and from files."""

from __future__ import annotations

import gc
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.file.paths import PathOutside
from flowscript_trio.runtimes.http.transfer import HashMismatch

from loopback import Answer, Loopback, Seen, loopback

DATA = bytes(range(256)) * 20_000  # 5 MB
SUM = hashlib.sha256(DATA).hexdigest()
RETRY = '<on-error><retry max="3" base="0s"/></on-error>'


async def run_one(element: str, base: Path | None, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, base=base, **options)).output


def download(server: Loopback, settings: str = "", inside: str = "") -> str:
    return f'<source:http id="x" url="{server.base}/x" download="d/f.bin" {settings}>{inside}</source:http>'


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_download_is_saved_with_its_hash_and_is_not_held_to_the_bound_of_memory(
    tmp_path: Path,
) -> None:
    async with loopback() as server:
        server.page("/x", DATA)
        output = await run_one(
            download(server, f'sha256="{SUM.upper()}"'), tmp_path, http=fs.HttpOptions(max_bytes=10)
        )
        assert output == {
            "path": "d/f.bin", "bytes": len(DATA), "sha256": SUM, "status": 200, "resumed": 0
        }  # fmt: skip
        assert (tmp_path / "d" / "f.bin").read_bytes() == DATA
        assert left_in(tmp_path) == ["f.bin"]
        assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_what_is_not_as_expected_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f.bin").write_text("old")
    async with loopback() as server:
        server.page("/x", DATA)
        with pytest.raises(HashMismatch, match=SUM):
            await run_one(download(server, f'sha256="{"0" * 64}"', RETRY), tmp_path)
        server.page("/x", "no", status=404)
        with pytest.raises(fs.HTTPStatusError):
            await run_one(download(server), tmp_path)
    assert (tmp_path / "d" / "f.bin").read_text() == "old"
    assert left_in(tmp_path) == ["f.bin"]


@pytest.mark.parametrize("status", [204, 205])
async def test_an_answer_without_a_body_is_no_file_and_leaves_the_old_one(
    status: int, tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f.bin").write_text("old")
    async with loopback() as server:
        server.page("/x", b"", status=status)
        for settings in ("", 'response="full"'):
            with pytest.raises(
                fs.HTTPStatusError, match=r"nothing to save in 'd/f\.bin'"
            ) as caught:
                await run_one(download(server, settings, RETRY), tmp_path)
            assert caught.value.status == status
            assert f"/x answered {status}" in str(caught.value)
        assert len(server.seen) == 2  # it is not tried again
        server.page("/x", b"")  # a file that is empty is one
        assert (await run_one(download(server), tmp_path))["bytes"] == 0
    assert (tmp_path / "d" / "f.bin").read_text() == ""
    assert left_in(tmp_path) == ["f.bin"]


async def test_a_disk_that_is_full_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flowscript_trio.runtimes.http.transfer.os.write", full)
    async with loopback() as server:
        server.page("/x", DATA)
        with pytest.raises(OSError, match=r"No space left on device: 'd/f\.bin'"):
            await run_one(download(server), tmp_path)
    assert left_in(tmp_path) == []


async def test_the_full_answer_of_a_download_has_its_headers(tmp_path: Path) -> None:
    async with loopback() as server:
        server.page("/x", b"abc", Last_Modified="today")
        text = '{{x.headers["Last-Modified"]}} {{x.body.bytes}} {{x.status}} {{x.url}}'
        text = f"<transform:template id='t'><template>{text}</template></transform:template>"
        output = await run_one(download(server, 'response="full"') + text, tmp_path)
        assert output == f"today 3 200 {server.base}/x"
    assert (tmp_path / "d" / "f.bin").read_bytes() == b"abc"


class Breaking:
    """A server of one file that breaks its first answers off; ``ranges`` are the parts that were asked for."""

    def __init__(self, validator: str, breaks: int, honest: bool = True) -> None:
        self.ranges: list[str] = []
        self._validator, self._breaks, self._honest = validator, breaks, honest

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive_some()
            sent = dict(
                line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if line
            )
            self.ranges.append(sent.get("range", ""))
            start = 0
            if self._honest and "range" in sent:
                assert sent["if-range"] in self._validator.lower()
                start = int(sent["range"][len("bytes=") : -1])
            status = "206 Partial" if start else "200 OK"
            part = f"Content-Range: bytes {start}-{len(DATA) - 1}/{len(DATA)}\r\n" if start else ""
            length = len(DATA) - start
            answer = f"HTTP/1.1 {status}\r\n{self._validator}{part}Content-Length: {length}\r\n\r\n"
            self._breaks -= 1
            end = len(DATA) if self._breaks < 0 else start + 1_500_000
            await stream.send_all(answer.encode() + DATA[start:end])


async def breaking(server: Breaking, tmp_path: Path, retry: str = RETRY) -> Any:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, server.serve, 0)
        port = listeners[0].socket.getsockname()[1]
        source = (
            f'<source:http id="x" url="http://127.0.0.1:{port}/" download="f">{retry}</source:http>'
        )
        flow = fs.loads(f'<workflow name="w">{source}</workflow>')
        try:
            output = (await fs.run(flow, base=tmp_path)).output
        except Exception as exc:
            output = exc
        nursery.cancel_scope.cancel()
    return output


@pytest.mark.parametrize(
    "validator", ['ETag: "v1"\r\n', "Last-Modified: Tue, 01 Jan 2030 12:00:00 GMT\r\n"]
)
async def test_an_attempt_goes_on_where_the_one_before_broke_off(
    validator: str, tmp_path: Path
) -> None:
    server = Breaking(validator, breaks=2)
    output = await breaking(server, tmp_path)
    assert server.ranges == ["", "bytes=1500000-", "bytes=3000000-"]
    assert (output["sha256"], output["status"], output["resumed"]) == (SUM, 206, 3_000_000)
    assert (tmp_path / "f").read_bytes() == DATA
    assert left_in(tmp_path) == ["f"]


@pytest.mark.parametrize(("validator", "ranges"), [("", ["", ""]), ('ETag: W/"v1"\r\n', ["", ""])])
async def test_without_a_strong_validator_it_begins_anew(
    validator: str, ranges: list[str], tmp_path: Path
) -> None:
    server = Breaking(validator, breaks=1)
    output = await breaking(server, tmp_path)
    assert (server.ranges, output["sha256"], output["resumed"]) == (ranges, SUM, 0)


async def test_a_server_that_sends_the_whole_instead_of_a_part_is_taken_at_its_word(
    tmp_path: Path,
) -> None:
    server = Breaking('ETag: "v1"\r\n', breaks=1, honest=False)
    output = await breaking(server, tmp_path)
    assert server.ranges == ["", "bytes=1500000-"]
    assert (output["sha256"], output["resumed"]) == (SUM, 0)


async def test_where_the_server_has_no_such_part_any_more_it_begins_anew(tmp_path: Path) -> None:
    """It was the end of the download: a status of 416 is not tried again."""
    server = Shortened()
    output = await breaking(server, tmp_path)
    assert output["resumed"] == 0
    assert (output["status"], output["bytes"], (tmp_path / "f").read_bytes()) == (200, 3, b"new")
    assert server.ranges == ["", "bytes=1500000-", ""]
    assert left_in(tmp_path) == ["f"]


class Shortened(Breaking):
    """A server whose file was replaced by a shorter one after the first answer broke off."""

    def __init__(self) -> None:
        super().__init__('ETag: "a"\r\n', 1)

    async def serve(self, stream: trio.SocketStream) -> None:
        if not self.ranges:
            await super().serve(stream)
            return
        async with stream:
            head = (await stream.receive_some()).decode().lower()
            asked = "bytes=1500000-" if "range: bytes=1500000-" in head else ""
            self.ranges.append(asked)
            status = "416 Range Not Satisfiable" if asked else "200 OK"
            answer = f"HTTP/1.1 {status}\r\nContent-Length: {0 if asked else 3}\r\n\r\n"
            await stream.send_all(answer.encode() + (b"" if asked else b"new"))


async def test_when_the_attempts_are_spent_nothing_is_left_behind(tmp_path: Path) -> None:
    output = await breaking(Breaking('ETag: "v1"\r\n', breaks=9), tmp_path, RETRY.replace("3", "1"))
    assert "closed the connection before its answer was whole" in str(output)
    assert left_in(tmp_path) == []


async def test_a_cancelled_download_leaves_nothing_behind(tmp_path: Path) -> None:
    async with loopback() as server:
        server.answer("/x", Answer(body=DATA[:100_000], stalls=True))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_one, download(server), tmp_path)
            await server.until(lambda: len(server.seen) == 1)
            nursery.cancel_scope.cancel()
        await server.until(lambda: server.left == ["/x"])
    assert left_in(tmp_path) == []


async def test_a_download_may_not_leave_the_base(tmp_path: Path) -> None:
    async with loopback() as server:
        source = f'<source:http id="x" url="{server.base}/x" download="../f"/>'
        with pytest.raises(PathOutside):
            await run_one(source, tmp_path)
        assert server.seen == []


async def test_a_file_is_uploaded_with_its_length_and_type(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(DATA)
    async with loopback() as server:
        server.page("/x", 1)
        await run_one(f'<sink:http id="x" url="{server.base}/x" upload="f.csv"/>', tmp_path)
        seen = server.seen[0]
        assert seen.body == DATA
        assert seen.headers["content-length"] == str(len(DATA))
        assert seen.headers["content-type"] == "text/csv"
        assert "transfer-encoding" not in seen.headers


async def test_an_upload_is_sent_again_where_it_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    async with loopback() as server:
        bodies: list[bytes] = []

        async def page(seen: Seen) -> Answer:
            bodies.append(seen.body)
            challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
            return Answer(body=1) if len(bodies) > 1 else Answer(401, "no", challenge)

        server.pages["/x"] = page
        auth = 'auth="{type: digest, username: u, password: p}"'
        await run_one(f'<sink:http id="x" url="{server.base}/x" upload="f" {auth}/>', tmp_path)
        assert bodies == [b"abc", b"abc"]


@pytest.mark.parametrize(
    ("path", "error"), [("missing", FileNotFoundError), ("../f", PathOutside), (".", OSError)]
)
async def test_a_file_that_cannot_be_uploaded_is_an_error_before_anything_is_sent(
    path: str, error: type[Exception], tmp_path: Path
) -> None:
    async with loopback() as server:
        with pytest.raises(error):
            await run_one(f'<sink:http id="x" url="{server.base}/x" upload="{path}"/>', tmp_path)
        assert server.connections == 0


async def test_a_cancelled_upload_closes_its_file_and_the_connection(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA * 4)
    met = trio.Event()
    left = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some(1)
            met.set()
            await left.wait()  # and read no more of it

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as inner:
            sink = f'<sink:http id="x" url="http://127.0.0.1:{port}/" upload="f"/>'
            inner.start_soon(run_one, sink, tmp_path)
            await met.wait()
            inner.cancel_scope.cancel()
        left.set()
        nursery.cancel_scope.cancel()
    gc.collect()  # a generator that was left in the middle would warn now
    assert open_files(tmp_path) == []


def open_files(folder: Path) -> list[str]:
    """The files of a folder that this process has open, where the system tells it."""
    handles = Path("/proc/self/fd")
    found = []
    for handle in handles.iterdir() if handles.is_dir() else ():
        with suppress(FileNotFoundError):
            found.append(os.readlink(handle))
    return [path for path in found if path.startswith(str(folder))]
