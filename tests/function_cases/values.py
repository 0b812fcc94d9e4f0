"""Owns the cases of the functions of types and of objects."""

from __future__ import annotations

from function_cases.cases import Cases, Refused


def _test(name: str, *plain: tuple[str, object], null: bool, empty: bool, wrong: bool) -> Cases:
    return Cases(
        list(plain),
        [(f"{name}(null)", null), (f"{name}({{}}.a)", null)],
        [(f"{name}('')", empty)],
        [(f"{name}(x => x)", wrong)],
    )


TYPES = {
    "typeof": Cases(
        [("typeof(1)", "number"), ("typeof 'a'", "string"), ("typeof [1]", "object"), ("typeof true", "boolean"),
         ("typeof {}", "object")],
        [("typeof(null)", "object")],
        [("typeof('')", "string")],
        [("typeof(x => x)", "function")],
    ),
    "is_null": _test("is_null", ("is_null(1)", False), ("is_null({}.a)", True), null=True, empty=False, wrong=False),
    "is_array": _test("is_array", ("is_array([])", True), ("is_array(range(2))", True), null=False, empty=False, wrong=False),
    "is_object": _test("is_object", ("is_object({})", True), ("is_object([])", False), null=False, empty=False, wrong=False),
    "is_string": _test("is_string", ("is_string('a')", True), ("is_string(1)", False), null=False, empty=True, wrong=False),
    "is_number": _test("is_number", ("is_number(1.5)", True), ("is_number('1')", False), ("is_number(true)", False),
                       null=False, empty=False, wrong=False),
    "is_boolean": _test("is_boolean", ("is_boolean(false)", True), ("is_boolean(0)", False), null=False, empty=False, wrong=False),
    "is_empty": _test("is_empty", ("is_empty([])", True), ("is_empty({})", True), ("is_empty([0])", False), ("is_empty(0)", False),
                      null=True, empty=True, wrong=False),
    "is_finite": _test("is_finite", ("is_finite(1)", True), ("is_finite(1e308 * 10)", False), ("is_finite('1')", False),
                       null=False, empty=False, wrong=False),
    "is_integer": _test("is_integer", ("is_integer(3.0)", True), ("is_integer(3.5)", False), ("is_integer(1e308 * 10)", False),
                        null=False, empty=False, wrong=False),
    "is_nan": _test("is_nan", ("is_nan(1e308 * 10 - 1e308 * 10)", True), ("is_nan(1)", False), null=False, empty=False, wrong=False),
    "not": _test("not", ("not(1)", False), ("not 0", True), ("not([])", False), null=True, empty=True, wrong=False),
    "to_string": Cases(
        [("to_string(3.0)", "3"), ("to_string([1, 'a'])", '[1,"a"]'), ("to_string(true)", "true")],
        [("to_string(null)", "")],
        [("to_string('')", ""), ("to_string([])", "[]")],
        [("to_string(x => x)", Refused("has no text"))],
    ),
    "to_number": Cases(
        [("to_number('1.5')", 1.5), ("to_number(' 7 ')", 7), ("to_number(true)", 1), ("to_number('1e3')", 1000.0)],
        [("to_number(null)", None), ("to_number(null, 0)", 0)],
        [("to_number('')", None), ("to_number('', 5)", 5)],
        [("to_number('x')", None), ("to_number([], 1)", 1), ("to_number('1_000')", None), ("to_number('٣')", None)],
    ),
    "to_boolean": Cases(
        [("to_boolean('false')", False), ("to_boolean('yes')", True), ("to_boolean('0')", False), ("to_boolean(2)", True)],
        [("to_boolean(null)", False)],
        [("to_boolean('')", False), ("to_boolean([])", True)],
        [("to_boolean(x => x)", True)],
    ),
    "to_array": Cases(
        [("to_array([1])", [1]), ("to_array(range(2))", [0, 1])],
        [("to_array(null)", [])],
        [("to_array([])", []), ("to_array('')", [""])],
        [("to_array('ab')", ["ab"]), ("to_array({a: 1})", [{"a": 1}])],
    ),
    "coalesce": Cases(
        [("coalesce(null, 0, 1)", 0), ("coalesce([null, 2])", 2)],
        [("coalesce(null, null)", None)],
        [("coalesce()", None), ("coalesce([])", None), ("coalesce('', 1)", "")],
        [("coalesce(false, 1)", False)],
    ),
    "default": Cases(
        [("default(1, 2)", 1)], [("default(null, 2)", 2)], [("default('', 2)", "")], [("default(1, 2, 3)", Refused("does not take 3"))]
    ),
    "if_else": Cases(
        [("if_else(1 > 0, 'a', 'b')", "a"), ("if_else(false, 'a', 'b')", "b")],
        [("if_else(null, 'a', 'b')", "b")],
        [("if_else('', 'a')", None), ("if_else([], 'a', 'b')", "a")],
        [("if_else(1, 2, 3, 4)", Refused("does not take 4"))],
    ),
    "switch": Cases(
        [("switch(2, 1, 'a', 2, 'b', 'c')", "b"), ("switch(9, 1, 'a', 'c')", "c"), ("switch([1], [1], 'same')", "same")],
        [("switch(null, null, 'n')", "n"), ("switch(9, 1, 'a')", None)],
        [("switch('', '', 'e')", "e"), ("switch(1)", None)],
        [("switch('1', 1, 'a', 'other')", "other")],
    ),
}  # fmt: skip

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
        [("from_entries([1])", Refused("item 0 is a number")), ("from_entries(5)", Refused("not a number"))],
    ),
    "get": Cases(
        [("get({a: [{b: 1}]}, 'a[0].b')", 1), ("get({'a.b': 2}, 'a.b')", 2), ("get({a: 1}, 'b', 9)", 9), ("get([7], 0)", 7),
         ("get({a: {b: 3}}, ['a', 'b'])", 3)],
        [("get(null, 'a')", None), ("get(null, 'a', 1)", 1)],
        [("get({}, 'a')", None), ("get({a: 1}, '')", {"a": 1})],
        [("get(5, 'a')", None)],
    ),
    "has": Cases(
        [("has({a: null}, 'a')", True), ("has({a: {b: 1}}, 'a.b')", True), ("has([5], 0)", True), ("has([5], 1)", False)],
        [("has(null, 'a')", False)],
        [("has({}, 'a')", False), ("has({a: 1}, '')", False)],
        [("has(5, 'a')", False), ("has([5], '²')", False)],
    ),
    "merge": Cases(
        [("merge({a: 1, b: 1}, {b: 2})", {"a": 1, "b": 2}), ("merge({a: {x: 1}}, {a: {y: 2}})", {"a": {"y": 2}})],
        [("merge(null, {a: 1})", {"a": 1})],
        [("merge()", {}), ("merge({}, {})", {})],
        [("merge({a: 1}, 5)", _NO_OBJECT)],
    ),
    "pick": Cases(
        [("pick({a: 1, b: 2}, 'b')", {"b": 2}), ("pick({a: 1, b: 2, c: 3}, ['a', 'c'])", {"a": 1, "c": 3})],
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
        [("set({a: 1}, 'b', 2)", {"a": 1, "b": 2}), ("set({a: {b: 1}}, 'a.b', 2)", {"a": {"b": 2}}), ("set([1, 2], 1, 9)", [1, 9]),
         ("set([1], 1, 2)", [1, 2]), ("set({'a.b': 1}, 'a.b', 2)", {"a.b": 2})],
        [("set(null, 'a.b', 1)", {"a": {"b": 1}}), ("set({a: 1}, 'a', null)", {"a": None})],
        [("set({}, 'a', 1)", {"a": 1}), ("set({}, '', 1)", Refused("the path is empty"))],
        [("set(5, 'a', 1)", _NO_OBJECT), ("set([1], 5, 1)", Refused("a list of 1 has no place '5'"))],
    ),
    "delete": Cases(
        [("delete({a: 1, b: 2}, 'a')", {"b": 2}), ("delete({a: {b: 1, c: 2}}, 'a.b')", {"a": {"c": 2}}), ("delete([1, 2], 0)", [2]),
         ("delete({a: 1}, 'z')", {"a": 1})],
        [("delete(null, 'a')", None)],
        [("delete({}, 'a')", {}), ("delete({}, '')", Refused("the path is empty"))],
        [("delete(5, 'a')", _NO_OBJECT)],
    ),
    "equals": Cases(
        [("equals({a: [1]}, {a: [1.0]})", True), ("equals({a: 1, b: 2}, {b: 2, a: 1})", True), ("equals(1, '1')", False),
         ("equals([0, 1], range(2))", True)],
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
}  # fmt: skip
