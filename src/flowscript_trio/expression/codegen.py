"""Owns generating code: syntax trees → one Python function, made as ``ast`` nodes and never from text.

What stands in a document reaches the code as constants only. Every local name, temporary and support
function has a name of ours, so that nothing of Python can be named from a document.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from . import slowpath
from .members import NODE_MEMBERS, read_node, read_node_member, static_name
from .operators import BINARY
from .slowpath import LARGE, SHORT
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
    weight_of,
    words_of,
)
from .values import key_text

IsNode = Callable[[str], bool]
Code = ast.expr
Parameters = dict[str, Code]

MAX_TREES = 400
"""Larger expressions are documents of their own, and run as closures: making a function of them takes long."""
MAX_LOOPS = 8
"""Loops inside one another that are written in place: Python allows 20 blocks, a loop takes two."""

_ARITHMETIC: dict[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult()}
_ORDER: dict[str, ast.cmpop] = {"<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE()}
_EQUAL: dict[str, ast.cmpop] = {
    "==": ast.Eq(), "===": ast.Eq(), "!=": ast.NotEq(), "!==": ast.NotEq(),
}  # fmt: skip
_LOOPS = frozenset({"map", "filter", "find", "some", "every", "count", "reduce"})
_BOOLEANS = frozenset({*_ORDER, *_EQUAL, "in"})

SUPPORT: dict[str, Any] = {
    "__builtins__": {},
    "type": type, "int": int, "float": float, "str": str, "dict": dict, "list": list, "len": len,
    "enumerate": enumerate, "missing": slowpath.MISSING, "truthy": slowpath.truthy,
    "member": slowpath.member, "listed": slowpath.listed, "function": slowpath.make_function,
    "key_text": slowpath.key_text, "type_of": slowpath.type_of, "ready": slowpath.ready,
}  # fmt: skip
"""The names of Python's and of ours that generated code uses; there are no others."""


def _name(word: str) -> Code:
    return ast.Name(word, ast.Load())


def _call(function: str, *arguments: Code) -> Code:
    return ast.Call(_name(function), list(arguments), [])


def _is(left: Code, right: Code) -> Code:
    return ast.Compare(left, [ast.Is()], [right])


def _either(*tests: Code) -> Code:
    return ast.BoolOp(ast.Or(), list(tests))


def _all(tests: list[Code]) -> Code:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _less(left: Code, right: Code) -> Code:
    return ast.Compare(left, [ast.Lt()], [right])


def _has_type(kind: Code, *names: str) -> Code:
    tests = [_is(kind, _name(name)) for name in names]
    return tests[0] if len(tests) == 1 else _either(*tests)


def _short(text: Code) -> Code:
    """Whether a text may be handled in place."""
    return _less(_call("len", text), ast.Constant(SHORT))


def _small(number: Code) -> Code:
    """Whether a number may be handled in place."""
    return ast.Compare(ast.Constant(-LARGE), [ast.Lt(), ast.Lt()], [number, ast.Constant(LARGE)])


class TooLarge(Exception):
    """A tree is larger than what is worth a function of its own."""


class Given:
    """What the code of one expression is given: support by name; counts names and trees."""

    __slots__ = ("_count", "_trees", "names")

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(SUPPORT)
        self._count = self._trees = 0

    def number(self) -> int:
        self._count += 1
        return self._count

    def give(self, value: Any) -> str:
        word = f"s{self.number()}"
        self.names[word] = value
        return word

    def count_tree(self) -> None:
        self._trees += 1
        if self._trees > MAX_TREES:
            raise TooLarge


