"""Owns the cases of the functions of objects."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

_NO_OBJECT = Refused("expected an object, not a number")

OBJECTS = {
    "keys": Cases(
        [("keys({a: 1, b: 2})", ["a", "b"]), ("keys([5, 6])", ["0", "1"])],
        [("keys(null)", [])],
        [("keys({})", [])],
        [("keys(5)", _NO_OBJECT)],
    ),
    "values": Cases(
        [("values({a: 1, b: 2})", [1, 2]), ("values([5])", [5])],
        [("values(null)", [])],
        [("values({})", [])],
        [("values(5)", _NO_OBJECT)],
    ),
    "entries": Cases(
        [("entries({a: 1})", [["a", 1]]), ("entries(['x'])", [["0", "x"]])],
        [("entries(null)", [])],
        [("entries({})", [])],
        [("entries(5)", _NO_OBJECT)],
    ),
    "from_entries": Cases(
        [("from_entries([['a', 1], [2, 3]])", {"a": 1, "2": 3})],
        [("from_entries(null)", {})],
        [("from_entries([])", {})],
        [
            ("from_entries([1])", Refused("item 0 is a number")),
            ("from_entries(5)", Refused("not a number")),
        ],
    ),
    "get": Cases(
        [
            ("get({a: [{b: 1}]}, 'a[0].b')", 1),
            ("get({'a.b': 2}, 'a.b')", 2),
            ("get({a: 1}, 'b', 9)", 9),
            ("get([7], 0)", 7),
            ("get({a: {b: 3}}, ['a', 'b'])", 3),
        ],
        [("get(null, 'a')", None), ("get(null, 'a', 1)", 1)],
        [("get({}, 'a')", None), ("get({a: 1}, '')", {"a": 1})],
        [("get(5, 'a')", None)],
    ),
    "has": Cases(
        [
            ("has({a: null}, 'a')", True),
            ("has({a: {b: 1}}, 'a.b')", True),
            ("has([5], 0)", True),
            ("has([5], 1)", False),
        ],
        [("has(null, 'a')", False)],
        [("has({}, 'a')", False), ("has({a: 1}, '')", False)],
        [("has(5, 'a')", False), ("has([5], '²')", False)],
    ),
    "merge": Cases(
        [
            ("merge({a: 1, b: 1}, {b: 2})", {"a": 1, "b": 2}),
            ("merge({a: {x: 1}}, {a: {y: 2}})", {"a": {"y": 2}}),
        ],
        [("merge(null, {a: 1})", {"a": 1})],
        [("merge()", {}), ("merge({}, {})", {})],
        [("merge({a: 1}, 5)", _NO_OBJECT)],
    ),
    "pick": Cases(
        [
            ("pick({a: 1, b: 2}, 'b')", {"b": 2}),
            ("pick({a: 1, b: 2, c: 3}, ['a', 'c'])", {"a": 1, "c": 3}),
        ],
        [("pick(null, 'a')", {})],
        [("pick({}, 'a')", {}), ("pick({a: 1})", {})],
        [("pick(5, 'a')", _NO_OBJECT)],
    ),
    "omit": Cases(
        [("omit({a: 1, b: 2}, 'b')", {"a": 1}), ("omit({a: 1, b: 2, c: 3}, 'a', ['c'])", {"b": 2})],
        [("omit(null, 'a')", {})],
        [("omit({}, 'a')", {})],
        [("omit(5, 'a')", _NO_OBJECT)],
    ),
    "size": Cases(
        [("size({a: 1})", 1), ("size([1, 2])", 2), ("size('abc')", 3)],
        [("size(null)", 0)],
        [("size({})", 0)],
        [("size(5)", Refused("a number has no length"))],
    ),
    "set": Cases(
        [
            ("set({a: 1}, 'b', 2)", {"a": 1, "b": 2}),
            ("set({a: {b: 1}}, 'a.b', 2)", {"a": {"b": 2}}),
            ("set([1, 2], 1, 9)", [1, 9]),
            ("set([1], 1, 2)", [1, 2]),
            ("set({'a.b': 1}, 'a.b', 2)", {"a.b": 2}),
        ],
        [("set(null, 'a.b', 1)", {"a": {"b": 1}}), ("set({a: 1}, 'a', null)", {"a": None})],
        [("set({}, 'a', 1)", {"a": 1}), ("set({}, '', 1)", Refused("the path is empty"))],
        [
            ("set(5, 'a', 1)", _NO_OBJECT),
            ("set([1], 5, 1)", Refused("a list of 1 has no place 5")),
        ],
    ),
    "delete": Cases(
        [
            ("delete({a: 1, b: 2}, 'a')", {"b": 2}),
            ("delete({a: {b: 1, c: 2}}, 'a.b')", {"a": {"c": 2}}),
            ("delete([1, 2], 0)", [2]),
            ("delete({a: 1}, 'z')", {"a": 1}),
        ],
        [("delete(null, 'a')", None)],
        [("delete({}, 'a')", {}), ("delete({}, '')", Refused("the path is empty"))],
        [("delete(5, 'a')", _NO_OBJECT)],
    ),
    "equals": Cases(
        [
            ("equals({a: [1]}, {a: [1.0]})", True),
            ("equals({a: 1, b: 2}, {b: 2, a: 1})", True),
            ("equals(1, '1')", False),
            ("equals([0, 1], range(2))", True),
        ],
        [("equals(null, null)", True), ("equals(null, 0)", False)],
        [("equals([], [])", True), ("equals({}, [])", False), ("equals('', null)", False)],
        [("equals(1, true)", False)],
    ),
    "clone": Cases(
        [("clone({a: [1]})", {"a": [1]}), ("clone(range(2))", [0, 1])],
        [("clone(null)", None)],
        [("clone([])", []), ("clone({})", {})],
        [("clone(5)", 5), ("clone({}, 1)", Refused("does not take 2 arguments"))],
    ),
}
