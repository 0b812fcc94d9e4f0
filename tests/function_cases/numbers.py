"""Owns the cases of the functions of numbers."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

_WRONG = Refused("the argument is text of 1 character; expected a number")


def _of_one(name: str, *plain: tuple[str, object]) -> Cases:
    return Cases(
        list(plain),
        [(f"{name}(null)", None), (f"{name}()", None)],
        [(f"{name}(0)", 0), (f"{name}('')", Refused("the argument is text of 0 characters"))],
        [(f"{name}('x')", _WRONG), (f"{name}([])", Refused("the argument is an array"))],
    )


def _of_two(name: str, *plain: tuple[str, object]) -> Cases:
    return Cases(
        list(plain),
        [(f"{name}(null, 1)", None), (f"{name}(1, null)", None), (f"{name}()", None)],
        [(f"{name}('', 1)", Refused("the argument is text of 0 characters"))],
        [(f"{name}(1, 'x')", _WRONG), (f"{name}({{}}, 1)", Refused("the argument is an object"))],
    )


NUMBERS = {
    "round": _of_one(
        "round",
        ("round(2.5)", 3),
        ("round(-2.5)", -2),
        ("round(2.4)", 2),
        ("round(1.005, 2)", 1.01),
        ("round(1234, -2)", 1200),
        ("round(1250, -2)", 1300),
        ("round(0.49999999999999994)", 0),
        ("round('3.7')", 4),
        ("round(5, 2)", 5),
        ("round(1e21)", 10**21),
        ("round(1.1, 'x')", Refused("the digits")),
        ("round(1e308 * 10)", float("inf")),
        ("round(1.5, 400)", Refused("expected -300 to 300")),
    ),
    "floor": _of_one(
        "floor",
        ("floor(1.7)", 1),
        ("floor(-1.2)", -2),
        ("floor('2.5')", 2),
        ("floor(1e308*10)", float("inf")),
    ),
    "ceil": _of_one("ceil", ("ceil(1.2)", 2), ("ceil(-1.7)", -1), ("ceil(3)", 3)),
    "trunc": _of_one("trunc", ("trunc(1.7)", 1), ("trunc(-1.7)", -1)),
    "abs": _of_one("abs", ("abs(-3)", 3), ("abs(-1.5)", 1.5), ("abs('-2')", 2)),
    "sign": _of_one("sign", ("sign(-3)", -1), ("sign(2.5)", 1)),
    "sqrt": _of_one(
        "sqrt",
        ("sqrt(9)", 3),
        ("sqrt(2)", 1.4142135623730951),
        ("sqrt(2.25)", 1.5),
        ("sqrt(-1)", Refused("no square root")),
    ),
    "pow": Cases(
        [
            ("pow(2, 10)", 1024),
            ("pow(2, -1)", 0.5),
            ("pow(4, 0.5)", 2.0),
            ("pow(7, 0)", 1),
            ("pow(-1, 1000000)", 1),
        ],
        [("pow(null, 2)", None), ("pow(2)", 2)],
        [("pow(0, 0)", 1), ("pow('', 1)", Refused("the argument is text of 0 characters"))],
        [
            ("pow('x', 2)", _WRONG),
            ("pow(-8, 0.5)", Refused("not a real number")),
            ("pow(0, -1)", Refused("division by zero")),
        ],
    ),
    "random": Cases(
        [("random() >= 0 && random() < 1", True)],
        [],
        [],
        [("random(1)", Refused("does not take 1 argument"))],
    ),
    "random_int": Cases(
        [
            ("random_int(3, 3)", 3),
            ("random_int(5) <= 5", True),
            ("random_int(1, 2) in [1, 2]", True),
        ],
        [("random_int(null, 0)", 0)],
        [("random_int(0)", 0)],
        [
            ("random_int('x', 2)", Refused("the lowest is")),
            ("random_int(5, 1)", Refused("the lowest, 5, is above")),
        ],
    ),
    "clamp": Cases(
        [
            ("clamp(5, 1, 3)", 3),
            ("clamp(-5, 1, 3)", 1),
            ("clamp(2, 1, 3)", 2),
            ("clamp(2.5, 1, 3)", 2.5),
        ],
        [("clamp(null, 1, 3)", None), ("clamp(5, null, 3)", 3), ("clamp(0, 1, null)", 1)],
        [("clamp('', 1, 3)", Refused("the argument is text of 0 characters"))],
        [("clamp('x', 1, 3)", _WRONG), ("clamp(1, [], 2)", Refused("the lowest is an array"))],
    ),
    "percent": _of_two(
        "percent",
        ("percent(1, 4)", 25),
        ("percent(1, 3)", 33.333333333333336),
        ("percent(1, 3, 2)", 33.33),
        ("percent(2, 3, 0)", 67),
        ("percent(1, 3, null)", 33.333333333333336),
        ("percent(1, 3, 'x')", Refused("the digits is text of 1 character")),
        ("percent(1, 0)", Refused("division by zero")),
    ),
    "add": _of_two("add", ("add(1, 2)", 3), ("add('1', '2')", 3)),
    "subtract": _of_two("subtract", ("subtract(5, 2)", 3)),
    "multiply": _of_two("multiply", ("multiply(5, 2.5)", 12.5)),
    "divide": _of_two(
        "divide",
        ("divide(6, 3)", 2),
        ("divide(1, 4)", 0.25),
        ("divide(1, 0)", Refused("division by zero")),
    ),
    "mod": _of_two(
        "mod", ("mod(7, 3)", 1), ("mod(-7, 3)", -1), ("mod(1, 0)", Refused("division by zero"))
    ),
}