class Writer:
    """Writes the body of one function; what it needs of ours is gathered in ``given``."""

    def __init__(
        self, is_node: IsNode, given: Given, shift: int, names: Parameters | None = None
    ) -> None:
        self._is_node = is_node
        self._given = given
        self._shift = shift  # of the offsets in errors: where the expression stands in its text
        self._names: Parameters = {} if names is None else dict(names)
        self._kept: dict[Any, str] = {}  # what is read from the scope once, in loops
        self._loops = 0
        self._place: Callable[[Any], None] | None = None
        self.block: list[ast.stmt] = []

    # ---- the small words ----

    def _new(self) -> str:
        return f"t{self._given.number()}"

    def _give(self, value: Any) -> str:
        return self._given.give(value)

    def _set(self, target: str, value: Code) -> None:
        self.block.append(ast.Assign([ast.Name(target, ast.Store())], value))

    def _keep(self, value: Code) -> Code:
        target = self._new()
        self._set(target, value)
        return _name(target)

    def _variable(self, value: Code) -> Code:
        """A name for a value: Python warns of what is asked of a constant."""
        return self._keep(value) if isinstance(value, ast.Constant) else value

    def _if(self, test: Code, then: Callable[[], None], other: Callable[[], None] | None) -> None:
        outer = self.block
        yes: list[ast.stmt] = []
        no: list[ast.stmt] = []
        self.block = yes
        then()
        self.block = no
        if other is not None:
            other()
        self.block = outer
        self.block.append(ast.If(test, yes or [ast.Pass()], no))

    def _choose(self, target: str, test: Code, yes: Code, no: Code) -> None:
        self._if(test, lambda: self._set(target, yes), lambda: self._set(target, no))

    # ---- trees ----

    def write(self, tree: Tree) -> Code:
        """Write what gives a tree's value; returns a name or a constant, which may be used often."""
        self._given.count_tree()
        match tree:
            case Constant(value):
                return ast.Constant(value)
            case Name(name, _, local):
                return self._read(name, local)
            case Chain(base, steps):
                return self._chain(base, steps)
            case Call(name, arguments, offset):
                return self._apply(name, name, None, arguments, offset)
            case Series(first, rest):
                return self._series(first, rest)
            case Unary(operator, operand):
                return self._unary(operator, operand)
            case Choice(cases, otherwise):
                return self._cases(list(cases), otherwise, self._new())
            case ListOf(items, offset):
                return self._list(items)
            case ObjectOf(entries):
                return self._object(entries)
            case Arrow(parameters, body):
                return self._arrow(parameters, body)

    def begin_evaluation(self, again: str, place: Callable[[Any], None] | None) -> None:
        """Write what begins an evaluation; where the bounds are narrow, another function is called."""
        self._place = place
        services = _name("services")
        spent, roomy = (ast.Attribute(services, word, ast.Load()) for word in ("spent", "roomy"))
        leave = ast.If(
            ast.UnaryOp(ast.Not(), _call("ready", services)),
            [ast.Return(_call(again, _name("scope")))],
            [],
        )
        self.block.append(ast.If(_either(spent, ast.UnaryOp(ast.Not(), roomy)), [leave], []))

    def write_text(self, tree: Tree, shift: int) -> Code:
        """Write what gives a tree's value as text; the tree stands at ``shift`` in its template."""
        self._shift = shift
        value = self._variable(self.write(tree))
        place = self._give(slowpath.make_text(tree.offset + shift, self._place))
        target = self._new()
        kind = self._keep(_call("type", value))
        text = [_has_type(kind, "str"), _short(value)]

        def other() -> None:
            number = _all([_has_type(kind, "int"), _small(value)])
            self._choose(target, number, value, _call(place, value, _name("services")))

        self._if(_all(text), lambda: self._set(target, value), other)
        return _name(target)

    def write_words(
        self, parts: Iterable[str | tuple[Tree, int]], kinds: Sequence[type], otherwise: str
    ) -> Code:
        """Write what returns the parts of these kinds, joined; gives what stands for it otherwise.

        Each hole is read inside the test of the one before it, so that errors come in their order.
        """
        rest = iter(kinds)
        words: list[ast.expr] = []
        outer = self.block
        for part in parts:
            if isinstance(part, str):
                words.append(ast.Constant(part))
                continue
            tree, self._shift = part
            value = self._variable(self.write(tree))
            words.append(ast.FormattedValue(value, -1, None))
            kind = next(rest)
            within = _short(value) if kind is str else _small(value)
            then: list[ast.stmt] = []
            test = _all([_has_type(_call("type", value), kind.__name__), within])
            self.block.append(ast.If(test, then, []))
            self.block = then
        self.block.append(ast.Return(ast.JoinedStr(words)))
        self.block = outer
        return _call(otherwise, _name("scope"))

    def _read(self, name: str, local: bool) -> Code:
        if name in self._names and (local or not self._is_node(name)):
            return self._names[name]
        if self._is_node(name):
            return self._outside(("node", name), _call(self._give(read_node(name)), _name("scope")))
        return self._outside(name, _call("value", ast.Constant(name)))

    def _outside(self, key: Any, read: Code) -> Code:
        """A value of the scope; in a loop it is read at its first use, as a scope does not change."""
        if not self._loops:
            return self._keep(read)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._new()
        self._if(_is(_name(kept), _name("missing")), lambda: self._set(kept, read), None)
        return _name(kept)

    # ---- members ----

    def _chain(self, base: Tree, steps: tuple[Member | Item | Method, ...]) -> Code:
        first = static_name(steps[0])
        if (
            isinstance(base, Name)
            and not base.local
            and self._is_node(base.name)
            and first in NODE_MEMBERS
        ):
            reader = self._give(read_node_member(base.name, first))
            value = self._outside(("node", base.name, first), _call(reader, _name("scope")))
            steps = steps[1:]
        else:
            value = self.write(base)
        for step in steps:
            value = self._step(value, step)
        return value

    def _step(self, value: Code, step: Member | Item | Method) -> Code:
        if isinstance(step, Method):
            return self._apply(
                slowpath.METHODS[step.name], step.name, value, step.arguments, step.offset
            )
        value = self._variable(value)
        target = self._new()
        name = static_name(step)
        if name is not None:
            key: Code = ast.Constant(name)
            found = ast.IfExp(
                ast.Compare(key, [ast.In()], [value]),
                ast.Subscript(value, key, ast.Load()),
                ast.Constant(None),
            )
            plain = _has_type(_call("type", value), "dict")
            self._choose(target, plain, found, _call("member", value, key))
            return _name(target)
        assert isinstance(step, Item)
        key = self.write(step.key)
        self._set(target, _call("member", value, key))
        return _name(target)

    # ---- operators ----

    def _series(self, first: Tree, rest: tuple[tuple[str, Tree, int], ...]) -> Code:
        if rest[0][0] in ("&&", "||", "??"):
            return self._short_circuit(first, rest)
        left: Tree | None = first
        value = self.write(first)
        for operator, tree, offset in rest:
            if operator == "in" and isinstance(tree, ListOf) and self._is_words(tree):
                value = self._in_words(value, left, tree, offset)
            else:
                value = self._binary(operator, value, self.write(tree), left, tree, offset)
            left = None
        return value

    def _binary(
        self, operator: str, a: Code, b: Code, left: Tree | None, right: Tree, offset: int
    ) -> Code:
        place = slowpath.Operands(left, right, offset)
        slow = self._give(slowpath.make_binary(BINARY[operator], place, self._shift))
        careful = _call(slow, a, b, _name("services"))
        target = self._new()
        kinds = self._kinds(a, b)
        if operator in _ARITHMETIC and self._may_be(kinds, (int, float)):
            self._arithmetic(target, operator, a, b, kinds, careful)
        elif operator in _ORDER and self._may_be(kinds, (int, float)):
            test = _all(self._tests(kinds, "int", "float") or [ast.Constant(True)])
            self._choose(target, test, ast.Compare(a, [_ORDER[operator]], [b]), careful)
        elif operator in _EQUAL and self._may_be(kinds, (int, float)):
            test = _all(self._tests(kinds, "int", "float") or [ast.Constant(True)])
            quick: Code = ast.Compare(a, [_EQUAL[operator]], [b])
            self._if(
                test,
                lambda: self._set(target, quick),
                lambda: self._text(target, a, b, kinds, quick, careful),
            )
        elif operator in _EQUAL or operator == "+":
            quick = (
                ast.BinOp(a, ast.Add(), b)
                if operator == "+"
                else ast.Compare(a, [_EQUAL[operator]], [b])
            )
            self._text(target, a, b, kinds, quick, careful)
        else:
            if operator in ("/", "%"):
                self._quotient(target, operator, a, b, kinds, careful)
            else:
                self._set(target, careful)
        return _name(target)

    def _kinds(self, *operands: Code) -> list[Any]:
        """Of each operand the type, where it is a constant, or the name that holds its type."""
        return [
            type(operand.value)
            if isinstance(operand, ast.Constant)
            else self._keep(_call("type", operand))
            for operand in operands
        ]

    def _may_be(self, kinds: list[Any], types: tuple[type, ...]) -> bool:
        return all(kind in types for kind in kinds if isinstance(kind, type))

    def _tests(self, kinds: list[Any], *names: str) -> list[Code]:
        return [_has_type(kind, *names) for kind in kinds if not isinstance(kind, type)]

    def _arithmetic(
        self, target: str, operator: str, a: Code, b: Code, kinds: list[Any], careful: Code
    ) -> None:
        def quick() -> None:
            self._set(target, ast.BinOp(a, _ARITHMETIC[operator], b))
            within = _small(_name(target))
            self._if(
                ast.UnaryOp(ast.Not(), within), lambda: self._set(target, careful), None
            )  # NaN, too

        def other() -> None:
            if operator == "+":
                self._text(target, a, b, kinds, ast.BinOp(a, ast.Add(), b), careful)
            else:
                self._set(target, careful)

        self._if(_all(self._tests(kinds, "int", "float") or [ast.Constant(True)]), quick, other)

    def _text(
        self, target: str, a: Code, b: Code, kinds: list[Any], quick: Code, careful: Code
    ) -> None:
        """Short texts in place; the others where their length is counted."""
        if not self._may_be(kinds, (str,)):
            self._set(target, careful)
            return
        short = [
            _less(_call("len", operand), ast.Constant(SHORT))
            for operand, kind in zip((a, b), kinds, strict=True)
            if not isinstance(kind, type)
        ]
        constants = [o.value for o in (a, b) if isinstance(o, ast.Constant)]
        if not short or any(len(str(value)) >= SHORT for value in constants):
            self._set(target, careful)
            return
        self._choose(target, _all([*self._tests(kinds, "str"), *short]), quick, careful)

    def _quotient(
        self, target: str, operator: str, a: Code, b: Code, kinds: list[Any], careful: Code
    ) -> None:
        if not self._may_be(kinds, (float,) if operator == "/" else (int,)):
            self._set(target, careful)
            return
        zero = ast.Constant(0)
        if operator == "/":
            tests = [*self._tests(kinds, "float"), ast.Compare(b, [ast.NotEq()], [zero])]
            quick = ast.BinOp(a, ast.Div(), b)
        else:
            large = ast.Constant(LARGE)
            tests = [
                *self._tests(kinds, "int"),
                ast.Compare(zero, [ast.LtE(), ast.Lt()], [a, large]),
            ]
            tests.append(ast.Compare(zero, [ast.Lt(), ast.Lt()], [b, large]))
            quick = ast.BinOp(a, ast.Mod(), b)
        self._choose(target, _all(tests), quick, careful)

    @staticmethod
    def _is_words(tree: ListOf) -> bool:
        return bool(tree.items) and all(
            not spread and isinstance(item, Constant) and type(item.value) is str
            for spread, item in tree.items
        )

    def _in_words(self, value: Code, left: Tree | None, tree: ListOf, offset: int) -> Code:
        """``x in ['a', 'b']``: a look into a set, where the left one is a text."""
        words = [item.value for _, item in tree.items if isinstance(item, Constant)]
        value = self._variable(value)
        known = self._give(frozenset(words))
        slow = self._give(
            slowpath.make_binary(BINARY["in"], slowpath.Operands(left, tree, offset), self._shift)
        )
        target = self._new()
        self._choose(
            target,
            _has_type(_call("type", value), "str"),
            ast.Compare(value, [ast.In()], [_name(known)]),
            _call(slow, value, _name(self._give(words)), _name("services")),
        )
        return _name(target)

    def _short_circuit(self, first: Tree, rest: tuple[tuple[str, Tree, int], ...]) -> Code:
        target = self._new()
        self._set(target, self.write(first))
        before = first
        for operator, tree, _ in rest:
            value = _name(target)
            if operator == "??":
                go_on = _is(value, ast.Constant(None))
            else:
                go_on = self._truth(value, before)
                if operator == "||":
                    go_on = ast.UnaryOp(ast.Not(), go_on)

            def other(tree: Tree = tree) -> None:
                self._set(target, self.write(tree))

            self._if(go_on, other, None)
            before = tree if _is_boolean(before) else before
        return _name(target)

    def _truth(self, value: Code, tree: Tree) -> Code:
        if _is_boolean(tree):
            return value
        value = self._variable(value)
        true = _is(value, ast.Constant(True))
        false = ast.Compare(value, [ast.IsNot()], [ast.Constant(False)])
        return _either(true, _all([false, _call("truthy", value)]))

    def _unary(self, operator: str, operand: Tree) -> Code:
        value = self._variable(self.write(operand))
        if operator == "!":
            return self._keep(ast.UnaryOp(ast.Not(), self._truth(value, operand)))
        if operator == "typeof":
            return self._keep(_call("type_of", value))
        words = words_of(operand)
        slow = self._give(slowpath.make_unary(operator, words, operand.offset + self._shift))
        target = self._new()
        sign: ast.unaryop = ast.USub() if operator == "-" else ast.UAdd()
        plain = _has_type(_call("type", value), "int", "float")
        self._choose(target, plain, ast.UnaryOp(sign, value), _call(slow, value))
        return _name(target)

    def _cases(self, cases: list[tuple[Tree, Tree]], otherwise: Tree, target: str) -> Code:
        if not cases:
            self._set(target, self.write(otherwise))
            return _name(target)
        when, then = cases[0]
        test = self._truth(self.write(when), when)
        self._if(
            test,
            lambda: self._set(target, self.write(then)),
            lambda: void(self._cases(cases[1:], otherwise, target)),
        )
        return _name(target)

    # ---- lists and objects ----

    def _list(self, items: tuple[tuple[bool, Tree], ...]) -> Code:
        if not any(spread for spread, _ in items):
            return self._keep(ast.List([self.write(tree) for _, tree in items], ast.Load()))
        made = self._keep(ast.List([], ast.Load()))
        for spread, tree in items:
            if spread:
                slow = self._give(slowpath.make_spread_list(tree.offset + self._shift))
                self._set(self._new(), _call(slow, made, self.write(tree), _name("services")))
            else:
                self._append(made, self.write(tree))
        done = self._give(slowpath.check_made)
        return self._keep(_call(done, made, _name("services")))

    def _append(self, made: Code, value: Code) -> None:
        append = ast.Attribute(made, "append", ast.Load())
        self.block.append(ast.Expr(ast.Call(append, [value], [])))

    def _object(self, entries: tuple[tuple[Tree | None, Tree], ...]) -> Code:
        target = self._new()
        made = _name(target)
        begun = False
        pending: list[tuple[Code, Code]] = []

        def flush() -> None:
            nonlocal begun
            if not begun:
                keys: list[ast.expr | None] = [key for key, _ in pending]
                self._set(target, ast.Dict(keys, [value for _, value in pending]))
                begun = True
            else:
                for key, value in pending:
                    place = ast.Subscript(made, key, ast.Store())
                    self.block.append(ast.Assign([place], value))
            pending.clear()

        for key, tree in entries:
            if key is not None:
                pending.append((self._key(key), self.write(tree)))
                continue
            if begun or pending:
                flush()
            value = self._variable(self.write(tree))
            slow = self._give(slowpath.make_spread_object(tree.offset + self._shift))
            if begun:
                self._set(self._new(), _call(slow, made, value, _name("services")))
                continue
            begun = True
            small = [
                _has_type(_call("type", value), "dict"),
                _less(_call("len", value), ast.Constant(SHORT)),
            ]
            careful = _call(slow, ast.Dict([], []), value, _name("services"))
            self._choose(target, _all(small), ast.Dict([None], [value]), careful)
        if pending or not begun:
            flush()
        return made

    def _key(self, tree: Tree) -> Code:
        if isinstance(tree, Constant):
            return ast.Constant(key_text(tree.value))
        return self._keep(_call("key_text", self.write(tree)))

    # ---- calls ----

    def _apply(
        self,
        function: str,
        word: str,
        value: Code | None,
        arguments: tuple[tuple[bool, Tree], ...],
        offset: int,
    ) -> Code:
        offset += self._shift
        own = 0 if value is None else 1
        if not any(spread for spread, _ in arguments):
            arrow_at = 1 - own
            count = 3 if function == "reduce" else 2
            if (
                function in _LOOPS
                and len(arguments) + own == count
                and isinstance(arguments[arrow_at][1], Arrow)
                and self._loops < MAX_LOOPS
            ):
                return self._loop(function, word, value, [tree for _, tree in arguments], offset)
            given = [self.write(tree) for _, tree in arguments]
            if value is not None:
                given.insert(0, value)
            packed: Code = ast.List(list(given), ast.Load())
        else:
            given = []
            packed = self._list(arguments)
            if value is not None:
                packed = ast.List([value, ast.Starred(packed, ast.Load())], ast.Load())
        slow = self._give(slowpath.make_invoke(function, word, offset))
        careful = _call(slow, _name("services"), packed)
        quick = slowpath.QUICK.get(function)
        target = self._new()
        if quick is None or len(given) != quick.arguments or isinstance(given[0], ast.Constant):
            self._set(target, careful)
            return _name(target)
        tests: list[Code] = [_has_type(_call("type", given[0]), *quick.types)]
        if "str" in quick.types and quick.reads:
            tests.append(_less(_call("len", given[0]), ast.Constant(SHORT)))
        if quick.arguments == 2:
            second = given[1]
            if not (isinstance(second, ast.Constant) and quick.accepts(second.value)):
                self._set(target, careful)
                return _name(target)
        self._choose(target, _all(tests), _call(self._give(quick.function), *given), careful)
        return _name(target)

    def _loop(
        self, function: str, word: str, value: Code | None, trees: list[Tree], offset: int
    ) -> Code:
        """An arrow function over a list: its body in place, items in runs that are counted as such."""
        if value is None:
            value = self.write(trees.pop(0))
        arrow = trees[0]
        assert isinstance(arrow, Arrow)
        items = self._keep(_call("listed", value))
        start: dict[str, Code] = {
            "map": ast.List([], ast.Load()),
            "filter": ast.List([], ast.Load()),
            "find": ast.Constant(None),
            "some": ast.Constant(False),
            "every": ast.Constant(True),
            "count": ast.Constant(0),
        }
        made = self._new()
        self._set(made, self.write(trees[1]) if function == "reduce" else start[function])
        item, index, at, part = self._new(), self._new(), self._new(), self._new()
        roles = [_name(item), _name(index), items]
        if function == "reduce":
            roles.insert(0, _name(made))
        outer = self._names
        self._names = dict(outer)
        counted = False
        for place, parameter in enumerate(arrow.parameters):
            role = roles[place] if place < len(roles) else ast.Constant(None)
            counted = counted or role is roles[-2]
            self._names[parameter] = role
        surroundings, self.block = self.block, []
        self._loops += 1
        result = self.write(arrow.body)
        ends = self._gather(function, made, _name(item), result, arrow.body)
        self._loops -= 1
        body, self.block = self.block, surroundings
        self._names = outer
        target: ast.expr = ast.Name(item, ast.Store())
        walked: Code = _name(part)
        if counted:
            target = ast.Tuple([ast.Name(index, ast.Store()), target], ast.Store())
            walked = _call("enumerate", walked, _name(at))
        leave: list[ast.stmt] = [ast.Continue()] if ends else []
        inner: list[ast.stmt] = [ast.For(target, walked, body, leave)]
        if ends:
            inner.append(ast.Break())
        runs = self._give(slowpath.make_runs(word, offset, weight_of(arrow.body)))
        pair = ast.Tuple([ast.Name(at, ast.Store()), ast.Name(part, ast.Store())], ast.Store())
        self.block.append(ast.For(pair, _call(runs, items, _name("services")), inner, []))
        if function in ("map", "filter", "reduce"):
            done = self._give(slowpath.make_check(word, offset))
            self._set(made, _call(done, _name(made), _name("services")))
        return _name(made)

    def _gather(self, function: str, made: str, item: Code, result: Code, body: Tree) -> bool:
        """What becomes of the value of one item; whether the loop may end early."""
        if function == "map":
            self._append(_name(made), result)
            return False
        if function == "reduce":
            self._set(made, result)
            return False
        test = self._truth(result, body)

        def found() -> None:
            if function == "filter":
                self._append(_name(made), item)
            elif function == "count":
                self._set(made, ast.BinOp(_name(made), ast.Add(), ast.Constant(1)))
            else:
                ends: dict[str, Code] = {
                    "find": item,
                    "some": ast.Constant(True),
                    "every": ast.Constant(False),
                }
                self._set(made, ends[function])
                self.block.append(ast.Break())

        if function == "every":
            test = ast.UnaryOp(ast.Not(), test)
        self._if(test, found, None)
        return function in ("find", "some", "every")

    def _arrow(self, parameters: tuple[str, ...], body: Tree) -> Code:
        """An arrow function as a value: a function inside; it keeps the names around it as they are."""
        word = f"f{self._given.number()}"
        # a variable of a loop goes on to change: the function takes its value along as a default
        taken = sorted({code.id for code in self._names.values() if isinstance(code, ast.Name)})
        names = dict(self._names)
        mine = [self._new() for _ in parameters]
        for parameter, variable in zip(parameters, mine, strict=True):
            names[parameter] = _name(variable)
        inside = Writer(self._is_node, self._given, self._shift, names)
        result = inside.write(body)
        statements = [*inside.prologue(), *inside.block, ast.Return(result)]
        shared = ["scope", "services", "value", *taken]
        self.block.append(_define(word, [*mine, *shared], statements, [_name(n) for n in shared]))
        arity, weight = ast.Constant(len(parameters)), ast.Constant(weight_of(body))
        return self._keep(_call("function", arity, weight, _name(word), _name("services")))

    def write_run(self, tree: Tree, way: Way) -> Code:
        """Write what goes over a part of a list until an item spends; gives what it comes to."""
        outer, self.block = self.block, []
        self._loops += 1
        made = "acc" if way == "reduce" else "made"
        self._gather(way, made, _name("item"), self.write(tree), tree)
        self._loops -= 1
        spent = ast.Attribute(_name("services"), "spent", ast.Load())
        body = [*self.block, ast.If(spent, [ast.Break()], [])]
        self.block = outer
        pair: list[ast.expr] = [ast.Name(word, ast.Store()) for word in ("index", "item")]
        walked = _call("enumerate", _name("part"), _name("index"))
        self.block.append(ast.For(ast.Tuple(pair, ast.Store()), walked, body, []))
        index = _name("index")
        return ast.Tuple([index, _name("acc")], ast.Load()) if way == "reduce" else index

    def prologue(self) -> Iterable[ast.stmt]:
        """What stands before the body: names that are read at their first use."""
        for kept in self._kept.values():
            yield ast.Assign([ast.Name(kept, ast.Store())], _name("missing"))


