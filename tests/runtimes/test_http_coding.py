"""Owns the tests of encodings of content that make much of little, where little or nothing comes out."""

from __future__ import annotations

import gzip
from contextlib import nullcontext

import httpx
import pytest
import trio

from flowscript_trio.runtimes import pace
from flowscript_trio.runtimes.http.answer import read_body
from flowscript_trio.runtimes.http.coding import Body, ContentError

NOTHING = gzip.compress(b"", mtime=0) * 100_000
"""Two megabytes that are decoded to nothing."""
LITTLE = gzip.compress(gzip.compress(NOTHING))
assert len(LITTLE) < 1000


def test_what_an_encoding_makes_inside_of_another_is_bounded() -> None:
    with pytest.raises(ContentError, match="larger than 1,000,000 bytes"):
        list(Body("gzip, gzip, gzip", 1_000_000, "it").feed(LITTLE))


def test_what_is_encoded_more_often_than_anybody_does_is_refused() -> None:
    Body(", ".join(["gzip"] * 5), None, "it")
    with pytest.raises(ContentError, match="encoded 6 times over; at most 5"):
        Body(", ".join(["gzip"] * 6), None, "it")


def test_the_others_may_have_a_turn_where_nothing_comes_out() -> None:
    body = Body("gzip, gzip, gzip", None, "it")
    pieces = list(body.feed(LITTLE))
    body.end()
    assert (len(pieces) >= 100_000, b"".join(pieces)) == (True, b"")


@pytest.mark.parametrize("to_file", [False, True])
async def test_to_decode_what_gives_nothing_can_be_cancelled(
    to_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "INTERVAL", 0.0)
    answer = httpx.Response(
        200,
        headers={"content-encoding": "gzip, gzip, gzip"},
        stream=httpx.ByteStream(LITTLE),
        request=httpx.Request("GET", "http://127.0.0.1/"),
    )
    taken: list[bytes] = []

    def take(piece: bytes) -> None:
        taken.append(piece)
        if len(taken) == 10:
            scope.cancel()

    async def flush() -> None:
        """Too little has come to be written."""

    with trio.CancelScope() as scope:
        await read_body(answer, None, take, flush if to_file else None)
    assert scope.cancelled_caught
    assert len(taken) == 10


HALVES = gzip.compress(b"one "), gzip.compress(b"two")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((*HALVES,), None),
        ((HALVES[0], bytes(9), HALVES[1], bytes(512)), None),
        ((*HALVES, b"rubbish"), "more bytes follow its end"),
        ((*HALVES, bytes(512), b"rubbish"), "more bytes follow its end"),
        ((*HALVES, b"\x1fx"), "and it is not"),
        ((*HALVES, b"\x1f"), "cut off in the middle"),
        ((*HALVES, HALVES[0][:-1]), "cut off in the middle"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_members_of_gzip_may_be_padded_with_zeros(
    parts: tuple[bytes, ...], said: str | None, size: int
) -> None:
    body, data = Body("gzip", None, "it"), b"".join(parts)
    found: list[bytes] = []
    with nullcontext() if said is None else pytest.raises(ContentError, match=said):
        for at in range(0, len(data), size):
            found += body.feed(data[at : at + size])
        body.end()
    assert b"".join(found).startswith(b"one two")
