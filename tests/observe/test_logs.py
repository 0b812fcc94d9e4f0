"""Owns the tests of the filter of log lines: no secret passes it, and nothing else is changed."""

from __future__ import annotations

import io
import logging
import warnings
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


class Unspeakable:
    """A value whose text cannot be made, and which says why."""

    def __str__(self) -> str:
        raise ValueError(SECRET)

    __repr__ = __str__


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        ("with %s", (Unspeakable(),), "with %s (arguments that cannot be shown)"),
        ("with %d", (SECRET,), "with %d"),
        (Unspeakable(), (), "(a message that cannot be shown: Unspeakable) (arguments that cannot be shown)"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_formatted_shows_no_secret_and_fails_nobody(
    message: object, arguments: tuple[object, ...], line: str, shown: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    logging.getLogger("app").warning(message, *arguments)
    assert SECRET not in shown.getvalue() + capsys.readouterr().err
    record = logging.LogRecord("app", logging.INFO, "x.py", 1, message, arguments, None)
    assert fs.SecretFilter([SECRET]).filter(record)
    assert record.msg == line


def test_an_object_that_is_logged_is_not_left_to_error_trackers() -> None:
    class Quiet(dict[str, str]):
        def __str__(self) -> str:
            return "quiet"

    record = logging.LogRecord("app", logging.INFO, "x.py", 1, Quiet(key=SECRET), None, None)
    assert fs.SecretFilter([SECRET]).filter(record)
    assert record.msg == "quiet"


def test_what_third_parties_warn_of_is_masked_where_logging_captures_it(
    shown: io.StringIO,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"careful with {SECRET}", stacklevel=1)
        logging.captureWarnings(False)
    assert "careful with ***" in shown.getvalue()