def void(_: object) -> None:
    """Nothing of a value that was written where it goes already."""


def is_plain(tree: Tree) -> bool:
    """Whether a tree's value is neither a function nor marked as JSON, whatever its parts are."""
    match tree:
        case Constant() | ListOf() | ObjectOf() | Unary():
            return True
        case Series(first, rest):
            if rest[0][0] in ("&&", "||", "??"):
                return is_plain(first) and all(is_plain(part) for _, part, _ in rest)
            return True
        case Choice(cases, otherwise):
            return is_plain(otherwise) and all(is_plain(then) for _, then in cases)
        case _:
            return False


def _is_boolean(tree: Tree) -> bool:
    """Whether a tree's value is a boolean whatever its parts are."""
    if isinstance(tree, Series):
        return all(operator in _BOOLEANS for operator, _, _ in tree.rest)
    return isinstance(tree, Unary) and tree.operator == "!"


def _define(
    name: str, parameters: list[str], body: list[ast.stmt], defaults: list[Code]
) -> ast.FunctionDef:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(word) for word in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=defaults,
    )
    made = ast.FunctionDef(name=name, args=arguments, body=body, decorator_list=[])
    setattr(made, "type_params", [])  # noqa: B010 - of Python 3.12 and later
    return made


def _begin(writer: Writer) -> list[ast.stmt]:
    scope = _name("scope")
    return [
        ast.Assign([ast.Name(word, ast.Store())], ast.Attribute(scope, word, ast.Load()))
        for word in ("services", "value")
    ] + list(writer.prologue())


