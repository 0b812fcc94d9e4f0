"""Owns the compiling of a document's texts, each once, and the list of the names that they use."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from ..expression import (
    Expression,
    ExpressionSyntaxError,
    ParsedExpression,
    ParsedTemplate,
    Reference,
    Template,
    function_names,
    parse_expression,
    parse_template,
    to_text,
)
from ..expression.scope import Scope
from ..expression.shaping import NOT_CONSTANT, known_value, misfits
from ..expression.syntax import Tree
from ..language.synonyms import function_instead
from ..parser import YamlProblem
from ..types.ast import Setting, Structure
from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.findings import Findings, text_of
from ..types.location import Source, Text
from ..types.patterns import pattern
from .bare import BareNames
from .fields import Field, Form
from .inner import InnerNodes
from .positions import Index, Position, name_of
from .slips import braces_compared, instead_of, is_date, quoted, sum_of
from .values import Compute

_NUMBER = pattern(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_HYPHENATED = pattern(r"\.(\w+-[\w-]*)")
"""A step of a path with hyphens, which in an expression would be a subtraction."""
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(slots=True, eq=False)
class Visibility:
    """What a text sees: the scope at ``place``, and the names ``bound`` for it.

    ``after_body`` says that it is evaluated when the block's body has run; ``words`` are constants that
    could be there instead, for suggestions.
    """

    position: Position
    bound: frozenset[str] = frozenset()
    after_body: bool = False
    words: tuple[str, ...] = ()
    of_input: bool = False
    """Whether it says what the node's input is, and so sees that of the block around."""


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """An expression that takes a member of something. ``shift`` is its offset in the text.

    ``bases`` are the names of which it takes a member; with ``loops`` it has arrow functions, which may do so too.
    """

    tree: Tree
    text: Text
    shift: int
    visible: Visibility
    bases: tuple[str, ...]
    loops: bool = False


@dataclass(slots=True, eq=False)
class Use:
    """One name used in one text. ``how`` says by what: ``input``, ``after``, or ``expression``."""

    visible: Visibility
    text: Text
    reference: Reference
    how: str = "expression"


@dataclass(slots=True, eq=False)
class Computed:
    """A value that is computed in a scope; ``known`` is what it is in all of them, where that can be told."""

    compute: Compute
    known: Any = NOT_CONSTANT


class Refused:
    """The value of a setting that could not be read; its problem is among the findings."""


REFUSED = Refused()


DECLARING = frozenset({"$secrets", "$config", "$context", "$run", "$env"})
"""The names whose members are declared, so that a member of a copy of them can be missing."""


