"""Owns the cases of the functions of lists."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

_NOT_A_TEST = Refused("expected an arrow function")

LISTS = {
    "length": Cases(
        [
            ("length([1, 2])", 2),
            ("length('äb')", 2),
            ("length({a: 1})", 1),
            ("length(range(5))", 5),
        ],
        [("length(null)", 0)],
        [("length([])", 0), ("length('')", 0), ("length({})", 0)],
        [("length(5)", Refused("a number has no length"))],
    ),
    "len": Cases(
        [("len('abc')", 3)],
        [("len(null)", 0)],
        [("len('')", 0)],
        [("len(true)", Refused("a boolean has no length"))],
    ),
    "first": Cases(
        [("first([1, 2])", 1), ("first('ab')", "a"), ("first(range(3, 5))", 3)],
        [("first(null)", None)],
        [("first([])", None), ("first('')", None)],
        [("first(5)", 5)],
    ),
    "last": Cases(
        [("last([1, 2])", 2), ("last('ab')", "b")],
        [("last(null)", None)],
        [("last([])", None)],
        [("last(5)", 5)],
    ),
    "slice": Cases(
        [
            ("slice([1, 2, 3, 4], 1, 3)", [2, 3]),
            ("slice([1, 2, 3], -2)", [2, 3]),
            ("slice('abc', 1)", "bc"),
            ("slice(range(5), 3)", [3, 4]),
            ("slice([1, 2])", [1, 2]),
        ],
        [("slice(null, 1)", None), ("slice([1, 2], null, 1)", [1])],
        [("slice([], 0, 2)", []), ("slice('', 1)", "")],
        [("slice([1], 'x')", Refused("the start is text of 1 character")), ("slice(5, 0)", [5])],
    ),
    "flatten": Cases(
        [
            ("flatten([1, [2, [3]]])", [1, 2, [3]]),
            ("flatten([1, [2, [3]]], 2)", [1, 2, 3]),
            ("flatten([[1], [2]], 0)", [[1], [2]]),
        ],
        [("flatten(null)", []), ("flatten([null, [null]])", [None, None])],
        [("flatten([])", []), ("flatten([[], []])", [])],
        [
            ("flatten(5)", [5]),
            ("flatten('ab')", ["ab"]),
            ("flatten([], {})", Refused("the depth is")),
        ],
    ),
    "unique": Cases(
        [
            ("unique([1, 2, 1, 1.0])", [1, 2]),
            ("unique([{a: 1}, {a: 1}, [1], [1]])", [{"a": 1}, [1]]),
            ("unique([1, '1', true])", [1, "1", True]),
            ("unique([{k: 1, v: 1}, {k: 1, v: 2}], 'k')", [{"k": 1, "v": 1}]),
            ("unique([1, 2, 3], x => x % 2)", [1, 2]),
        ],
        [("unique(null)", []), ("unique([null, null])", [None])],
        [("unique([])", [])],
        [("unique(5)", [5]), ("unique([1], 2)", _NOT_A_TEST)],
    ),
    "reverse": Cases(
        [("reverse([1, 2])", [2, 1]), ("reverse('ab')", "ba"), ("reverse(range(3))", [2, 1, 0])],
        [("reverse(null)", [])],
        [("reverse([])", []), ("reverse('')", "")],
        [("reverse(5)", [5])],
    ),
    "contains": Cases(
        [
            ("contains([1, {a: 2}], {a: 2})", True),
            ("contains('abc', 'bc')", True),
            ("contains({a: null}, 'a')", True),
            ("contains([1], '1')", False),
            ("contains(range(10), 9.0)", True),
            ("contains(range(10), 'a')", False),
        ],
        [
            ("contains(null, 1)", False),
            ("contains([null], null)", True),
            ("contains('a', null)", False),
        ],
        [("contains([], 1)", False), ("contains('', '')", True), ("contains({}, '')", False)],
        [("contains(5, 5)", Refused("a number is not a list, text or an object"))],
    ),
    "includes": Cases(
        [("includes([1, 2], 2)", True), ("'abc'.includes('d')", False)],
        [("includes(null, 'a')", False)],
        [("includes([], null)", False)],
        [("includes(true, 't')", Refused("a boolean is not a list, text or an object"))],
    ),
    "index_of": Cases(
        [("index_of([1, [2]], [2])", 1), ("index_of('abc', 'c')", 2), ("index_of([1], 2)", -1)],
        [("index_of(null, 1)", -1), ("index_of([1, null], null)", 1), ("index_of('a', null)", -1)],
        [("index_of([], 1)", -1), ("index_of('', '')", 0)],
        [("index_of(5, 5)", 0)],
    ),
    "sort": Cases(
        [
            ("sort([10, 9, 1])", [1, 9, 10]),
            ("sort(['b', 'a', 'B'])", ["B", "a", "b"]),
            ("sort([3, '10', true, 1.5])", [True, 1.5, 3, "10"]),
            ("sort([1, 2, 3], 'desc')", [3, 2, 1]),
            ("sort([{n: 2}, {n: 1}], 'n')", [{"n": 1}, {"n": 2}]),
            ("sort([{n: 1}, {n: 2}], 'n', 'desc')", [{"n": 2}, {"n": 1}]),
            ("sort(['ccc', 'a', 'bb'], x => x.length)", ["a", "bb", "ccc"]),
            ("sort([1, 3, 2], (a, b) => b - a)", [3, 2, 1]),
            (
                "sort([{k: 1, v: 1}, {k: 0}, {k: 1, v: 2}], 'k', 'desc')",
                [{"k": 1, "v": 1}, {"k": 1, "v": 2}, {"k": 0}],
            ),
        ],
        [
            ("sort(null)", []),
            ("sort([null, 2, 1])", [1, 2, None]),
            ("sort([null, 2, 1], 'desc')", [2, 1, None]),
        ],
        [("sort([])", [])],
        [
            ("sort(5)", [5]),
            ("sort([1], 5)", _NOT_A_TEST),
            ("sort([1], null, 'up')", Refused("expected 'asc' or 'desc'")),
            ("sort([1, 2], (a, b) => 'x')", Refused("what the comparison gives")),
        ],
    ),
    "compact": Cases(
        [("compact([0, 1, null, '', 'a', [], false])", [0, 1, "", "a", [], False])],
        [("compact(null)", []), ("compact([null])", [])],
        [("compact([])", [])],
        [("compact(5)", [5])],
    ),
    "clean": Cases(
        [("clean([0, 1, null, '', 'a', [], false])", [1, "a", []])],
        [("clean(null)", []), ("clean([null])", [])],
        [("clean([])", [])],
        [("clean(5)", [5]), ("clean(0)", [])],
    ),
    "array_concat": Cases(
        [
            ("array_concat([1], [2, 3], [4])", [1, 2, 3, 4]),
            ("array_concat([[1], [2]])", [[1], [2]]),
        ],
        [("array_concat(null, [1], null)", [1]), ("array_concat([null])", [None])],
        [("array_concat()", []), ("array_concat([], [])", [])],
        [("array_concat([1], 2, 'a')", [1, 2, "a"])],
    ),
    "count": Cases(
        [
            ("count([1, 2, 3], x => x > 1)", 2),
            ("count([1, 2])", 2),
            ("count([{a: 1}, {}], 'a')", 1),
        ],
        [("count(null)", 0)],
        [("count([], x => true)", 0)],
        [("count(5)", 1), ("count([1], 5)", _NOT_A_TEST)],
    ),
    "at": Cases(
        [("at([1, 2], -1)", 2), ("at('abc', 1)", "b"), ("at([1], 3)", None)],
        [("at(null, 0)", None), ("at([1], null)", 1)],
        [("at([], 0)", None)],
        [("at(5, 0)", None), ("at([1], 'x')", Refused("the index is"))],
    ),
    "every": Cases(
        [
            ("every([1, 2], x => x > 0)", True),
            ("every([1, 0])", False),
            ("[1].every(x => x == 1)", True),
        ],
        [("every(null, x => false)", True)],
        [("every([], x => false)", True)],
        [("every([1], 5)", _NOT_A_TEST), ("every(0)", False)],
    ),
    "some": Cases(
        [("some([1, 2], x => x > 1)", True), ("some([0, ''])", False)],
        [("some(null, x => true)", False)],
        [("some([], x => true)", False)],
        [("some([1], [])", _NOT_A_TEST)],
    ),
    "find": Cases(
        [
            ("find([1, 2, 3], x => x > 1)", 2),
            ("find([{a: 0}, {a: 1}], 'a')", {"a": 1}),
            ("find([1], x => false)", None),
        ],
        [("find(null, x => true)", None)],
        [("find([], x => true)", None)],
        [("find([1], 5)", _NOT_A_TEST)],
    ),
    "filter": Cases(
        [("filter([1, 2, 3], (x, i) => i > 0)", [2, 3]), ("filter([{a: 1}, {}], 'a')", [{"a": 1}])],
        [("filter(null, x => true)", [])],
        [("filter([], x => true)", [])],
        [("filter([1], {})", _NOT_A_TEST), ("filter(5, x => true)", [5])],
    ),
    "map": Cases(
        [
            ("map([1, 2], x => x * 2)", [2, 4]),
            ("map([{a: 1}], 'a')", [1]),
            ("map([5, 6], (x, i, all) => [i, all.length])", [[0, 2], [1, 2]]),
            ("map([1], () => 7)", [7]),
            ("map([1], (a, b, c, d) => d)", [None]),
        ],
        [("map(null, x => x)", [])],
        [("map([], x => x)", [])],
        [("map([1], 5)", _NOT_A_TEST), ("map(5, x => x + 1)", [6])],
    ),
    "reduce": Cases(
        [
            ("reduce([1, 2, 3], (a, x) => a + x, 0)", 6),
            ("reduce([1, 2, 3], (a, x) => a + x)", 6),
            ("reduce([1], (a, x) => a + x, null ?? 1)", 2),
            ("reduce(['a'], (a, x, i, all) => [a, x, i, all], 0)", [0, "a", 0, ["a"]]),
            ("reduce([1, 2], (a, x) => x, null)", 2),
        ],
        [("reduce(null, (a, x) => a, 5)", 5), ("reduce(null, (a, x) => a)", None)],
        [("reduce([], (a, x) => a, 5)", 5), ("reduce([], (a, x) => a)", None)],
        [
            ("reduce([1], 5, 0)", Refused("expected an arrow function of (acc, item)")),
            ("reduce([1], (a, x) => a, 1, 2)", Refused("more than one initial value")),
        ],
    ),
    "take": Cases(
        [("take([1, 2, 3], 2)", [1, 2]), ("take([1], 5)", [1]), ("take(range(9), 2)", [0, 1])],
        [("take(null, 2)", []), ("take([1, 2], null)", [1])],
        [("take([], 2)", []), ("take([1], 0)", []), ("take([1], -1)", [])],
        [("take([1], 'x')", Refused("the count is text of 1 character"))],
    ),
    "skip": Cases(
        [("skip([1, 2, 3], 2)", [3]), ("skip([1], 5)", [])],
        [("skip(null, 2)", [])],
        [("skip([], 2)", []), ("skip([1], 0)", [1])],
        [("skip([1], {})", Refused("the count is an object"))],
    ),
    "range": Cases(
        [
            ("range(3)", range(3)),
            ("range(1, 4)", range(1, 4)),
            ("range(5, 0, -2)", range(5, 0, -2)),
            ("[...range(2)]", [0, 1]),
        ],
        [("range(null)", range(0)), ("range(2, null)", range(2))],
        [("range(0)", range(0)), ("range(3, 1)", range(3, 1)), ("range()", range(0))],
        [
            ("range('x')", Refused("the end is text of 1 character")),
            ("range(0, 1, 0)", Refused("the step is 0")),
            ("range(0, 1e308 * 10)", Refused("expected a whole number")),
        ],
    ),
    "sum": Cases(
        [("sum([1, 2.5])", 3.5), ("sum(1, 2, '3')", 6)],
        [("sum(null)", 0), ("sum([1, null])", 1)],
        [("sum([])", 0), ("sum()", 0)],
        [("sum(['a'])", Refused("an item is text of 1 character; expected a number"))],
    ),
    "avg": Cases(
        [("avg([1, 2])", 1.5), ("avg(2, 4)", 3)],
        [("avg(null)", None), ("avg([null, 4])", 4)],
        [("avg([])", None), ("avg()", None)],
        [("avg([{}])", Refused("an item is an object"))],
    ),
    "min": Cases(
        [("min([3, 1, 2])", 1), ("min(2, '1')", 1), ("min('b', 'a')", "a")],
        [("min(null)", None), ("min([null, 3])", 3)],
        [("min([])", None), ("min()", None)],
        [("min([{a: 2}, {a: 1}])", Refused("an object has no order"))],
    ),
    "max": Cases(
        [("max([3, 1])", 3), ("max('9', '10')", 10), ("max('b', 'a')", "b")],
        [("max(null)", None), ("max(1, null)", 1)],
        [("max([])", None)],
        [("max([x => x, 1])", Refused("a function has no order"))],
    ),
    "zip": Cases(
        [("zip([1, 2], ['a'])", [[1, "a"], [2, None]]), ("zip([1])", [[1]])],
        [("zip(null, [1])", [[None, 1]])],
        [("zip()", []), ("zip([], [])", [])],
        [("zip(5, [1])", [[5, 1]])],
    ),
    "group_by": Cases(
        [
            (
                "group_by([{k: 'a', v: 1}, {k: 'b'}, {k: 'a', v: 2}], 'k')",
                {"a": [{"k": "a", "v": 1}, {"k": "a", "v": 2}], "b": [{"k": "b"}]},
            ),
            ("group_by([1, 2, 3], x => x % 2 == 0)", {"false": [1, 3], "true": [2]}),
        ],
        [("group_by(null, 'a')", {}), ("group_by([{}], 'a')", {"null": [{}]})],
        [("group_by([], 'a')", {})],
        [("group_by([1], 5)", _NOT_A_TEST)],
    ),
    "chunk": Cases(
        [("chunk([1, 2, 3], 2)", [[1, 2], [3]]), ("chunk(range(3), 5)", [[0, 1, 2]])],
        [("chunk(null, 2)", [])],
        [("chunk([], 2)", [])],
        [("chunk([1], 0)", Refused("at least 1")), ("chunk([1], 'x')", Refused("the size is"))],
    ),
}