def _finish(writer: Writer, given: Given, result: Code, extra: list[str]) -> Any:
    body = [*_begin(writer), *writer.block, ast.Return(result)]
    module = ast.Module([_define("run", ["scope", *extra], body, [])], [])
    code = compile(ast.fix_missing_locations(module), "<flowscript>", "exec")
    exec(code, given.names)
    return given.names["run"]


def module_of(tree: Tree, is_node: IsNode) -> ast.Module:
    """The code of a tree as it is compiled, for those who look at it."""
    writer = Writer(is_node, Given(), 0)
    result = writer.write(tree)
    body = [*_begin(writer), *writer.block, ast.Return(result)]
    return ast.fix_missing_locations(ast.Module([_define("run", ["scope"], body, [])], []))


def generate(tree: Tree, is_node: IsNode) -> Callable[..., Any] | None:
    """The function of a tree over a scope; None for a tree too large or deep for one."""
    given = Given()
    writer = Writer(is_node, given, 0)
    try:
        return _finish(writer, given, writer.write(tree), [])  # type: ignore[no-any-return]
    except (RecursionError, TooLarge):
        return None


ITEM_NAMES = ("item", "index", "items", "acc")


def generate_item(tree: Tree, is_node: IsNode, fold: bool) -> Any:
    """As :func:`generate`, with what a list transform binds as arguments: item, index, items, acc."""
    given = Given()
    writer = Writer(is_node, given, 0, _bound_of_item(fold))
    try:
        return _finish(writer, given, writer.write(tree), list(ITEM_NAMES[: 4 if fold else 3]))
    except (RecursionError, TooLarge):
        return None