class Compiler:
    """Compiles texts, reports what is wrong with them, and collects the ``uses`` of names."""

    def __init__(self, index: Index, findings: Findings) -> None:
        self.uses: list[Use] = []
        self.noted: list[Noted] = []
        self._index = index
        self._findings = findings
        self.schemas: Any = index.document.schemas
        self._bare = BareNames(index.document, index.results, findings)
        self._inner = InnerNodes(index, findings)

    def value(self, setting: Setting, field: Field, visible: Visibility) -> Any:
        """What a setting stands for: a constant, ``Computed``, or ``REFUSED``."""
        value = setting.value
        form = field.form
        if isinstance(value, Structure) and value.is_markup and form is not Form.STRUCTURE:
            return self._refuse_markup(setting, value)
        if form is Form.SCALAR:
            return self._fill(value, visible)
        if form is Form.STRUCTURE:
            if not isinstance(value, Text):
                return self._fill(value, visible)
            from ..parser.yaml import read_yaml  # with PyYAML, which few documents need

            try:
                return self._fill(read_yaml(value), visible)
            except YamlProblem as exc:
                self._findings.in_text(value, exc.offset, 1, "yaml", str(exc))
                return REFUSED
        if field.bound or field.after_body or field.words:
            visible = Visibility(visible.position, field.bound, field.after_body, field.words)
        text = _as_text(setting, self._index.document.source)
        if form is Form.TEMPLATE:
            return self.template(text, visible) or REFUSED
        if text.value.strip() in field.words:
            return text.value.strip()
        return self.expression(text, visible) or REFUSED

    def _refuse_markup(self, setting: Setting, value: Structure) -> Any:
        """Report elements in a setting whose declared type has no entries."""
        key: Text = value.value[0][0] if value.value else value.text
        opening = Text(f"<{key}", key.source, ((0, key.offset(0) - 1),))
        self._findings.in_text(
            opening,
            0,
            len(opening.value),
            "nested-setting",
            f"<{key}> is in the setting <{setting.written}>, which is text",
            expected="text; elements are allowed only in a setting that is a mapping",
        )
        return REFUSED

    def expression(self, text: Text, visible: Visibility) -> Expression | None:
        """The compiled expression, or None where it has a mistake."""
        if is_date(text):
            self._findings.in_text(
                text,
                0,
                len(text.value),
                "syntax",
                f"{text.value.strip()} is a subtraction here, not a date",
                expected=quoted(text.value.strip()),
            )
            return None
        try:
            parsed = parse_expression(text, names=self._index.bound_names)
        except ExpressionSyntaxError as exc:
            self._report_syntax(text, exc)
            return None
        literal = braces_compared(parsed)
        if literal is not None:
            self._findings.in_text(
                text,
                parsed.shift + literal.offset,
                len(literal.value) + 2,
                "syntax",
                "this is a literal text: the whole is an expression already",
                expected=f"{sum_of(literal.value) or 'an expression'}, or "
                + quoted(literal.value.replace("{{", "\\{{"))
                + " for the braces themselves",
            )
            return None
        parsed = self._inner.resolve(parsed, self._hides(visible))
        return parsed.compile(self._is_node(visible)) if self._note(parsed, visible) else None

    def template(self, text: Text, visible: Visibility) -> Template | None:
        """The compiled template, or None where it has a mistake."""
        parsed = self._parse_template(text, visible)
        return None if parsed is None else parsed.compile(self._is_node(visible))

    def reference(self, text: Text, name: str, path: str, visible: Visibility) -> Expression | None:
        """The expression of an item of ``input``: ``name`` with the ``path`` that follows it."""
        index = self._index
        node = index.ids.get(name) or index.phases.get(name)
        if node is None:
            self.use(visible, text, name, "input", _steps_of(path))
            try:
                return parse_expression(text, names={name}).compile(lambda _: False)
            except ExpressionSyntaxError:
                return None  # a word of the syntax: as a name it is unknown, and reported as that
        written = name_of(node) or name
        steps = _HYPHENATED.sub(r"['\1']", path)
        if written != name or steps != path:
            marks = ((0, text.offset(0)), (len(written), text.offset(0) + len(name)))
            text = Text(written + steps, text.source, marks)
        names = index.bound_names if written in index.results else {written}
        try:
            parsed = parse_expression(text, names=names)
        except ExpressionSyntaxError as exc:
            self._report_syntax(text, exc)
            return None
        resolved = self._inner.resolve(parsed, lambda _: False)
        if resolved is parsed:
            self.use(visible, text, name, "input", _steps_of(path))
            if path:
                self.noted.append(Noted(parsed.tree, text, parsed.shift, visible, (written,)))
        else:
            self.uses += [Use(visible, text, used, "input") for used in resolved.references]
        return resolved.compile(lambda other: other == written or other in index.results)

    def use(
        self, visible: Visibility, text: Text, name: str, how: str, path: tuple[str, ...] = ()
    ) -> None:
        """Note that the whole of ``text`` names a node, or a ``path`` from one."""
        self.uses.append(Use(visible, text, Reference(name, path, 0), how))

    def _parse_template(self, text: Text, visible: Visibility) -> ParsedTemplate | None:
        self._bare.report(text)
        try:
            parsed = parse_template(text, names=self._index.bound_names)
        except ExpressionSyntaxError as exc:
            self._report_syntax(text, exc, is_template=True)
            return None
        if not parsed.constant:
            parsed = self._inner.in_template(parsed, self._hides(visible))
        return parsed if self._note(parsed, visible) else None

    def _fill(self, value: Any, visible: Visibility) -> Any:
        """The value with its texts compiled: a constant, ``Computed``, or ``REFUSED``."""
        if isinstance(value, Text):
            if "{{" not in value.value:
                self._bare.report(value)
                return value.value
            parsed = self._parse_template(value, visible)
            if parsed is None:
                return REFUSED
            if parsed.constant:
                return parsed.literal
            return Computed(parsed.compile(self._is_node(visible)), known_value(parsed))
        if isinstance(value, Structure):
            if value.kind == "list":
                return _gather([self._fill(item, visible) for item in value.value], list)
            keys = [self._fill(key, visible) for key, _ in value.value]
            items = [self._fill(item, visible) for _, item in value.value]
            return _gather([*keys, *items], _to_mapping)
        return value

    def _note(self, parsed: ParsedExpression | ParsedTemplate, visible: Visibility) -> bool:
        """Note the names that a text uses; whether all its functions are known."""
        text = parsed.text
        for part in parsed.parts:
            if not isinstance(part, str):
                self._note_part(part, visible)
        unknown = [call for call in parsed.calls if call.name not in function_names()]
        for call in unknown:
            self._findings.in_text(
                text,
                call.offset,
                len(call.name),
                "unknown-function",
                f"there is no function {call.name!r}",
                expected=(instead := function_instead(call.name)),
                suggestion=None if instead else nearest(call.name, function_names()),
            )
        return not unknown

    def _note_part(self, parsed: ParsedExpression, visible: Visibility) -> None:
        text = parsed.text
        bases = []
        for reference in parsed.references:
            self.uses.append(Use(visible, text, reference))
            if reference.path or reference.name in DECLARING:
                bases.append(reference.name)
        if bases or parsed.loops:
            noted = Noted(parsed.tree, text, parsed.shift, visible, tuple(bases), parsed.loops)
            self.noted.append(noted)
        for misfit in misfits(parsed.made) if parsed.made else ():
            at = text.value.find(misfit.name, parsed.shift + misfit.offset)
            self._findings.in_text(
                text,
                at if at >= 0 else parsed.shift + misfit.offset,
                len(misfit.name) if at >= 0 else 1,
                "impossible-call",
                misfit.message,
            )

    def _report_syntax(
        self, text: Text, exc: ExpressionSyntaxError, is_template: bool = False
    ) -> None:
        instead = instead_of(text, exc, is_template=is_template)
        self._findings.in_text(
            text,
            exc.offset or 0,
            exc.length,
            "syntax",
            str(exc),
            expected=instead or exc.expected,
            suggestion=exc.suggestion if instead is None else None,
        )

    def _is_node(self, visible: Visibility) -> Callable[[str], bool]:
        """Which names mean nodes: what is bound at the place hides an id."""
        nodes = self._index.results
        if not visible.bound and not visible.position.level.names:
            return nodes.__contains__
        hides = self._hides(visible)
        return lambda name: name in nodes and not hides(name)

    def _hides(self, visible: Visibility) -> Callable[[str], bool]:
        """Which names mean what is bound at the place, and no nodes."""
        bound = visible.bound
        around = visible.position.level.names
        return lambda name: name in bound or name in around


