"""Owns a sample of each operator and function of expressions, which tests count and benchmarks time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowscript_trio.expression.costs import COSTS, OPERATORS, Cost

from expressing import PlainScope, read

ITEMS, CHARACTERS = 10_000_000, 64 * 1024 * 1024
"""The bounds of one list and of one text."""


def number(size: int) -> list[int]:
    return list(range(size))


def numbered(size: int) -> dict[str, int]:
    return {f"k{at}": at for at in range(size)}


def pairs(size: int) -> list[list[Any]]:
    return [[f"k{at}", at] for at in range(size)]


def words(size: int) -> list[str]:
    return [f"word {at * 7919 % 1_000_003}" for at in range(size)]


def ascii_text(size: int) -> str:
    return "x" * size


def wide_text(size: int) -> str:
    return "ß" * size


def digits(size: int) -> str:
    return "1" * (size - 1) + "x"


def escapes(size: int) -> str:
    return "%C3%9F" * (size // 6)


def base64_text(size: int) -> str:
    return "YWJj" * (size // 4)


def csv_lines(size: int) -> str:
    return "a\n" + "x,\n".replace(",", "") * (size // 2)


def json_lists(size: int) -> str:
    return "[" + "[]," * (size // 3 - 1) + "1]"


def json_objects(size: int) -> str:
    return "[" + '{"a":1},' * (size // 8 - 1) + "1]"


def large(size: int) -> int:
    """An integer of the most bits, whatever the size."""
    return (1 << 4090) - 1


def moment(size: int) -> str:
    return "2024-02-29T12:30:45.678Z"


Make = Callable[[int], Any]


@dataclass(frozen=True)
class Sample:
    """An expression over ``v``, which ``make`` makes of a size: of items, or of characters if ``text``."""

    name: str
    text: str
    make: Make

    @property
    def cost(self) -> Cost:
        return COSTS[self.name] if self.name in COSTS else OPERATORS[self.name]

    @property
    def counts(self) -> str:
        """What its size is a number of."""
        if self.make in (large, moment):
            return "nothing"
        listed = self.make in (number, numbered, pairs, words)
        return "items" if listed else "characters"

    @property
    def most(self) -> int:
        """The largest size: objects and lists of lists are as many as fit the memory of a test machine."""
        if self.counts != "items":
            return CHARACTERS
        return ITEMS if self.make is number else 2_000_000

    def claim(self, size: int) -> float:
        """The operations that the table says."""
        counts = self.counts
        items, characters = size * (counts == "items"), size * (counts == "characters")
        bits = 4090 if self.make is large else 0
        return self.cost.of(items, characters, bits)


def _samples(makers: str, table: str) -> list[Sample]:
    """One line each: the name, a colon, the expression."""
    make = globals()[makers]
    lines = [line.strip().partition(": ") for line in table.strip().splitlines()]
    return [Sample(name, text, make) for name, _, text in lines]


SAMPLES: list[Sample] = [
    *_samples(
        "number",
        """
        length: length(v)
        len: len(v)
        size: size(v)
        first: first(v)
        last: last(v)
        at: at(v, -1)
        slice: slice(v, 1)
        take: take(v, 1e7)
        skip: skip(v, 1)
        flatten: flatten(v)
        compact: compact(v)
        clean: clean(v)
        array_concat: array_concat(v, v)
        reverse: reverse(v)
        contains: contains(v, 'x')
        includes: v.includes('x')
        index_of: index_of(v, 'x')
        zip: zip(v)
        chunk: chunk(v)
        count: count(v, 'x')
        every: every(map(v, x => 1))
        some: some(v, 'x')
        find: find(v, 'x')
        filter: filter(v, 'x')
        map: map(v, 'x')
        reduce: reduce(v, (a, i) => i)
        unique: unique(v)
        group_by: group_by(v)
        sort: sort(v)
        sum: sum(v)
        avg: avg(v)
        min: min(v)
        max: max(v)
        join: join(v)
        concat: concat(v)
        coalesce: coalesce(map(v, x => null))
        to_array: to_array(v)
        clone: clone(v)
        equals: equals(v, [...v])
        values: values(v)
        entries: entries(v)
        keys: keys(v)
        pick: pick({}, v)
        omit: omit({}, v)
        get: get({}, v)
        has: has({}, v)
        set: set(v, '[0]', 1)
        delete: delete(v, '[0]')
        json_encode: json_encode(v)
        pretty: pretty(v)
        switch: switch(-1, ...v)
        is_truthy: is_truthy(v)
        is_falsy: is_falsy(v)
        in: -1 in v
        ==: v == [...v]
        ===: v === [...v]
        !=: v != [...v]
        !==: v !== [...v]
        ...: [...v]
        =>: map(v, x => x)
        =>: filter(v, x => x > 3 && x != 7)
        =>: map(v, x => ({...{a: 1}, b: x}))
        =>: sort(v, (a, b) => b - a)
        ?:: length(v) > 1 ? 1 : 2
        &&: v && true
        ||: v || true
        ??: v ?? true
        !: !v
        typeof: typeof v
        []: v[1]
        default: default(v, 1)
        if_else: if_else(v, 1, 2)
        not: not(v)
        is_null: is_null(v)
        is_array: is_array(v)
        is_object: is_object(v)
        is_empty: is_empty(v)
        is_boolean: is_boolean(v)
        """,
    ),
    *_samples(
        "words",
        """
        sort: sort(v)
        unique: unique(v)
        group_by: group_by(v)
        join: join(v)
        json_encode: json_encode(v, 10)
        min: min(v)
        """,
    ),
    *_samples(
        "numbered",
        """
        merge: merge(v, v)
        omit: omit(v, 'k1')
        pick: pick(v, 'k1')
        keys: keys(v)
        entries: entries(v)
        values: values(v)
        clone: clone(v)
        json_encode: json_encode(v)
        unique: unique([v])
        ==: v == {...v}
        ...: {...v}
        .: v.k1
        """,
    ),
    *_samples("pairs", "from_entries: from_entries(v)\nflatten: flatten(v)"),
    *_samples(
        "ascii_text",
        """
        upper: upper(v)
        lower: lower(v)
        replace: replace(v, 'xxxxy', 'z')
        split: split(v, 'xxxxy')
        truncate: truncate(v, 1e7)
        starts_with: starts_with(v, v)
        ends_with: ends_with(v, v)
        substring: substring(v, 1)
        pad_start: pad_start('', length(v))
        pad_end: pad_end('', length(v), 'ab')
        repeat: repeat(v, 1)
        char_at: char_at(v, 1)
        hash: hash(v, 'sha512')
        base64_encode: base64_encode(v.slice(0, 4e7))
        url_encode: url_encode(v)
        index_of: index_of(v, 'xxxxy')
        contains: contains(v, 'xxxxy')
        reverse: reverse(v)
        regex_match: regex_match(v, '(x+x+)+y')
        regex_match: regex_match(v, '(x(.?){100})*$')
        match: match(v, '(x+x+)+y[a-z]{20}')
        match_all: match_all(v, '(x+x+)+y[a-z]{20}')
        test: test(v, '(x+x+)+y[a-z]{20}')
        regex_replace: regex_replace(v, '(y|z)+(a|b|c)*d{4}[e-g]+(h|i)?', 'x')
        to_string: to_string(v)
        is_string: is_string(v)
        is_number: is_number(v)
        is_finite: is_finite(v)
        is_integer: is_integer(v)
        is_nan: is_nan(v)
        +: v.slice(1) + 'y'
        ==: v.slice(1) == v.slice(1)
        in: 'xxxxy' in v
        """,
    ),
    *_samples(
        "wide_text",
        """
        upper: upper(v)
        lower: lower(v)
        trim: trim(v)
        replace: replace(v.slice(0, 3e7), 'ß', 'ss')
        split: split(v.slice(0, 1e7), '')
        split: split(v.slice(0, 1e7), 'ß')
        hash: hash(v, 'md5')
        url_encode: url_encode(v.slice(0, 1e7))
        base64_encode: base64_encode(v.slice(0, 2e7))
        json_encode: json_encode(v)
        """,
    ),
    *_samples(
        "digits",
        """
        to_number: to_number(v)
        to_boolean: to_boolean(v)
        <: v < 1
        <=: v <= 1
        >: v > 1
        >=: v >= 1
        duration: duration(v) ?? 1
        """,
    ),
    *_samples("escapes", "url_decode: url_decode(v)"),
    *_samples("base64_text", "base64_decode: base64_decode(v)"),
    *_samples("json_lists", "json_decode: json_decode(v)"),
    *_samples("csv_lines", "csv_decode: csv_decode(v)\ncsv_encode: csv_encode(csv_decode(v))"),
    *_samples("json_objects", "json_decode: json_decode(v)"),
    *_samples(
        "large",
        """
        -: v - 1
        *: v * 1
        /: v / 7
        %: v % 1234567891
        add: add(v, 1)
        subtract: subtract(v, 1)
        multiply: multiply(v, 1)
        divide: divide(v, 7)
        mod: mod(v, 1234567891)
        abs: abs(v)
        sign: sign(v)
        sqrt: sqrt(v)
        pow: pow(v, 1)
        floor: floor(2.5)
        ceil: ceil(v)
        trunc: trunc(v)
        round: round(v, -2)
        round: round(1.005, 2)
        clamp: clamp(v, 1, 2)
        percent: percent(v / 1000, v)
        random_int: random_int(v)
        random: random()
        uuid: uuid()
        range: range(1, 1e7)
        """,
    ),
    *_samples(
        "moment",
        """
        now: now()
        date: date(v)
        date: date('EEEE, MMMM d yyyy', 'Asia/Tokyo')
        time: time(v)
        parse_date: parse_date('2024-02-29 12:30', 'yyyy-MM-dd HH:mm')
        format_date: format_date(v, 'EEEE, MMMM d yyyy HH:mm:ss.SSS XXX')
        add_time: add_time(v, 2, 'months')
        subtract_time: subtract_time(v, '90m')
        diff: diff(v, '2020-01-01', 'month')
        timestamp: timestamp(v)
        from_timestamp: from_timestamp(1)
        start_of: start_of(v, 'week')
        start_of: start_of(v, 'week', 'Europe/Berlin')
        end_of: end_of(v, 'month')
        get_part: get_part(v, 'week')
        is_before: is_before(v, v)
        is_after: is_after(v, v)
        relative: relative(v)
        """,
    ),
]


ENDLESS: list[Sample] = [
    *_samples(
        "ascii_text",
        """
        regex_match: regex_match(v, 'x.*y|x', 'g')
        regex_replace: regex_replace(v, 'x', 'y')
        regex_match: regex_match(v.slice(0, 1e5), '(x?){900}y|x', 'g')
        """,
    ),
    *_samples(
        "number",
        """
        =>: map(v, x => map(v, y => y))
        =>: map(v, x => [x, [x], {a: x}])
        sort: sort(map(v, x => 'k' + x))
        unique: unique(map(v, x => [x]))
        zip: zip(v, v, v)
        json_encode: json_encode(map(v, x => [x * 0.1]), 10)
        to_string: map(v, x => to_string(x * 0.1))
        format_date: map(v, x => format_date(x, 'yyyy'))
        parse_date: map(v, x => parse_date('1', "y'" + x + "'"))
        """,
    ),
    *_samples(
        "large", "*: map(range(1e7), x => v * v % (v - x))\njoin: join(map(range(1e5), x => v - x))"
    ),
]
"""Samples that meet the bound of time, so that the table says nothing of them."""


def evaluation(sample: Sample, size: int, **limits: Any) -> tuple[Callable[[], Any], PlainScope]:
    """A sample ready to be evaluated, and its scope, which says what was charged."""
    scope = PlainScope({"v": sample.make(size)}, **limits)
    compiled = read(sample.text).compile(lambda _: False)
    return (lambda: compiled(scope)), scope
