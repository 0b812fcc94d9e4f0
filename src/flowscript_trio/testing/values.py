"""Owns the reading of values in a file of cases: each with its place, and with a problem where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..parser.names import canonical
from ..types.ast import Structure
from ..types.durations import EXPECTED, parse_duration
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the file, and the text that it is in: its own, or for a constant that of its key."""

    value: Any
    place: Text

    @classmethod
    def of(cls, value: Any, around: Text) -> Value:
        if isinstance(value, Structure):
            return cls(value, value.text)
        return cls(value, value if isinstance(value, Text) else around)


class Values:
    """Makes plain values of given ones; what is wrong goes to the findings, and gives None."""

    def __init__(self, findings: Findings) -> None:
        self.findings: Findings = findings

    def report(self, place: Text, code: str, message: str, **details: Any) -> None:
        """Add a problem at a place."""
        length = max(len(place.value.partition("\n")[0]), 1)
        self.findings.add(place.offset(0), code, message, length=length, **details)

    def wrong(self, given: Value, what: str, expected: str) -> None:
        """Add the problem that a value is not of its kind."""
        found = describe(given.value)
        message = f"{what} is {found}"
        self.report(given.place, "wrong-value", message, found=found, expected=expected)

    def entries(self, given: Value, what: str) -> list[tuple[Text, Value]]:
        """The entries of a mapping, in their order, with keys as they are written."""
        found = given.value
        if not isinstance(found, Structure) or found.kind != "mapping":
            self.wrong(given, what, "a mapping")
            return []
        return [(key, Value.of(value, key)) for key, value in found.value]

    def fields(self, given: Value, what: str, known: Collection[str]) -> dict[str, Value]:
        """The entries of a mapping whose keys are known: snake_case names, in any spelling."""
        found: dict[str, Value] = {}
        for key, value in self.entries(given, what):
            name = canonical(key.value)
            if name not in known:
                self.unknown(key, f"{what} has no key", [word.replace("_", "-") for word in known])
            elif name in found:
                self.report(key, "given-twice", f"{what} has {key.value!r} twice")
            else:
                found[name] = value
        return found

    def unknown(self, key: Text, what: str, known: Iterable[str]) -> None:
        """Add the problem that a name is not known, with the nearest one."""
        names = sorted(known)
        self.report(
            key,
            "unknown-name",
            f"{what} {key.value!r}",
            expected="one of " + ", ".join(names) if 0 < len(names) <= 20 else None,
            suggestion=nearest(key.value, names),
        )

    def items(self, given: Value) -> list[Value]:
        """The items of a list; of anything else, itself."""
        found = given.value
        if isinstance(found, Structure) and found.kind == "list":
            return [Value.of(item, given.place) for item in found.value]
        return [given]

    def text(self, given: Value, what: str) -> str | None:
        if isinstance(given.value, Text):
            return given.value.value
        self.wrong(given, what, "text (a number, true, false or null needs quotes)")
        return None

    def whole(self, given: Value, what: str, least: int | None = 0) -> int | None:
        value = given.value
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and (least is None or value >= least)
        ):
            return value
        self.wrong(given, what, "a whole number" + (f" from {least}" if least is not None else ""))
        return None

    def flag(self, given: Value, what: str) -> bool | None:
        if isinstance(given.value, bool):
            return given.value
        self.wrong(given, what, "true or false")
        return None

    def seconds(self, given: Value, what: str) -> float | None:
        if isinstance(given.value, Text):
            try:
                return parse_duration(given.value.value)
            except ValueError:
                pass
        self.wrong(given, what, EXPECTED)
        return None


def plain(value: Any) -> Any:
    """A value of the file as Python has it."""
    if isinstance(value, Structure):
        if value.kind == "mapping":
            return {key.value: plain(inner) for key, inner in value.value}
        return [plain(inner) for inner in value.value]
    return value.value if isinstance(value, Text) else value


def describe(value: Any) -> str:
    """What a value is, for people."""
    if isinstance(value, Structure):
        return f"a {value.kind}"
    if isinstance(value, Text):
        return f"the text {value.value[:60]!r}"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else f"the number {value}"


def as_it_is(given: Value) -> Any:
    return plain(given.value)


class Fields:
    """Reads the fields that are there."""

    def __init__(self, fields: dict[str, Value]) -> None:
        self._fields = fields

    def take(self, name: str, read: Callable[[Value], T | None]) -> T | None:
        given = self._fields.get(name)
        return None if given is None else read(given)
