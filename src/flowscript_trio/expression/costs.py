"""Owns what operators and functions cost: a table of claims, which tests and benchmarks hold them to.

An operation is 20 nanoseconds of processor time at least. What an operator or a function is charged is what it
does: so much for a call, for each item or key that it visits, for each character that it reads or makes. The
charge is made where the work arises, before it is done; the table says what it comes to.
"""

from __future__ import annotations

from ..types.deferred import dataclass
from .operators import BINARY, UNARY

NARROW = 1 / 16
"""Of a character that is copied or compared."""
SCANNED = 1 / 4
"""Of a character that is searched, counted or encoded."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What is charged, in operations: ``call``, ``item`` for each of the items, ``character`` for each of a text,
    ``bit`` for each of an integer of more than 64 bits.

    ``ordered`` says that an item is charged once for each comparison that sorting makes of it.
    """

    call: int = 4
    item: float = 0.0
    character: float = NARROW
    bit: float = 0.0
    ordered: bool = False

    def of(self, items: int, characters: int, bits: int) -> float:
        """The operations of one call over this many items, characters and bits."""
        times = max(items.bit_length(), 1) if self.ordered else 1
        return self.call + self.item * items * times + self.character * characters + self.bit * bits


_FIXED = Cost()
_LARGE = NARROW
"""Of a bit in arithmetic."""
_SCAN = Cost(character=NARROW + SCANNED)
_VISIT = Cost(item=1)
_COPY = Cost(item=0.5)
_TIME = Cost(call=16)

_GROUPS: list[tuple[Cost, str]] = [
    (
        _FIXED,
        "length len size first last at default if_else not is_truthy is_falsy random clamp sign "
        "abs pow pad_start pad_end repeat typeof is_null is_array is_object is_string is_number "
        "is_boolean is_empty is_finite is_integer is_nan truncate substring char_at "
        "starts_with ends_with to_string to_number",
    ),
    (Cost(call=16), "uuid range floor ceil trunc"),
    (Cost(call=16, bit=2 * _LARGE), "sqrt random_int"),
    (Cost(bit=_LARGE), "add subtract multiply divide mod percent"),
    (_SCAN, "trim hash base64_encode base64_decode url_decode json_decode to_boolean split"),
    (Cost(character=2 * NARROW), "upper lower"),
    (Cost(character=NARROW + 2 * SCANNED), "replace"),
    (Cost(character=NARROW + SCANNED + 1), "url_encode"),
    (
        Cost(call=64, character=4),
        "regex_match regex_replace match match_all test",
    ),  # with a program of 32 parts
    (Cost(item=0.5, character=2 * NARROW), "reverse"),
    (_COPY, "slice take skip to_array values set delete omit has get"),
    (Cost(item=1, character=NARROW + SCANNED), "contains includes index_of"),
    (
        _VISIT,
        "compact clean count every some find filter map reduce coalesce join "
        "concat array_concat clone equals switch from_entries",
    ),
    (Cost(item=1, ordered=True), "sort"),
    (Cost(item=2), "flatten keys sum avg min max zip pick merge"),
    (Cost(item=2.5), "chunk"),
    (Cost(item=4), "entries unique group_by"),
    (Cost(item=6, character=3 * NARROW), "json_encode pretty"),
    (
        _TIME,
        "now timestamp from_timestamp get_part is_before is_after duration",
    ),
    (Cost(call=48), "add_time subtract_time diff start_of end_of relative"),
    (Cost(call=32), "date time format_date parse_date round"),
    (Cost(character=1), "csv_decode"),
    (Cost(item=8, character=2), "csv_encode"),
]

COSTS: dict[str, Cost] = {name: cost for cost, names in _GROUPS for name in names.split()}
"""What each function costs, by its name."""

_WORDS = Cost(call=0, character=2 * NARROW)
_ARITHMETIC = Cost(call=0, bit=_LARGE)
OPERATORS: dict[str, Cost] = {
    **dict.fromkeys([*BINARY, *UNARY, "&&", "||", "??", "?:", ".", "[]"], Cost(call=0)),
    **dict.fromkeys("-*/%", _ARITHMETIC),
    "+": Cost(call=0, character=2 * NARROW, bit=_LARGE),
    **dict.fromkeys(["<", "<=", ">", ">="], _WORDS),
    **dict.fromkeys(["==", "===", "!=", "!=="], Cost(call=0, item=1, character=NARROW)),
    "in": Cost(call=0, item=1, character=SCANNED),
    "...": Cost(call=0, item=0.5),
    "=>": Cost(call=1, item=1),
}
"""What each operator costs. Each part of an arrow function costs a quarter of an operation besides."""