def _steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path as ``input`` has it: ``.output.items[0]``."""
    return tuple(re.findall(r"\w[\w-]*", path))


def scalar_of(text: str) -> Any:
    """The JSON number, true, false or null that a text is, else the text."""
    word = text.strip()
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word) and len(word) <= 1000:
        number = json.loads(word)
        if not isinstance(number, float) or math.isfinite(number):
            return number
    return text


def keep_text(value: Any) -> Any:
    """The value of a setting whose type is text: what is computed becomes text too."""
    if not isinstance(value, Computed):
        return to_text(value)
    compute, known = value.compute, value.known
    text = known if known is NOT_CONSTANT else to_text(known)
    return Computed(lambda scope: to_text(compute(scope)), text)


def _gather(parts: list[Any], build: Callable[[list[Any]], Any]) -> Any:
    """Build a structure of its parts: now where all are constant, else once in each scope."""
    if any(part is REFUSED for part in parts):
        return REFUSED
    if not any(isinstance(part, Computed) for part in parts):
        return build(parts)

    def compute(scope: Scope) -> Any:
        return build([p.compute(scope) if isinstance(p, Computed) else p for p in parts])

    known = [part.known if isinstance(part, Computed) else part for part in parts]
    is_known = all(each is not NOT_CONSTANT for each in known)
    return Computed(compute, build(known) if is_known else NOT_CONSTANT)


def _to_mapping(parts: list[Any]) -> dict[str, Any]:
    half = len(parts) // 2
    return {to_text(key): value for key, value in zip(parts[:half], parts[half:], strict=True)}


def _as_text(setting: Setting, source: Source) -> Text:
    """The text of a setting that is an expression or template; a constant from YAML is its JSON."""
    if isinstance(setting.value, Text):
        return setting.value
    text = text_of(setting.value)
    if text is not None:
        return text
    written = json.dumps(setting.value)
    return Text(written, source, ((0, setting.offset),))
