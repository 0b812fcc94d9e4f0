"""Owns the cases of the functions of types."""

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
        [
            ("typeof(1)", "number"),
            ("typeof 'a'", "string"),
            ("typeof [1]", "object"),
            ("typeof true", "boolean"),
            ("typeof {}", "object"),
        ],
        [("typeof(null)", "object")],
        [("typeof('')", "string")],
        [("typeof(x => x)", "function")],
    ),
    "is_null": _test(
        "is_null",
        ("is_null(1)", False),
        ("is_null({}.a)", True),
        null=True,
        empty=False,
        wrong=False,
    ),
    "is_array": _test(
        "is_array",
        ("is_array([])", True),
        ("is_array(range(2))", True),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_object": _test(
        "is_object",
        ("is_object({})", True),
        ("is_object([])", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_string": _test(
        "is_string",
        ("is_string('a')", True),
        ("is_string(1)", False),
        null=False,
        empty=True,
        wrong=False,
    ),
    "is_number": _test(
        "is_number",
        ("is_number(1.5)", True),
        ("is_number('1')", False),
        ("is_number(true)", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_boolean": _test(
        "is_boolean",
        ("is_boolean(false)", True),
        ("is_boolean(0)", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_empty": _test(
        "is_empty",
        ("is_empty([])", True),
        ("is_empty({})", True),
        ("is_empty([0])", False),
        ("is_empty(0)", False),
        null=True,
        empty=True,
        wrong=False,
    ),
    "is_finite": _test(
        "is_finite",
        ("is_finite(1)", True),
        ("is_finite(1e308 * 10)", False),
        ("is_finite('1')", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_integer": _test(
        "is_integer",
        ("is_integer(3.0)", True),
        ("is_integer(3.5)", False),
        ("is_integer(1e308 * 10)", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "is_nan": _test(
        "is_nan",
        ("is_nan(1e308 * 10 - 1e308 * 10)", True),
        ("is_nan(1)", False),
        null=False,
        empty=False,
        wrong=False,
    ),
    "not": _test(
        "not",
        ("not(1)", False),
        ("not 0", True),
        ("not([])", False),
        null=True,
        empty=True,
        wrong=False,
    ),
    "to_string": Cases(
        [("to_string(3.0)", "3"), ("to_string([1, 'a'])", '[1,"a"]'), ("to_string(true)", "true")],
        [("to_string(null)", "")],
        [("to_string('')", ""), ("to_string([])", "[]")],
        [("to_string(x => x)", Refused("has no text"))],
    ),
    "to_number": Cases(
        [
            ("to_number('1.5')", 1.5),
            ("to_number(' 7 ')", 7),
            ("to_number(true)", 1),
            ("to_number('1e3')", 1000.0),
        ],
        [("to_number(null)", None), ("to_number(null, 0)", 0)],
        [("to_number('')", None), ("to_number('', 5)", 5)],
        [
            ("to_number('x')", None),
            ("to_number([], 1)", 1),
            ("to_number('1_000')", None),
            ("to_number('٣')", None),
        ],
    ),
    "to_boolean": Cases(
        [
            ("to_boolean('false')", False),
            ("to_boolean('yes')", True),
            ("to_boolean('0')", False),
            ("to_boolean(2)", True),
        ],
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
        [("default(1, 2)", 1)],
        [("default(null, 2)", 2)],
        [("default('', 2)", "")],
        [("default(1, 2, 3)", Refused("does not take 3"))],
    ),
    "if_else": Cases(
        [("if_else(1 > 0, 'a', 'b')", "a"), ("if_else(false, 'a', 'b')", "b")],
        [("if_else(null, 'a', 'b')", "b")],
        [("if_else('', 'a')", None), ("if_else([], 'a', 'b')", "a")],
        [("if_else(1, 2, 3, 4)", Refused("does not take 4"))],
    ),
    "switch": Cases(
        [
            ("switch(2, 1, 'a', 2, 'b', 'c')", "b"),
            ("switch(9, 1, 'a', 'c')", "c"),
            ("switch([1], [1], 'same')", "same"),
        ],
        [("switch(null, null, 'n')", "n"), ("switch(9, 1, 'a')", None)],
        [("switch('', '', 'e')", "e"), ("switch(1)", None)],
        [("switch('1', 1, 'a', 'other')", "other")],
    ),
}
