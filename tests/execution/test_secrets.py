"""Owns the tests of secrets in runs: they reach the nodes that use them, and nothing that people read."""

from __future__ import annotations

import base64
import io
import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import trio
from pydantic import BaseModel

import flowscript_trio as fs

SECRET = "s3cr3t/value+that is long"
SHOWN = [
    SECRET,
    quote(SECRET, safe=""),
    base64.b64encode(SECRET.encode()).decode()[:20],
    SECRET[:12],
]


def assert_hidden(text: str) -> None:
    for form in SHOWN:
        assert form not in text, text


class Stubborn(Exception):
    """An error whose text cannot be changed."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = (value,)
        self.status = 503

    def __str__(self) -> str:
        return "".join(["it is ", *map(str, [SECRET])])


class Slotted(Exception):
    __slots__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Count(BaseModel):
    count: int


def with_cause() -> Exception:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as exc:
            raise ValueError("outer") from exc
    except ValueError as exc:
        return exc


def with_context() -> Exception:
    try:
        try:
            Count(count=SECRET)  # type: ignore[arg-type]
        finally:
            raise ValueError("outer")
    except ValueError as exc:
        return exc


def with_note() -> Exception:
    error = ValueError("x")
    error.add_note(f"the key was {SECRET}")
    return error


def of_pydantic() -> Exception:
    try:
        Count(count=SECRET)  # type: ignore[arg-type]
    except ValueError as exc:
        return exc
    raise AssertionError


def of_json() -> Exception:
    try:
        json.loads(f"[{SECRET}]")
    except ValueError as exc:
        return exc
    raise AssertionError


CHANGED: dict[str, Callable[[], Exception]] = {
    "a text": lambda: ValueError(f"cannot use {SECRET}"),
    "a structure": lambda: RuntimeError({"headers": {"key": SECRET}}, [SECRET]),
    "a key": lambda: KeyError(SECRET),
    "a URL": lambda: OSError(f"no route to https://h/?k={quote(SECRET)}"),
    "a file": lambda: FileNotFoundError(2, "No such file", f"/tmp/{SECRET}"),
    "base64": lambda: ValueError(base64.b64encode(f"me:{SECRET}".encode()).decode()),
    "a cause": with_cause,
    "a context": with_context,
    "a note": with_note,
    "JSON": of_json,
    "slots": lambda: Slotted(SECRET),
    "bytes": lambda: UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, "bad"),
}
REPLACED: dict[str, Callable[[], Exception]] = {
    "a class of its own": lambda: Stubborn(SECRET),
    "pydantic": of_pydantic,
    "a group": lambda: ExceptionGroup(f"with {SECRET}", [ValueError(SECRET), with_cause()]),
    "a group of what is replaced": lambda: ExceptionGroup("plain", [of_pydantic()]),
}


def everything_said(error: BaseException, run_record: Any) -> str:
    out = io.StringIO()
    traceback.print_exception(error, file=out)
    print(repr(error), str(error), vars(error).get("__notes__"), file=out)
    for result in run_record:
        print(result, result.error, repr(result.error), result.possibly_masked, file=out)
    return out.getvalue()


def registry_of(make: Callable[[], Exception], raised: list[Exception]) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:fails")
    async def fail(params: fs.ExecutionParams) -> None:
        assert params.config["key"] == SECRET
        raised.append(make())
        raise raised[-1]

    return registry


FAILING = """<workflow name="all-fail">
  <secret name="KEY"/>
  <parallel id="p" fail-fast="false">
    <branch><source:fails id="a" key="{{$secrets.KEY}}"/></branch>
    <branch><source:fails id="b" key="{{$secrets.KEY}}"/></branch>
  </parallel>