Way = Literal["map", "filter", "reduce"]


def generate_run(tree: Tree, is_node: IsNode, way: Way) -> Any:
    """The function of a run of items of a list transform: (scope, part, index, items, made).

    ``part`` are the items from ``index`` on. It appends to ``made`` what becomes of each, up to the first
    that spends anything, and returns the index of the last; for ``reduce``, ``made`` is the accumulator and
    it returns both. None for a tree too large, or whose value may be a function or marked as JSON.
    """
    fold = way == "reduce"
    bound = _bound_of_item(fold)
    if isinstance(tree, Arrow):
        roles = [bound[name] for name in (("acc",) if fold else ()) + ("item", "index", "$items")]
        roles += [ast.Constant(None)] * len(tree.parameters)
        bound |= dict(zip(tree.parameters, roles, strict=False))
        tree = tree.body
    if not is_plain(tree):
        return None
    given = Given()
    writer = Writer(is_node, given, 0, bound)
    try:
        result = writer.write_run(tree, way)
        made = "acc" if fold else "made"
        return _finish(writer, given, result, ["part", "index", "items", made])
    except (RecursionError, TooLarge):
        return None


def _bound_of_item(fold: bool) -> Parameters:
    """What the names of a list transform are in its code."""
    item, index, items, acc = map(_name, ITEM_NAMES)
    count = _call("len", items)
    last = ast.Compare(index, [ast.Eq()], [ast.BinOp(count, ast.Sub(), ast.Constant(1))])
    bound: Parameters = {
        "item": item,
        "$item": item,
        "index": index,
        "$index": index,
        "$items": items,
        "$first": ast.Compare(index, [ast.Eq()], [ast.Constant(0)]),
        "$last": last,
    }
    if fold:
        bound["acc"] = bound["$acc"] = acc
    return bound


