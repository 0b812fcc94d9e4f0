"""Owns tests of downloads that go on with a part, by a server whose parts are of another file or end early."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

DATA = bytes(range(256)) * 40
SIZE = len(DATA)
BEGUN = 5000
RETRY = '<on-error><retry max="3" base="0s"/></on-error>'


def answer(
    body: bytes, *headers: str, status: str = "200 OK", length: int | None = None, tag: str = "a"
) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        *headers,
        f"Content-Length: {len(body) if length is None else length}",
    ]
    if tag:
        lines.append(f'ETag: "{tag}"')
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode() + body


def part(body: bytes, said: str, tag: str = "a") -> bytes:
    return answer(body, f"Content-Range: {said}", status="206 Part", tag=tag)


HALF = answer(DATA[:BEGUN], length=SIZE)
REST = part(DATA[BEGUN:], f"bytes {BEGUN}-{SIZE - 1}/{SIZE}")
WHOLE = answer(DATA)


async def download(answers: list[bytes], base: Path) -> tuple[Any, list[str]]:
    """What became of it, and the parts that were asked for."""
    ranges: list[str] = []

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive_some()
            found = re.search(rb"(?im)^range: bytes=(.*?)\r", head)
            await stream.send_all(answers[len(ranges)])
            ranges.append("" if found is None else found[1].decode())

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        text = f'<source:http id="x" url="{url}" download="f">{RETRY}</source:http>'
        try:
            output = (
                await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>'), base=base)
            ).output
        except Exception as exc:
            output = exc
        nursery.cancel_scope.cancel()
    return output, ranges


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        ([HALF, REST], ["", "5000-"]),
        ([HALF, part(DATA[BEGUN:], f"bytes {BEGUN}-{SIZE - 1}/*")], ["", "5000-"]),
        ([HALF, part(DATA[BEGUN:], f"bytes {BEGUN}-{SIZE - 1}/{SIZE}", tag="")], ["", "5000-"]),
        # a part that ends early is not the end
        (
            [
                HALF,
                part(DATA[BEGUN:6000], f"bytes {BEGUN}-5999/{SIZE}"),
                part(DATA[6000:], f"bytes 6000-{SIZE - 1}/{SIZE}"),
            ],
            ["", "5000-", "6000-"],
        ),
        # a part of another version is not joined to the one before
        ([HALF, part(b"x" * 5240, f"bytes {BEGUN}-{SIZE - 1}/{SIZE}", tag="b"), WHOLE], ["", "5000-", ""]),
        ([HALF, part(b"x" * 4000, f"bytes {BEGUN}-8999/9000"), WHOLE], ["", "5000-", ""]),
        ([HALF, answer(b"", status="416 No"), WHOLE], ["", "5000-", ""]),
        ([HALF, WHOLE], ["", "5000-"]),
    ],
)  # fmt: skip
async def test_what_is_put_together_is_one_version_of_the_file_and_whole(
    answers: list[bytes], ranges: list[str], tmp_path: Path
) -> None:
    output, asked = await download(answers, tmp_path)
    assert asked == ranges, output
    assert (tmp_path / "f").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([HALF, part(DATA[4000:], f"bytes 4000-{SIZE - 1}/{SIZE}")], "sent a different part from the one"),
        ([HALF, part(DATA[BEGUN:], f"items {BEGUN}-{SIZE - 1}/{SIZE}")], "sent a different part from the one"),
        ([HALF, answer(DATA[BEGUN:], status="206 Part")], "sent a different part from the one"),
        ([HALF, part(DATA[BEGUN:] + b"zz", f"bytes {BEGUN}-{SIZE - 1}/{SIZE}")], "10,242 bytes have come"),
        ([part(DATA[:99], f"bytes 0-98/{SIZE}")], "answered 206 Part: a part, and the request is for the whole"),
    ],
)  # fmt: skip
async def test_what_is_not_the_file_is_an_error_and_leaves_none(
    answers: list[bytes], message: str, tmp_path: Path
) -> None:
    output, _ = await download(answers, tmp_path)
    with pytest.raises(fs.FlowScriptError, match=message):
        raise output
    assert os.listdir(tmp_path) == []
