"""Owns the proof that no value of the user's can make an observer fail a run: odd values at every place."""

from __future__ import annotations

import io
import json
import warnings
from collections import UserDict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.console import Console

import flowscript_trio as fs
from flowscript_trio.cli.console import PlainLines
from flowscript_trio.cli.reports import render_failure
from flowscript_trio.cli.tables import draw
from flowscript_trio.observe.chronicle import Chronicle, Lines, keeping_chronicle
from flowscript_trio.observe.replay import events_of, read_chronicle
from flowscript_trio.observe.report import render_report
from flowscript_trio.observe.spans import Spans
from flowscript_trio.observe.trace import Trace, writing_trace
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types.events import AttemptStarted, NodeEnded

SECRET = "s3cret-of-the-tests"


def refusing(base: type, *given: Any) -> Any:
    """An instance of a subclass of a built-in type, all of whose methods raise."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no method of this works")

    names = ["__repr__", "__str__", "__format__", "__len__", "__iter__", "__getitem__", "__bool__"]
    names += ["items", "keys", "values", "bit_length", "isprintable", "encode", "__eq__", "__lt__"]
    methods = dict.fromkeys(names, refuse) | {"__hash__": base.__hash__}
    return type(f"Odd{base.__name__}", (base,), methods)(*given)


def unending(base: type, *given: Any) -> Any:
    """An instance of a subclass of a built-in type, none of whose methods ends."""

    def go_on(self: Any, *args: Any, **kwargs: Any) -> Any:
        while True:
            pass

    names = ["__repr__", "__str__", "__format__", "__len__", "__iter__", "__getitem__", "__bool__"]
    names += ["items", "keys", "values", "bit_length", "isprintable", "encode", "__eq__", "__lt__"]
    names += ["__int__", "__float__", "__index__", "__bytes__", "__contains__", "isoformat"]
    methods = dict.fromkeys(names, go_on) | {"__hash__": base.__hash__}
    return type(f"Odd{base.__name__}", (base,), methods)(*given)


class Aloof(type):
    """The class of classes that cannot be looked up."""

    def __hash__(cls) -> int:
        raise RuntimeError("no hash")


class OfAloof(metaclass=Aloof):
    pass


class Unshown:
    def __repr__(self) -> str:
        raise ValueError("cannot be shown")


class NoText:
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]

    __repr__ = __str__


class Sly:
    """It says that it is of a class which it is not of, and fails at that."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("no class")


class Endless(UserDict[str, Any]):
    def __len__(self) -> int:
        raise OverflowError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError


def deep(levels: int) -> Any:
    value: Any = SECRET
    for _ in range(levels):
        value = [{"in": value}]
    return value


def circle() -> Any:
    value: list[Any] = [SECRET]
    value.append({"again": value})
    return value


ODD: dict[str, Callable[[], Any]] = {
    "a list that refuses": lambda: refusing(list, [1, SECRET]),
    "a dict that refuses": lambda: refusing(dict, {"a": SECRET}),
    "a text that refuses": lambda: refusing(str, SECRET),
    "an integer that refuses": lambda: refusing(int, 7),
    "a float that refuses": lambda: refusing(float, 7.5),
    "a tuple that refuses": lambda: refusing(tuple, (1, SECRET)),
    "a key that refuses": lambda: {refusing(str, SECRET): 1},
    "a class that cannot be looked up": lambda: [OfAloof()],
    "no repr": Unshown,
    "a repr that is no text": NoText,
    "a class that cannot be asked for": lambda: [Sly()],
    "a mapping that fails": Endless,
    "900 levels": lambda: deep(450),
    "50,000 levels": lambda: deep(25_000),
    "10,000 digits": lambda: 10**10_000,
    "digits as keys": lambda: {10**10_000: 10**10_000},
    "a circle": circle,
    "half of a character": lambda: "\ud800 " + SECRET,
    "ends of lines": lambda: "a\u2028b\u2029c\x85d\x0be\x1b[2J\x9b31m",
    "no numbers": lambda: [float("nan"), float("inf"), 1j],
    "bytes": lambda: [b"\xff\x00" + SECRET.encode(), bytearray(b"x"), memoryview(b"y")],
}


UNENDING: dict[str, Callable[[], Any]] = {
    "a list without an end": lambda: unending(list, [1, SECRET]),
    "a dict without an end": lambda: unending(dict, {"a": SECRET}),
    "a text without an end": lambda: unending(str, SECRET),
    "an integer without an end": lambda: unending(int, 7),
    "a float without an end": lambda: unending(float, 7.5),
    "a tuple without an end": lambda: unending(tuple, (1, SECRET)),
    "a set without an end": lambda: unending(set, {1, SECRET}),
    "bytes without an end": lambda: [unending(bytes, b"x"), unending(bytearray, b"y")],
    "a day without an end": lambda: unending(date, 2020, 1, 2),
    "a decimal without an end": lambda: {"in": unending(Decimal, "1.5")},
    "keys without an end": lambda: {unending(str, SECRET): 1, unending(int, 3): 2},
}