def generate_text(
    parts: Iterable[str | tuple[Tree, int]],
    is_node: IsNode,
    again: Callable[[Any], str] | None = None,
    place: Callable[[Any], None] | None = None,
) -> Callable[[Any], str] | None:
    """The function of a template that makes a text: its holes are trees with their offsets.

    With ``again`` it stands alone: it begins an evaluation by itself, calls ``again`` where the bounds are
    narrow, and ``place`` gives errors their place.
    """
    given = Given()
    writer = Writer(is_node, given, 0)
    if again is not None:
        writer.begin_evaluation(given.give(again), place)
    try:
        words: list[ast.expr] = []
        for part in parts:
            if isinstance(part, str):
                words.append(ast.Constant(part))
                continue
            words.append(ast.FormattedValue(writer.write_text(*part), -1, None))
        return _finish(writer, given, ast.JoinedStr(words), [])  # type: ignore[no-any-return]
    except (RecursionError, TooLarge):
        return None


def generate_words(
    parts: Iterable[str | tuple[Tree, int]],
    is_node: IsNode,
    kinds: Sequence[type],
    again: Callable[[Any], str],
) -> Callable[[Any], str] | None:
    """As :func:`generate_text` alone, for holes of these kinds (texts and integers).

    ``again`` is called where a hole is of another kind, long or large, or the bounds are narrow.
    """
    given = Given()
    writer = Writer(is_node, given, 0)
    otherwise = given.give(again)
    writer.begin_evaluation(otherwise, None)
    try:
        result = writer.write_words(parts, kinds, otherwise)
        return _finish(writer, given, result, [])  # type: ignore[no-any-return]
    except (RecursionError, TooLarge):
        return None
