"""Owns the cases of the functions of csv."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

CSV = {
    "csv_decode": Cases(
        [
            (r"csv_decode('a,b\n1,x\n')", [{"a": "1", "b": "x"}]),
            (r"csv_decode('a;b\n1;2')", [{"a": "1", "b": "2"}]),
            (r"csv_decode('1,2\n', {header: 'none'})", [["1", "2"]]),
            (r"csv_decode('1|2\n', {header: ['x', 'y'], delimiter: '|'})", [{"x": "1", "y": "2"}]),
            (r"csv_decode('a\n1\n', {types: 'a: number'})", [{"a": 1}]),
            (r"csv_decode('a\n1\n', {types: {a: 'number'}})", [{"a": 1}]),
            (
                r"csv_decode('#\na,a\n1\n', {skip: 1, ragged: 'fit', duplicates: 'number'})",
                [{"a": "1", "a_2": None}],
            ),
        ],
        [("csv_decode(null)", None)],
        [("csv_decode('')", []), (r"csv_decode('\n')", [])],
        [
            (
                r"csv_decode('a,b\n1\n')",
                Refused("the text:2: the row has 1 column, and the header 2"),
            ),
            (r"csv_decode('a\n\"x')", Refused("the text:2: not valid CSV")),
            (
                r"csv_decode('a', {delimitr: ';'})",
                Refused("there is no option 'delimitr'; did you mean 'delimiter'"),
            ),
            (
                r"csv_decode('a', {delimiter: ';;'})",
                Refused("the delimiter is text of 2 characters"),
            ),
            (r"csv_decode('a', {delimiter: ';', quote: ';'})", Refused("the same character")),
            (r"csv_decode('a', {header: ['a', 'a']})", Refused("a name twice")),
            (r"csv_decode('a', {header: 5})", Refused("first, none, or a list of names")),
            (r"csv_decode('a', {skip: -1})", Refused("a number of lines")),
            (r"csv_decode('a', {ragged: 'x'})", Refused("one of error, fit, skip")),
            (r"csv_decode('a', {types: 'a: numbr'})", Refused("did you mean 'number'")),
            (r"csv_decode('a', {types: {b: 'number'}})", Refused("has no column 'b'")),
            (r"csv_decode('a', 5)", Refused("expected an object")),
            ("csv_decode(5)", []),
        ],
    ),
    "csv_encode": Cases(
        [
            ("csv_encode([{a: 1, b: 'x,y'}, {c: null}])", 'a,b,c\n1,"x,y",\n,,\n'),
            ("csv_encode({a: 1})", "a\n1\n"),
            ("csv_encode([{a: 1, b: 2}], {delimiter: ';', header: ['b', 'a']})", "b;a\n2;1\n"),
            ("csv_encode([[1, 2]], {header: 'none'})", "1,2\n"),
            ("length(csv_encode(map(range(1200), x => ({n: 1}))))", 2402),
        ],
        [("csv_encode(null)", "")],
        [("csv_encode([])", ""), ("csv_encode([], {header: ['a']})", "a\n")],
        [
            ("csv_encode(5)", Refused("row 0 is not an object")),
            (
                "csv_encode([{a: 1}], {header: ['b']})",
                Refused("the key 'a', which is not a column"),
            ),
            ("csv_encode([{a: 'x,'}], {quote: 'none'})", Refused("expected the setting quote")),
            (
                "csv_encode([{a: 1}], {skip: 1})",
                Refused("expected one of delimiter, quote, header"),
            ),
        ],
    ),
}
