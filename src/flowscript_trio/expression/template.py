"""Owns templates: text with ``{{ expressions }}`` in it, rendered as a value, as text or as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Literal, TypeVar

from ..types.errors import EvaluationError
from ..types.location import Text
from .encoding import NotJson, RawJson, decode_json, encode_json, to_text
from .expressions import WARM, Expression, place
from .scope import ROOMY, Scope, Services
from .values import check_text, count_written

FEW = 32
"""Interpolations of a template that is rendered at once, if they call nothing."""

WORDS = frozenset({str, int})
"""The types of which code is made for a template, where all of its holes are of them."""

Format = Literal["auto", "text", "json"]
T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work in steps, between which whoever asks for them may pause; what it comes to is what it returns."""


class Template:
    """A compiled template: called with a scope it gives the value of a setting.

    One interpolation and nothing else keeps its value's type; otherwise the parts are joined as text.
    Raises EvaluationError with the place of the interpolation that failed.

    Called, it waits for nothing and cannot be cancelled; :meth:`render` passes checkpoints.
    """

    __slots__ = (
        "_fast", "_holes", "_left", "_offsets", "_parts", "_single", "_words", "light",
        "looks_like_json", "source", "text",
    )  # fmt: skip

    def __init__(
        self, parts: tuple[str | Expression, ...], offsets: tuple[int, ...], source: Text
    ) -> None:
        self._parts = parts
        self._offsets = offsets
        self._words = [part if isinstance(part, str) else "" for part in parts]
        self._holes = tuple(
            (at, part.name, part.run) for at, part in enumerate(parts) if not isinstance(part, str)
        )
        self._single = parts[0] if len(parts) == 1 and isinstance(parts[0], Expression) else None
        self._fast: Callable[[Scope], str] | None = None
        self.light: bool = len(self._holes) <= FEW and all(p.light for p in self._expressions)
        """Whether it has few parts and calls nothing, so that it takes no time worth a checkpoint."""
        self.text: Callable[[Scope], str] = self._text
        """The parts joined as text, in one evaluation; once that has been asked for often, code made for it."""
        self._left = WARM
        self.source: Text = source
        first = parts[0] if parts else ""
        self.looks_like_json: bool = isinstance(first, str) and first.lstrip()[:1] in ("{", "[")
        """Whether the literal text, not an interpolation, begins with ``{`` or ``[``."""

    def __call__(self, scope: Scope) -> Any:
        if self._single is not None:
            return self._single(scope)
        return self.text(scope)

    def _text(self, scope: Scope) -> str:
        services = scope.services
        fast = self._fast
        if self._left > 0:
            self._warm(scope)
        elif fast is not None and services.roomy:
            services.begin()
            try:
                text = fast(scope)
            except EvaluationError as exc:
                place(exc, self.source, 0)
                raise
            except (OverflowError, RecursionError):
                pass  # the closures say where
            else:
                if len(text) <= services.limits.text:
                    return text
        services.begin()
        at = 0
        words = self._words.copy()
        value = scope.value
        try:
            for at, name, run in self._holes:
                word = run(scope) if name is None else value(name)
                kind = word.__class__
                if kind is int and -1_000_000 < word < 1_000_000:
                    word = str(word)  # as the call would write it, which takes as long again
                elif kind is not str:
                    word = to_text(word, services)
                if len(word) > 63:  # of what is put in; the text around it is the document's
                    count_written(len(word), services)
                words[at] = word
            text = "".join(words)
            if len(text) > services.limits.text:
                length = sum(len(words[at]) for at, _, _ in self._holes)
                check_text(length, services.limits)
        except (EvaluationError, RecursionError) as exc:
            part = self._parts[at]
            assert isinstance(part, Expression)
            found = part.placed(exc)
        else:
            return text
        raise found

    def _warm(self, scope: Scope) -> None:
        """Count an evaluation; the one that says that the template is used often makes its code."""
        self._left -= 1
        if self._left or not self._holes:
            return
        from . import codegen  # what is rendered a few times only does not need it

        parts = [p if isinstance(p, str) else (p.tree, p.shift) for p in self._parts]
        is_node = self._expressions[0].is_node
        literal = sum(len(part) for part in self._parts if isinstance(part, str))
        if not self.light or literal + len(self._holes) * codegen.SHORT > ROOMY:
            self._fast = codegen.generate_text(parts, is_node)
            return
        where = partial(place, text=self.source, shift=0)
        code = codegen.generate_text(parts, is_node, self._text, where)
        if code is None:
            return
        self.text = code
        kinds = self._kinds(scope)
        if WORDS.issuperset(kinds):

            def otherwise(scope: Scope) -> str:
                self.text = code  # the values are not all of one kind after all
                return code(scope)

            self.text = codegen.generate_words(parts, is_node, kinds, otherwise) or code

    def _kinds(self, scope: Scope) -> list[type]:
        """Of what types the holes are now; code is made for them. One that fails is of no such type."""
        scope.services.begin()
        try:
            return [
                (run(scope) if name is None else scope.value(name)).__class__
                for _, name, run in self._holes
            ]
        except (EvaluationError, RecursionError):
            return [type(None)]

    @property
    def parts(self) -> tuple[str | Expression, ...]:
        """The texts and the interpolations that it is made of, in their order."""
        return self._parts

    @property
    def single(self) -> Expression | None:
        """The interpolation, where it is all that there is."""
        return self._single

    @property
    def _expressions(self) -> list[Expression]:
        return [part for part in self._parts if isinstance(part, Expression)]

    def json(self, scope: Scope, auto: bool) -> Any:
        """The value of the JSON that the template makes; see :meth:`render`."""
        return self._finish(
            [p if isinstance(p, str) else p.marked(scope) for p in self._parts],
            scope,
            "auto" if auto else "json",
        )

    def at_once(self, scope: Scope, format: Format) -> Any:
        """As :meth:`render`, without a pause, for a template that is ``light``."""
        if format == "text" or (
            self._single is None and format == "auto" and not self.looks_like_json
        ):
            return self.text(scope)
        if self._single is not None:
            return self._single(scope)
        return self.json(scope, format == "auto")

    async def render(
        self, scope: Scope, format: Format, pause: Callable[[], Awaitable[None]]
    ) -> Any:
        """The value in a format; ``pause`` is awaited between parts, and a cancellation ends it there.

        ``text`` joins the parts; ``json`` encodes interpolations as JSON, inside a JSON string as its
        content, and parses the result; ``auto`` does so where the literal text begins with ``{`` or ``[``,
        and gives text where that does not parse. One interpolation and nothing else gives its value,
        and one ``json_encode(…)`` the value that it encodes.
        """
        values = []
        for part in self._parts:
            values.append(part if isinstance(part, str) else part.marked(scope))
            await pause()
        steps = self._steps(values, scope, format)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value
            await pause()

    def _finish(self, values: list[Any], scope: Scope, format: Format) -> Any:
        steps = self._steps(values, scope, format)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def _steps(self, values: list[Any], scope: Scope, format: Format) -> Steps[Any]:
        """Make the value of the template of those of its parts; whoever does so may pause after each part."""
        if self._single is not None and format != "text":
            value = values[0]
            return value.value if isinstance(value, RawJson) else value
        if format == "text" or (format == "auto" and not self.looks_like_json):
            return (yield from self._placed(self._join(values, scope)))
        pieces = yield from self._placed(self._encode(values, scope))
        try:
            services = scope.services
            services.begin()
            return decode_json("".join(pieces), services)
        except EvaluationError as exc:
            if format == "json":
                at = self._origin(pieces, exc.position) if isinstance(exc, NotJson) else 0
                place(exc, self.source, at)
                raise
        return (yield from self._placed(self._join(values, scope)))

    def _placed(self, steps: Steps[T]) -> Steps[T]:
        """What the steps come to; an error that no part has a place for is at the template's start."""
        try:
            return (yield from steps)
        except EvaluationError as exc:
            place(exc, self.source, 0)
            raise

    def _join(self, values: list[Any], scope: Scope) -> Steps[str]:
        """The values of the parts as one text."""
        limits = scope.services.limits
        length = 0
        words: list[str] = []
        for part, value in zip(self._parts, values, strict=True):
            word = part if isinstance(part, str) else part.convert(scope, to_text, value)
            length += len(word)
            check_text(length, limits)
            words.append(word)
            yield
        return "".join(words)

    def _encode(self, values: list[Any], scope: Scope) -> Steps[list[str]]:
        """The parts of the JSON text: content of strings escaped, other values encoded."""
        inside = False
        pieces: list[str] = []
        limits = scope.services.limits
        length = 0
        for part, value in zip(self._parts, values, strict=True):
            if isinstance(part, str):
                inside = _ends_inside_string(part, inside)
                piece = part
            elif inside:
                piece = part.convert(scope, _as_content, value)
            elif isinstance(value, RawJson):
                piece = value
            else:
                piece = part.convert(scope, _as_json, value)
            length += len(piece)
            check_text(length, limits)
            pieces.append(piece)
            yield
        return pieces

    def _origin(self, pieces: list[str], position: int) -> int:
        """The offset in the template of a position in what it made."""
        for at, piece in enumerate(pieces):
            if position < len(piece) or at == len(pieces) - 1:
                literal = isinstance(self._parts[at], str)
                last = max(len(self.source.value) - 1, 0)
                return min(self._offsets[at] + (position if literal else 0), last)
            position -= len(piece)
        return 0

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes to another process as its parts; what they were compiled to is made again there."""
        return Template, (self._parts, self._offsets, self.source)

    def __deepcopy__(self, memo: dict[int, Any]) -> Template:
        return self

    def __repr__(self) -> str:
        return f"<Template {self.source.value!r}>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


def _as_json(value: Any, services: Services) -> str:
    return encode_json(value, services=services)


def _as_content(value: Any, services: Services) -> str:
    return encode_json(to_text(value, services), services=services)[1:-1]


def _ends_inside_string(part: str, inside: bool) -> bool:
    """Whether JSON text that began inside a string, or not, ends inside one."""
    at = 0
    while at < len(part):
        char = part[at]
        if char == "\\" and inside:
            at += 1
        elif char == '"':
            inside = not inside
        at += 1
    return inside
