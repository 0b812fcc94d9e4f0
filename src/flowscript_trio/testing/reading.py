"""Owns the reading of a file of cases: YAML → cases, every problem at once and with its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..parser import YamlProblem
from ..parser.yaml import read_yaml
from ..program.loading import Flow
from ..types.ast import Structure
from ..types.decisions import Answer
from ..types.errors import problem_at
from ..types.findings import Findings
from ..types.location import Source, Text
from .cases import START, Case, CasesInvalid, Reply, Stub
from .expecting import EXPECTATIONS, read_expected
from .ids import Ids
from .values import Fields, Value, Values, as_it_is, plain

GIVEN = ("input", "config", "secrets", "env", "seed", "now", "base", "max_concurrency")
WORLD = ("stubs", "real", "decisions")
CASE = ("name", *GIVEN, *WORLD, *EXPECTATIONS)
REPLY = ("output", "error", "hangs", "delay", "type", "status", "retryable")
_SUFFIXES = (".flow.md", ".xml")


def beside(workflow: str | Path) -> Path:
    """Where the cases of a workflow are: ``x.test.yaml`` beside ``x.xml`` or ``x.flow.md``.

    It waits for nothing, so cancellation does nothing to it.
    """
    path = Path(workflow)
    suffix = next((end for end in _SUFFIXES if path.name.endswith(end)), path.suffix)
    return path.with_name(path.name.removesuffix(suffix) + ".test.yaml")


def read_cases(path: str | Path, flow: Flow) -> tuple[Case, ...]:
    """Read the cases of a workflow from a file, in its order.

    Args:
        path: the file; a relative ``base`` in it is taken from its folder.
        flow: the workflow; the ids in the cases must be those of its nodes.

    Raises:
        OSError: the file cannot be read.
        CasesInvalid: with all problems of the file at once.

    This is synchronous and quick; nothing of it can be cancelled.
    """
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        source = Source(str(path), data[: exc.start].decode("utf-8", "replace"))
        raise CasesInvalid(
            [problem_at(source, len(source.text), "encoding", f"this is not UTF-8: {exc.reason}")]
        ) from None
    source = Source(str(path), text)
    whole = Text(text, source, ((0, 0),))
    try:
        value = read_yaml(whole)
    except YamlProblem as exc:
        raise CasesInvalid([problem_at(source, exc.offset, "yaml", exc.message)]) from None
    reader = _CaseReader(flow, Values(Findings(source)), Path(path).parent)
    cases = reader.file(Value.of(value, whole.slice(0, 0)))
    if reader.values.findings.has_errors:
        raise CasesInvalid(reader.values.findings.in_order())
    return cases


class _CaseReader:
    """Reads the parts of a file, from the whole to the smallest."""

    def __init__(self, flow: Flow, values: Values, folder: Path) -> None:
        self.values = values
        self._folder = folder
        self._ids = Ids(flow, values)

    def file(self, given: Value) -> tuple[Case, ...]:
        found = self.values.fields(given, "the file", ("cases",)).get("cases")
        if found is None:
            if not self.values.findings.has_errors:
                self.values.report(given.place, "no-cases", "the file has no cases")
            return ()
        value = found.value
        pairs: list[tuple[Text | None, Value]]
        if isinstance(value, Structure) and value.kind == "list":
            pairs = [(None, item) for item in self.values.items(found)]
        else:
            pairs = [(key, item) for key, item in self.values.entries(found, "cases")]
        if not pairs and not self.values.findings.has_errors:
            self.values.report(found.place, "no-cases", "the file has no cases")
        cases: dict[str, Case] = {}
        for key, item in pairs:
            case = self.case(key, item)
            if case.name in cases and key is None:
                self.values.report(item.place, "given-twice", f"there are two cases {case.name!r}")
            cases[case.name] = case
        return tuple(cases.values())

    def case(self, key: Text | None, given: Value) -> Case:
        values = self.values
        fields = values.fields(
            given, "a case", [word for word in CASE if key is None or word != "name"]
        )
        name = "" if key is None else key.value
        if key is None:
            if "name" in fields:
                name = values.text(fields["name"], "name") or ""
            if not name and isinstance(given.value, Structure):
                values.report(given.place, "no-name", "a case in a list needs a name")
        place = given.place if key is None else key
        take = Fields(fields).take
        case = Case(
            name=name,
            location=place.location(),
            input=take("input", as_it_is),
            config=take("config", self._mapping("config")) or {},
            secrets=take("secrets", self._texts("secrets")) or {},
            env=take("env", self._texts("env")) or {},
            seed=take("seed", lambda found: values.whole(found, "seed", None)) or 0,
            now=take("now", self._now) or START,
            base=take("base", self._base),
            max_concurrency=take(
                "max_concurrency", lambda found: values.whole(found, "max-concurrency", 1)
            ),
            stubs=take("stubs", self._stubs) or {},
            real=take("real", self._real) or frozenset(),
            decisions=take("decisions", self._decisions) or {},
            expected=read_expected(fields, self.values, self._ids),
        )
        if isinstance(given.value, Structure) and not any(word in fields for word in EXPECTATIONS):
            values.report(
                place,
                "nothing-expected",
                f"the case {name!r} expects nothing, so it cannot fail",
                expected="one of " + ", ".join(EXPECTATIONS),
            )
        return case

    # ---- what the run is given ----

    def _mapping(self, what: str) -> Callable[[Value], dict[str, Any]]:
        return lambda given: {
            key.value: plain(value.value) for key, value in self.values.entries(given, what)
        }

    def _texts(self, what: str) -> Callable[[Value], dict[str, str]]:
        return lambda given: {
            key.value: self.values.text(value, f"{what}: {key.value}") or ""
            for key, value in self.values.entries(given, what)
        }

    def _now(self, given: Value) -> datetime | None:
        text = given.value.value if isinstance(given.value, Text) else ""
        try:
            now = datetime.fromisoformat(text)
        except ValueError:
            self.values.wrong(given, "now", "a time in ISO 8601, such as 2024-02-29T12:00:00Z")
            return None
        return now if now.tzinfo is not None else now.replace(tzinfo=UTC)

    def _base(self, given: Value) -> Path | None:
        text = self.values.text(given, "base")
        if text is None:
            return None
        base = self._folder / text
        if not base.is_dir():
            self.values.report(given.place, "no-folder", f"there is no folder {text!r}")
        return base

    # ---- what stands in for the world ----

    def _stubs(self, given: Value) -> dict[str, Stub]:
        stubs = {}
        for key, value in self.values.entries(given, "stubs"):
            self._ids.check_leaf(key)
            replies = tuple(self._reply(item) for item in self.values.items(value))
            if not replies:
                self.values.report(value.place, "no-reply", "a stub needs at least one reply")
            stubs[key.value] = Stub(replies)
        return stubs

    def _decisions(self, given: Value) -> dict[str, Answer]:
        decisions = {}
        for key, value in self.values.entries(given, "decisions"):
            self._ids.check_checkpoint(key)
            answer = Value(value.value, value.place)
            said: Any = None
            if isinstance(value.value, Structure):
                fields = self.values.fields(value, "a decision", ("action", "input"))
                said = Fields(fields).take("input", as_it_is)
                answer = fields.get("action", answer)
            action = self.values.text(answer, f"decisions: {key.value}")
            if action is not None:
                decisions[key.value] = Answer(action, said)
        return decisions

    def _reply(self, given: Value) -> Reply:
        values = self.values
        before = len(tuple(values.findings))
        fields = values.fields(given, "a stub", REPLY)
        does = [word for word in ("output", "error", "hangs") if word in fields]
        if (
            isinstance(given.value, Structure)
            and len(does) != 1
            and len(tuple(values.findings)) == before
        ):
            found = " and ".join(does) or "none of them"
            values.report(
                given.place,
                "unclear-stub",
                f"a stub does one thing; this one has {found}",
                expected="output, error or hangs",
            )
        for word in ("type", "status", "retryable"):
            if word in fields and "error" not in fields:
                message = f"{word!r} belongs to an error, and this stub has none"
                values.report(fields[word].place, "no-error", message)
        take = Fields(fields).take
        kind = take("type", lambda found: values.text(found, "type"))
        if kind is not None and not kind.isidentifier():
            values.wrong(
                fields["type"], "type", "the name of an error's class, such as ConnectError"
            )
        hangs = take("hangs", lambda found: values.flag(found, "hangs"))
        if hangs is False:
            values.wrong(fields["hangs"], "hangs", "true")
        return Reply(
            output=take("output", as_it_is),
            error=take("error", lambda found: values.text(found, "error")),
            type=kind,
            status=take("status", lambda found: values.whole(found, "status", 100)),
            retryable=take("retryable", lambda found: values.flag(found, "retryable")),
            hangs=hangs is True,
            delay=take("delay", lambda found: values.seconds(found, "delay")) or 0.0,
        )

    def _real(self, given: Value) -> Any:
        if given.value is True:
            return True
        if not isinstance(given.value, (Structure, Text)):
            self.values.wrong(given, "real", "a list of ids, or true")
            return None
        names = set()
        for item in self.values.items(given):
            if self.values.text(item, "real") is not None:
                self._ids.check_leaf(item.place)
                names.add(item.place.value)
        return frozenset(names)
