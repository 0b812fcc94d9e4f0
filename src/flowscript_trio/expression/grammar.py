"""Owns the grammar: tokens → syntax tree, by recursive descent with a bound on nesting."""

from __future__ import annotations

from collections.abc import Collection

from .cursor import Cursor
from .errors import ExpressionSyntaxError
from .lexer import MAX_NESTING, RESERVED_WORDS, Token, tokenize, too_deep
from .precedence import OPERATORS, group
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
    Tree,
    Unary,
)

MAX_STEPS = 100
MOST_PARAMETERS = 64  # of an arrow function: each name is looked for among them
"""How many members, items and methods may follow one another."""

_LITERALS = {"true": True, "false": False, "null": None, "undefined": None}
_UNARY = frozenset({"!", "-", "+", "typeof"})
_NAMESPACES = {("JSON", "parse"): "json_decode", ("JSON", "stringify"): "json_encode"}


def read_tree(text: str, names: Collection[str] = frozenset()) -> Tree:
    """The tree of an expression; raises ExpressionSyntaxError with the offset."""
    return _Grammar(text, tokenize(text, names)).read()


class _Grammar(Cursor):
    def __init__(self, text: str, tokens: list[Token]) -> None:
        super().__init__(text, tokens)
        self._depth = 0
        self._bound: list[str] = []

    def read(self) -> Tree:
        tree = self._expression()
        token = self._token
        if token.kind != "end":
            raise self._unexpected(token, "an operator or the end")
        return tree

    # ---- expressions ----

    def _expression(self) -> Tree:
        self._deepen()
        tree = self._arrow() if self._is_arrow() else self._choice()
        self._depth -= 1
        return tree

    def _deepen(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise too_deep(self._token.start)

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
        while self._token.kind == "operator" and self._token.value in OPERATORS:
            operators.append(self._token)
            self._at += 1
            operands.append(self._unary())
        return group(operands, operators)

    def _unary(self) -> Tree:
        operators = []
        while self._token.kind == "operator" and self._token.value in _UNARY:
            operators.append(self._token)
            self._deepen()
            self._at += 1
        tree = self._postfix()
        for token in reversed(operators):
            tree = Unary(str(token.value), tree, token.start)
        self._depth -= len(operators)
        return tree

    def _postfix(self) -> Tree:
        start = self._token.start
        base = self._primary()
        steps: list[Member | Item | Method] = []
        while (step := self._step()) is not None:
            if len(steps) == MAX_STEPS:
                raise ExpressionSyntaxError(f"more than {MAX_STEPS} members in a row", step.offset)
            steps.append(step)
        if not steps:
            return base
        first = steps[0]
        if isinstance(base, Name) and isinstance(first, Method) and not base.local:
            function = _NAMESPACES.get((base.name, first.name))
            if function is not None:
                base = self._namespaced(function, base, first)
                steps = steps[1:]
        return Chain(base, tuple(steps), start) if steps else base

    def _step(self) -> Member | Item | Method | None:
        """The member, item or method that follows a value, or None."""
        optional = self._sees("?.")
        if optional or self._sees("."):
            self._at += 1
            if not (optional and self._sees("[")):
                return self._member()
        if self._sees("["):
            offset = self._token.start
            self._at += 1
            key = self._expression()
            self._need("]")
            return Item(key, offset)
        if self._sees("("):
            raise ExpressionSyntaxError(
                "only functions and methods that have a name can be called", self._token.start
            )
        return None

    def _member(self) -> Member | Method:
        token = self._token
        if token.kind != "name":
            raise self._unexpected(token, "the name of a member")
        self._at += 1
        name = str(token.value)
        if self._sees("("):
            return Method(name, self._arguments(), token.start)
        return Member(name, token.start)

    def _namespaced(self, function: str, base: Name, method: Method) -> Tree:
        """``JSON.parse`` and ``JSON.stringify`` as the functions that they are."""
        arguments = method.arguments
        if function == "json_encode" and len(arguments) > 1:
            replacer = arguments[1][1]
            if not (isinstance(replacer, Constant) and replacer.value is None):
                raise ExpressionSyntaxError(
                    "JSON.stringify takes no replacer here", replacer.offset, expected="null"
                )
            arguments = (arguments[0], *arguments[2:])
        return Call(function, arguments, base.offset)

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
        parameters: list[str] = []
        if self._take("("):
            while not self._take(")"):
                token = self._token
                if token.kind != "name":
                    raise self._unexpected(token, "the name of a parameter")
                self._at += 1
                if token.value in parameters:
                    raise ExpressionSyntaxError(
                        f"two parameters are called {token.value!r}",
                        token.start,
                        len(str(token.value)),
                    )
                if len(parameters) == MOST_PARAMETERS:
                    raise ExpressionSyntaxError(
                        f"an arrow function has at most {MOST_PARAMETERS} parameters", token.start
                    )
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
