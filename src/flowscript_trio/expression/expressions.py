"""Owns expressions as others use them: parsed once, with what they name; compiled; evaluated in a scope."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from ..types.deferred import dataclass
from ..types.errors import EvaluationError, LimitExceeded, nearest
from ..types.location import Text
from .calls import Run
from .compiler import compile_tree, plain_name
from .encoding import RawJson
from .errors import ExpressionSyntaxError
from .functions import functions
from .grammar import read_tree
from .scope import Scope, Services
from .survey import Reference, survey
from .syntax import Call, Chain, Constant, Item, Member, Method, Name, Tree

if TYPE_CHECKING:
    from .codegen import Way

SPECIAL_NAMES = frozenset(
    {
        "$input", "$config", "$secrets", "$env", "$context", "$run", "$branch", "$iteration",
        "$attempt",
        "$item", "$index", "$first", "$last", "$items", "$acc", "$branches", "$error",
    }
)  # fmt: skip
"""The ``$`` names: always known, null where they have no value."""


def is_light(tree: Tree) -> bool:
    """Whether a tree is a name, a constant, or members of one, which are read in no time."""
    if isinstance(tree, Chain):
        steps = tree.steps
        return is_light(tree.base) and all(
            isinstance(step, Member) or (isinstance(step, Item) and is_light(step.key))
            for step in steps
        )
    return isinstance(tree, (Name, Constant))


def _no_code(*_: object) -> None:
    """Stands for the function of an expression that is too large to have one."""


WARM = 16
"""Evaluations after which an expression without loops is made into a function of Python."""


class Expression:
    """A compiled expression: called with a scope it gives the value.

    Raises EvaluationError with the offset in the expression's text and the place in the document.

    Evaluating waits for nothing and cannot be cancelled; it is bounded instead (:class:`Limits`).
    """

    __slots__ = (
        "_each", "_fast", "_left", "_runs", "is_node", "light", "name", "run", "shift", "start", "text",
        "tree",
    )  # fmt: skip

    def __init__(
        self,
        run: Run,
        name: str | None,
        parsed: ParsedExpression,
        is_node: Callable[[str], bool],
        loops: bool,
    ) -> None:
        self.run: Run = run
        """The bare closure; its errors have no place in the document yet (see :meth:`placed`)."""
        self.tree: Tree = parsed.tree
        self.is_node: Callable[[str], bool] = is_node
        self._fast: Run | None = None
        self._each: Callable[..., Any] | None = None
        self._runs: dict[Way, Callable[..., Any] | None] = {}
        # Making a function takes as long as 50 evaluations: it is made where it pays.
        simple = isinstance(parsed.tree, (Constant, Name))
        self._left: int = -1 if simple else 1 if loops else WARM
        self.name: str | None = name
        """The name, where the expression is one that no node has, and nothing else."""
        self.text: Text = parsed.text
        self.light: bool = is_light(parsed.tree)
        """Whether it calls nothing, so that it takes no time worth a checkpoint."""
        self.shift: int = parsed.shift
        self.start: int = parsed.shift + parsed.tree.offset

    def __call__(self, scope: Scope) -> Any:
        value = self.marked(scope)
        return str(value) if value.__class__ is RawJson else value

    def marked(self, scope: Scope) -> Any:
        """The value; what ``json_encode`` returned is still marked as that (a RawJson)."""
        services = scope.services
        if self._left > 0:
            self._warm()
        fast = self._fast
        if fast is None or not services.roomy:
            return self._evaluate(scope, self.run, scope)
        services.spent = services.depth = 0
        services.due = services.first
        try:
            return fast(scope)
        except (EvaluationError, RecursionError) as exc:
            found = self.placed(exc)
        except OverflowError:
            # A huge integer met a float where numbers are taken as they are: the closures say where.
            return self._evaluate(scope, self.run, scope)
        raise found

    def item_code(self, services: Services, fold: bool) -> Callable[..., Any] | None:
        """The function of (scope, item, index, items), and acc in a fold; None where there is none.

        The caller begins each evaluation, gives errors their place (:meth:`placed`), and evaluates the
        expression over a scope where an OverflowError says that a number is too large for it.
        """
        if self._each is None:
            from . import (
                codegen,
            )  # here and below: what is evaluated a few times only does not need it

            self._each = codegen.generate_item(self.tree, self.is_node, fold) or _no_code
        return None if self._each is _no_code or not services.roomy else self._each

    def run_code(self, services: Services, way: Way) -> Callable[..., Any] | None:
        """The function of a run of items (see :func:`codegen.generate_run`); None where there is none.

        The caller does as for :meth:`item_code`, and begins an evaluation with each call.
        """
        if way not in self._runs:
            from . import codegen

            self._runs[way] = codegen.generate_run(self.tree, self.is_node, way)
        return self._runs[way] if services.roomy else None

    def _warm(self) -> None:
        """Count an evaluation; the one that says that the expression is used often makes its code."""
        self._left -= 1
        if self._left == 0:
            from . import codegen

            self._fast = codegen.generate(self.tree, self.is_node)

    def call(self, scope: Scope, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call an arrow function that this expression gave, as one evaluation of it."""
        value = self._evaluate(scope, function, *arguments)
        return str(value) if value.__class__ is RawJson else value

    def convert(self, scope: Scope, convert: Callable[[Any, Services], str], value: Any) -> str:
        """Convert a value that this expression gave; errors are located at the expression."""
        return self._evaluate(scope, convert, value, scope.services)  # type: ignore[no-any-return]

    def _evaluate(self, scope: Scope, run: Callable[..., Any], *arguments: Any) -> Any:
        services = scope.services
        services.begin()
        try:
            return run(*arguments)
        except (EvaluationError, RecursionError) as exc:
            found = self.placed(exc)
        raise found

    def placed(self, exc: EvaluationError | RecursionError) -> EvaluationError:
        """The error with its place in the document, unless it has one."""
        if isinstance(exc, RecursionError):
            exc = LimitExceeded("the expression nests too deeply")
        if exc.offset is None:
            exc.offset = self.start - self.shift
        place(exc, self.text, self.shift)
        return exc

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes to another process as its tree; what that was compiled to is made again there."""
        names = {found.name for found in survey(self.tree)[0]}
        nodes = frozenset(filter(self.is_node, names))
        loops = "=>" in self.text.value
        return _made_again, (self.text, self.tree, self.shift, nodes, loops)

    def __repr__(self) -> str:
        return f"<Expression {self.text.value!r}>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False)
class ParsedExpression:
    """An expression that was read. ``references`` are the names that it uses from its surroundings,
    ``calls`` the functions that it calls, known or not; ``constant`` says that it uses and calls nothing.
    """

    text: Text
    tree: Tree
    shift: int
    references: tuple[Reference, ...]
    calls: tuple[Reference, ...]
    loops: bool = False
    """Whether there is an arrow function in it, which is evaluated for each item of a list."""
    made: tuple[Call | Method, ...] = ()
    """The calls of functions and methods in it, as they are in the tree."""

    @property
    def constant(self) -> bool:
        return not self.references and not self.calls

    @property
    def parts(self) -> tuple[ParsedExpression, ...]:
        """Itself: as a template it is of one part."""
        return (self,)

    def compile(self, is_node: Callable[[str], bool]) -> Expression:
        """The expression, ready to be evaluated.

        Raises ExpressionSyntaxError where it calls a function that does not exist.
        """
        for called in self.calls:
            if called.name not in functions():
                raise ExpressionSyntaxError(
                    f"there is no function {called.name!r}",
                    called.offset,
                    len(called.name),
                    suggestion=nearest(called.name, functions()),
                )
        run, name = compile_tree(self.tree, is_node), plain_name(self.tree, is_node)
        return Expression(run, name, self, is_node, self.loops)


def _made_again(
    text: Text, tree: Tree, shift: int, nodes: frozenset[str], loops: bool
) -> Expression:
    is_node = nodes.__contains__
    parsed = ParsedExpression(text, tree, shift, (), (), loops)
    return Expression(
        compile_tree(tree, is_node), plain_name(tree, is_node), parsed, is_node, loops
    )


def parse_expression(text: Text, *, names: Collection[str] = frozenset()) -> ParsedExpression:
    """Read an expression; braces around it are optional. ``names`` are the bound names with hyphens.

    Raises ExpressionSyntaxError, whose offset is in ``text``.
    """
    value = text.value
    start, end = 0, len(value)
    stripped = value.strip()
    if len(stripped) > 3 and stripped.startswith("{{") and stripped.endswith("}}"):
        start = value.index("{{") + 2
        end = value.rindex("}}")
    return parse_part(text, start, end, names)


def parse_part(text: Text, start: int, end: int, names: Collection[str]) -> ParsedExpression:
    """Read the expression between two offsets of a text."""
    try:
        tree = read_tree(text.value[start:end], names)
        references, calls, made = survey(tree)
    except ExpressionSyntaxError as exc:
        exc.offset = min(exc.offset + start, max(len(text.value) - 1, 0))
        raise
    except RecursionError:  # only where the caller's own stack is nearly full
        error = ExpressionSyntaxError("the expression nests too deeply", start)
    else:
        return ParsedExpression(
            text,
            tree,
            start,
            tuple(
                Reference(r.name, r.path, r.offset + start, r.has_default, r.is_taken)
                for r in references
            ),
            tuple(Reference(c.name, (), c.offset + start) for c in calls),
            "=>" in text.value[start:end],
            tuple(made),
        )
    raise error


def place(exc: EvaluationError, text: Text, shift: int) -> None:
    """Say on an error where in the document it is, unless it is known."""
    if exc.location is None:
        exc.offset = shift + (exc.offset or 0)
        exc.location = text.location(exc.offset)
        exc.add_note(f"flowscript: in the expression at {exc.location}")


@cache
def function_names() -> frozenset[str]:
    """The names of all functions."""
    return frozenset(functions())