</workflow>"""


@pytest.mark.parametrize("how", [*CHANGED, *REPLACED])
async def test_no_error_shows_a_secret(how: str) -> None:
    raised: list[Exception] = []
    make = {**CHANGED, **REPLACED}[how]
    events: list[Any] = []
    flow = fs.loads(FAILING, registry=registry_of(make, raised))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any of them
        await fs.run(flow, secrets={"KEY": SECRET}, observers=[events.append])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert len(failure.record.failures) == 3
    assert_hidden(everything_said(caught.value, failure.record))
    assert_hidden("".join(map(repr, events)))
    if how in CHANGED:
        assert any(caught.value is error for error in raised), "it is the very object"
    else:
        assert type(raised[0]).__name__ in str(caught.value) or "group" in how


async def test_a_stand_in_says_the_class_and_keeps_status_and_traceback() -> None:
    raised: list[Exception] = []
    flow = fs.loads(FAILING, registry=registry_of(lambda: Stubborn(SECRET), raised))
    with pytest.raises(fs.MaskedError, match=r"^Stubborn: it is \*\*\*") as caught:
        await fs.run(flow, secrets={"KEY": SECRET})
    assert (caught.value.type, caught.value.status, caught.value.retryable) == (
        "Stubborn",
        503,
        True,
    )
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "fail"


async def test_without_secrets_an_error_is_left_alone() -> None:
    raised: list[Exception] = []
    flow = fs.loads(
        FAILING.replace("{{$secrets.KEY}}", SECRET), registry=registry_of(of_pydantic, raised)
    )
    with pytest.raises(ValueError, match="count") as caught:
        await fs.run(flow)
    assert SECRET in str(caught.value)
    assert caught.value in raised


OPEN = """<workflow name="open">
  <secret name="KEY"/>
  <transform:template id="t" template="Bearer {{$secrets.KEY}}"/>
  <transform:template id="len" template="{{len(t)}}"/>
  <output><set field="t" value="{{t}}"/><set field="n" value="{{len}}"/></output>
</workflow>"""


async def test_nodes_and_the_caller_get_the_value_and_record_and_events_do_not() -> None:
    events: list[Any] = []
    run = await fs.run(fs.loads(OPEN), secrets={"KEY": SECRET}, observers=[events.append])
    assert run.output == {"t": f"Bearer {SECRET}", "n": len(SECRET) + 7}
    assert run.results["t"].output == "Bearer ***"
    assert run.record["t"][0].output == "Bearer ***"
    assert_hidden("".join(map(repr, [*events, *run.record, *run.results.values()])))


async def test_warnings_and_errors_that_handlers_see_are_without_secrets() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:warns")
    async def warn(params: fs.ExecutionParams) -> None:
        params.run.warn(params.node, f"odd: {params.config['key']}")
        raise ValueError(params.config["key"])

    text = """<workflow name="w"><secret name="KEY"/>
      <source:warns id="a" key="{{$secrets.KEY}}"><on-error><fallback node="b"/></on-error></source:warns>
      <transform:template id="b" template="{{$error.message}}"/>
    </workflow>"""
    with pytest.warns(fs.FlowScriptWarning, match=r"odd: \*\*\*"):
        run = await fs.run(fs.loads(text, registry=registry), secrets={"KEY": SECRET})
    assert run.output == "***"
    assert [warning.message for warning in run.warnings] == ["odd: ***"]


async def test_masked_errors_of_clean_up_and_collections_show_none(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def items() -> Any:
        yield 1
        raise ValueError(SECRET)

    text = """<workflow name="w"><secret name="KEY"/>
      <foreach id="f" collection="$input"><delay id="d" duration="1s"/></foreach></workflow>"""
    with pytest.raises(ValueError, match=r"^\*\*\*") as caught:
        await fs.run(fs.loads(text), secrets={"KEY": SECRET}, input=items())
    assert_hidden(str(caught.value))


async def test_what_does_not_fit_is_told_without_secrets() -> None:
    text = '<workflow name="w"><param name="n" type="number"/><secret name="KEY"/></workflow>'
    with pytest.raises(fs.InputError, match=r"'n' is '\*\*\*'"):
        await fs.run(fs.loads(text), config={"n": SECRET}, secrets={"KEY": SECRET})
    with pytest.raises(fs.InputError, match="secrets must be texts; these are not: 'KEY'"):
        await fs.run(fs.loads(text), secrets={"KEY": 5})  # type: ignore[dict-item]
