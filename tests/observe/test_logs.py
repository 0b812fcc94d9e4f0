"""Owns the tests of the filter of log lines: no secret passes it, and nothing else is changed."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

import flowscript_trio as fs

from loopback import loopback

SECRET = "s3cr3t/with signs&more"


@pytest.fixture
def shown() -> Iterator[io.StringIO]:
    """What a handler with the filter shows of every logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(fs.SecretFilter({"KEY": SECRET}))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


async def test_the_lines_of_httpx_are_masked(shown: io.StringIO) -> None:
    flow = fs.loads(
        """<workflow name="w"><param name="base"/><secret name="KEY"/>
          <source:http id="x" url="{{base}}/x/{{url_encode($secrets.KEY)}}"
            headers="{X-Key: '{{$secrets.KEY}}'}"/></workflow>"""
    )
    async with loopback() as server:
        with pytest.raises(fs.HTTPStatusError, match="404"):
            await fs.run(flow, config={"base": server.base}, secrets={"KEY": SECRET})
        assert quote(SECRET, safe="") in server.seen[0].target
    text = shown.getvalue()
    assert "httpx HTTP Request: GET http://127.0.0.1" in text
    assert "/x/*** " in text
    assert SECRET not in text
    assert quote(SECRET, safe="") not in text


def test_arguments_tracebacks_and_extras_are_masked(shown: io.StringIO) -> None:
    logger = logging.getLogger("app")
    seen: list[logging.LogRecord] = []
    catch = logging.Handler()
    catch.emit = seen.append  # type: ignore[assignment]
    catch.addFilter(fs.SecretFilter([SECRET]))
    logger.addHandler(catch)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("with %r", {"key": SECRET}, extra={"token": SECRET, "count": 3})
    logger.removeHandler(catch)
    assert SECRET not in shown.getvalue()
    assert "ValueError: ***" in shown.getvalue()
    (record,) = seen
    assert (record.__dict__["token"], record.__dict__["count"]) == ("***", 3)


def test_a_line_without_a_secret_is_left_as_it_is(shown: io.StringIO) -> None:
    record = logging.LogRecord("app", logging.INFO, "file.py", 1, "%d of %s", (1, "x"), None)
    before = dict(vars(record))
    assert fs.SecretFilter([SECRET]).filter(record)
    assert vars(record) == before


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        ("as %(user)s", ({"user": "me", "password": SECRET},), "as me"),
        ("begins with %.2s", (SECRET,), "begins with s3"),
    ],
)
def test_arguments_that_are_not_in_the_text_are_not_left_to_error_trackers(
    message: str, arguments: tuple[object, ...], line: str
) -> None:
    record = logging.LogRecord("app", logging.INFO, "x.py", 1, message, arguments, None)
    assert fs.SecretFilter([SECRET]).filter(record)
    assert record.getMessage() == line
    assert SECRET not in repr(vars(record))