class BadText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def with_notes(notes: Any) -> Exception:
    error = ValueError("odd notes")
    error.__notes__ = notes
    return error


ERRORS: dict[str, Callable[[], Exception]] = {
    "no text": BadText,
    "a note without a text": lambda: with_notes([Unshown(), NoText(), "a note"]),
    "notes that are none": lambda: with_notes(7),
    "notes that refuse": lambda: with_notes(refusing(list, ["x"])),
    "steering": lambda: ValueError("\x1b]0;owned\x07\x9b31m\u202e\u2028 " + SECRET),
    **{f"with {name}": lambda make=make: ValueError(make()) for name, make in ODD.items()},  # type: ignore[misc]
    **{
        f"noted with {name}": lambda make=make: with_notes([make(), "x"])  # type: ignore[misc]
        for name, make in ODD.items()
    },
}


class Places:
    """Every place that shows a run, each an observer of it; ``texts`` are what they showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[Any] = []
        self.lines, self.plain = io.BytesIO(), io.StringIO()
        self.tree = RunTree(room=20)
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.events: list[Any] = []
        self.observers: list[Any] = [
            Chronicle(self.entries.append),
            Chronicle(Lines(self.lines)),
            PlainLines(self.plain),
            self.tree,
            Spans(provider.get_tracer("t")),
            Trace(lambda entry: None),
            self.events.append,
        ]

    def texts(self) -> list[str]:
        shown = io.StringIO()
        console = Console(file=shown, width=200)
        console.print(draw(self.tree, trio.current_time(), 40))
        (record,) = self.folder.glob("*.jsonl")
        again = RunTree(room=20)
        for event in events_of(read_chronicle(record)):
            again(event)
        console.print(draw(again, 1.0, 40))
        raw = self.lines.getvalue().decode()
        assert len(raw.splitlines()) == raw.count("\n")
        for line in raw.splitlines():
            json.loads(line)
        return [
            shown.getvalue(),
            raw,
            record.read_text(),
            (self.folder / "trace.json").read_text(),
            self.plain.getvalue(),
            render_report(self.entries),
            *(span.to_json() for span in self.exporter.get_finished_spans()),
        ]


async def observed(
    registry: fs.Registry, folder: Path, secrets: dict[str, str]
) -> tuple[Any, Any, Places]:
    """A run with all the places around it: it or None, its error or None, and the places."""
    places = Places(folder)
    flow = fs.loads(
        """<workflow name="w"><secret name="KEY"/>
          <source:odd id="a"/><transform:template id="b" input="a" template="x"/></workflow>""",
        registry=registry,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fs.FlowScriptWarning)
        with keeping_chronicle(folder) as kept, writing_trace(folder / "trace.json") as traced:
            try:
                run = await fs.run(
                    flow, observers=[*places.observers, kept, traced], secrets=secrets
                )
            except Exception as exc:
                return None, exc, places
    return run, None, places


@pytest.mark.parametrize("secrets", [{}, {"KEY": SECRET}], ids=["plain", "masked"])
@pytest.mark.parametrize("name", [*ODD, *UNENDING])
async def test_an_odd_output_fails_no_run(
    name: str, secrets: dict[str, str], tmp_path: Path
) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:odd")
    async def odd(params: Any) -> Any:
        return (ODD | UNENDING)[name]()

    run, error, places = await observed(registry, tmp_path, secrets)
    assert error is None
    assert run.status == "completed"
    ended = [event for event in places.events if isinstance(event, NodeEnded)]
    assert [event.result.status for event in ended] == ["success", "success"]
    assert sum(isinstance(event, AttemptStarted) for event in places.events) == 2
    check(places, secrets)
    for result in run.record:
        assert result.status == "success"


@pytest.mark.parametrize("secrets", [{}, {"KEY": SECRET}], ids=["plain", "masked"])
@pytest.mark.parametrize("name", ERRORS)
async def test_an_odd_error_is_the_one_that_surfaces(
    name: str, secrets: dict[str, str], tmp_path: Path
) -> None:
    registry = fs.Registry(base=fs.registry)
    raised: list[Exception] = []

    @registry.runtime("source:odd")
    async def odd(params: Any) -> Any:
        raised.append(ERRORS[name]())
        raise raised[0]

    run, error, places = await observed(registry, tmp_path, secrets)
    assert run is None
    assert error is raised[0] or isinstance(error, fs.MaskedError)
    flow = fs.loads('<workflow name="w"><delay duration="1s"/></workflow>')
    check(places, secrets, render_failure(flow, error))


def check(places: Places, secrets: dict[str, str], *more: str) -> None:
    for text in (*places.texts(), *more):
        for char in "\x1b\x9b\x85\u2028\u202e\x07":
            assert char not in text
        if secrets:
            assert SECRET not in text
