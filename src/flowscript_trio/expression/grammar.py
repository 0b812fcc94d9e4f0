"""Owns the grammar: tokens → syntax tree, by recursive descent with a bound on nesting."""

from __future__ import annotations

from collections.abc import Collection

from .errors import ExpressionSyntaxError
from .lexer import RESERVED_WORDS, Token, tokenize
from .syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    Item,
    ListOf,
    Member,
    Method,
    Name,
    ObjectOf,
    Series,
    Tree,
    Unary,
)

MAX_NESTING = 50
"""How deep brackets, arrow functions and unary operators may nest: far below Python's recursion limit."""

MAX_STEPS = 100
"""How many members, items and methods may follow one another."""

LEVELS = (
    frozenset({"??"}),
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!=", "===", "!=="}),
    frozenset({"<", "<=", ">", ">=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
"""Binary operators by precedence, loosest first."""

_LITERALS = {"true": True, "false": False, "null": None, "undefined": None}
_NAMESPACES = {("JSON", "parse"): "json_decode", ("JSON", "stringify"): "json_encode"}


_BINARY = frozenset().union(*LEVELS)


def read_tree(text: str, names: Collection[str] = frozenset()) -> Tree:
    """The tree of an expression; raises ExpressionSyntaxError with the offset."""
    return _Reader(tokenize(text, names)).read()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._bound: list[str] = []

    def read(self) -> Tree:
        tree = self._expression()
        token = self._token
        if token.kind != "end":
            raise self._unexpected(token, "an operator or the end")
        return tree

    # ---- tokens ----

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _sees(self, operator: str) -> bool:
        token = self._tokens[self._at]
        return token.kind == "operator" and token.value == operator

    def _take(self, operator: str) -> bool:
        if self._sees(operator):
            self._at += 1
            return True
        return False

    def _need(self, operator: str, opened: Token | None = None) -> None:
        if not self._take(operator):
            raise self._unexpected(self._token, f"{operator!r}")

    def _unexpected(self, token: Token, expected: str) -> ExpressionSyntaxError:
        if token.kind == "end":
            return ExpressionSyntaxError(
                "the expression ends too early", token.start, 1, expected=expected
            )
        shown = token.value if token.kind in ("operator", "name") else "a " + token.kind
        return ExpressionSyntaxError(
            f"{shown!r} is not expected here"
            if shown is token.value
            else f"{shown} is not expected here",
            token.start,
            token.end - token.start,
            expected=expected,
        )

    # ---- expressions ----

    def _expression(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ExpressionSyntaxError(
                f"the expression nests deeper than {MAX_NESTING} levels", self._token.start
            )
        try:
            if self._is_arrow():
                return self._arrow()
            return self._choice()
        finally:
            self._depth -= 1

    def _choice(self) -> Tree:
        start = self._token.start
        tree = self._series()
        if not self._sees("?"):
            return tree
        cases = []
        while self._take("?"):
            then = self._expression()
            self._need(":")
            cases.append((tree, then))
            if self._is_arrow():
                tree = self._expression()
                break
            tree = self._series()
        return Choice(tuple(cases), tree, start)

    def _series(self) -> Tree:
        operands = [self._unary()]
        operators = []
        while self._token.kind == "operator" and self._token.value in _BINARY:
            operators.append(self._token)
            self._at += 1
            operands.append(self._unary())
        return _group(operands, operators, 0)

    def _unary(self) -> Tree:
        operators = []
        while self._token.kind == "operator" and self._token.value in ("!", "-", "+", "typeof"):
            operators.append(self._token)
            self._at += 1
            if len(operators) > MAX_NESTING:
                raise ExpressionSyntaxError(
                    f"the expression nests deeper than {MAX_NESTING} levels", self._token.start
                )
        tree = self._postfix()
        for token in reversed(operators):
            tree = Unary(str(token.value), tree, token.start)
        return tree

    def _postfix(self) -> Tree:
        start = self._token.start
        base = self._primary()
        steps: list[Member | Item | Method] = []
        while True:
            if self._take(".") or self._take("?."):
                if self._sees("["):
                    continue
                token = self._token
                if token.kind != "name":
                    raise self._unexpected(token, "the name of a member")
                self._at += 1
                name = str(token.value)
                if self._sees("("):
                    steps.append(Method(name, self._arguments(), token.start))
                else:
                    steps.append(Member(name, token.start))
            elif self._sees("["):
                offset = self._token.start
                self._at += 1
                key = self._expression()
                self._need("]")
                steps.append(Item(key, offset))
            elif self._sees("("):
                raise ExpressionSyntaxError(
                    "only functions and methods that have a name can be called", self._token.start
                )
            else:
                break
        if not steps:
            return base
        if len(steps) > MAX_STEPS:
            raise ExpressionSyntaxError(f"more than {MAX_STEPS} members in a row", start)
        first = steps[0]
        if isinstance(base, Name) and isinstance(first, Method) and not base.local:
            function = _NAMESPACES.get((base.name, first.name))
            if function is not None:
                base = Call(function, first.arguments, base.offset)
                steps = steps[1:]
        return Chain(base, tuple(steps), start) if steps else base

    def _primary(self) -> Tree:
        token = self._token
        if token.kind in ("number", "string"):
            self._at += 1
            return Constant(token.value, token.start)
        if token.kind == "name":
            return self._name(token)
        if self._take("("):
            tree = self._expression()
            self._need(")")
            return tree
        if self._take("["):
            return ListOf(self._items("]"), token.start)
        if self._take("{"):
            return self._object(token.start)
        raise self._unexpected(token, "a value")

    def _name(self, token: Token) -> Tree:
        self._at += 1
        name = str(token.value)
        if name in _LITERALS:
            return Constant(_LITERALS[name], token.start)
        if self._sees("(") and name not in self._bound:
            return Call(name, self._arguments(), token.start)
        return Name(name, token.start, name in self._bound)

    def _arguments(self) -> tuple[tuple[bool, Tree], ...]:
        self._need("(")
        return self._items(")")

    def _items(self, close: str) -> tuple[tuple[bool, Tree], ...]:
        items = []
        while not self._take(close):
            spread = self._take("...")
            items.append((spread, self._expression()))
            if not self._sees(close):
                if not self._sees(","):
                    raise self._unexpected(self._token, f"',' or {close!r}")
                self._at += 1
        return tuple(items)

    def _object(self, start: int) -> Tree:
        entries: list[tuple[Tree | None, Tree]] = []
        while not self._take("}"):
            if self._take("..."):
                entries.append((None, self._expression()))
            else:
                entries.append(self._entry())
            if not self._sees("}"):
                if not self._sees(","):
                    raise self._unexpected(self._token, "',' or '}'")
                self._at += 1
        return ObjectOf(tuple(entries), start)

    def _entry(self) -> tuple[Tree, Tree]:
        token = self._token
        key: Tree
        if self._take("["):
            key = self._expression()
            self._need("]")
        elif token.kind in ("name", "string", "number"):
            self._at += 1
            if token.kind == "name" and not self._sees(":"):
                name = str(token.value)
                if name in RESERVED_WORDS:
                    raise self._unexpected(self._token, "':'")
                return Constant(name, token.start), Name(name, token.start, name in self._bound)
            key = Constant(token.value, token.start)
        else:
            raise self._unexpected(token, "a key, or '}'")
        self._need(":")
        return key, self._expression()

    # ---- arrow functions ----

    def _is_arrow(self) -> bool:
        """Whether an arrow function begins here: a name or a list of names, and ``=>``."""
        at = self._at
        tokens = self._tokens
        if tokens[at].kind == "name":
            return tokens[at + 1].value == "=>" and tokens[at + 1].kind == "operator"
        if not self._sees("("):
            return False
        at += 1
        while tokens[at].kind == "name" or (
            tokens[at].kind == "operator" and tokens[at].value == ","
        ):
            at += 1
        closed = tokens[at].kind == "operator" and tokens[at].value == ")"
        return closed and tokens[at + 1].kind == "operator" and tokens[at + 1].value == "=>"

    def _arrow(self) -> Tree:
        start = self._token.start
        parameters = []
        if self._take("("):
            while not self._take(")"):
                token = self._token
                if token.kind != "name":
                    raise self._unexpected(token, "the name of a parameter")
                self._at += 1
                parameters.append(self._parameter(token))
                if not self._sees(")"):
                    self._need(",")
        else:
            parameters.append(self._parameter(self._token))
            self._at += 1
        self._need("=>")
        if self._sees("{"):
            raise ExpressionSyntaxError(
                "the body of an arrow function is an expression",
                self._token.start,
                expected="an object in parentheses: ({…})",
            )
        self._bound += parameters
        body = self._expression()
        del self._bound[len(self._bound) - len(parameters) :]
        return Arrow(tuple(parameters), body, start)

    def _parameter(self, token: Token) -> str:
        name = str(token.value)
        if name in RESERVED_WORDS:
            raise self._unexpected(token, "the name of a parameter")
        return name


def _group(operands: list[Tree], operators: list[Token], level: int) -> Tree:
    """Join operands by precedence: the loosest operators split them first."""
    while operators and not any(token.value in LEVELS[level] for token in operators):
        level += 1
    if not operators:
        return operands[0]
    parts: list[Tree] = []
    split: list[Token] = []
    start = 0
    for at, token in enumerate(operators):
        if token.value in LEVELS[level]:
            parts.append(_group(operands[start : at + 1], operators[start:at], level + 1))
            split.append(token)
            start = at + 1
    parts.append(_group(operands[start:], operators[start:], level + 1))
    rest = tuple(
        (str(token.value), part, token.start) for token, part in zip(split, parts[1:], strict=True)
    )
    return Series(parts[0], rest, parts[0].offset)
