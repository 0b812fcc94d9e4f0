"""Owns what each function gives: a shape, or a rule over the shapes of its arguments. It is beside the costs.

A rule is given what is in the call: shapes, and for an arrow function something that gives the shape of its
value for those of its parameters. Where a list is spread among the arguments nothing is known about any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...types.shapes import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Missing,
    ObjectShape,
    Shape,
    list_of,
    member_of,
    object_of,
    origin_of,
    shape_of_value,
    union,
)

Arrow = Callable[..., Shape]
Argument = Shape | Arrow
Arguments = Sequence[Argument]
Rule = Callable[[Arguments], Shape]

TEXT_OR_NULL = TEXT.or_null
NUMBER_OR_NULL = NUMBER.or_null
ANY_OBJECT = object_of({}, is_open=True)
ANY_LIST = list_of(UNKNOWN)


def shape_at(arguments: Arguments, at: int) -> Shape:
    """The shape of an argument; null where there is none."""
    if at >= len(arguments):
        return NULL
    found = arguments[at]
    return found if isinstance(found, Shape) else UNKNOWN


def items_of(shape: Shape) -> Shape:
    """The items of a list argument: null is an empty list, anything but a list a list of one."""
    if shape.anything:
        return UNKNOWN
    rest = Shape(
        boolean=shape.boolean,
        numbers=shape.numbers,
        texts=shape.texts,
        object=shape.object,
        parts=shape.parts,
        depth=shape.depth,
    )
    return rest if shape.item is None else union(rest, shape.item)


def _items(arguments: Arguments) -> Shape:
    return items_of(shape_at(arguments, 0))


def _list(arguments: Arguments) -> Shape:
    return list_of(_items(arguments))


def _is_list(shape: Shape) -> bool:
    """Whether a value may be a list."""
    return shape.anything or shape.item is not None


def _applied(arguments: Arguments, *shapes: Shape) -> Shape:
    """What the second argument makes of an item: an arrow, the name of a member, or the item as it is."""
    if len(arguments) < 2:
        return shapes[0]
    change = arguments[1]
    if not isinstance(change, Shape):
        return change(*shapes)
    if change == NULL:
        return shapes[0]
    if change.texts is not True and len(change.texts or ()) == 1 and not change.null:
        (name,) = change.texts
        found = member_of(shapes[0], name)
        return NULL if isinstance(found, Missing) else found
    return UNKNOWN


def _visited(arguments: Arguments) -> Shape:
    """What the second argument makes of each item of the first."""
    return _applied(arguments, _items(arguments), NUMBER, shape_at(arguments, 0))


def _visiting(result: Rule) -> Rule:
    """A rule of a function that calls an arrow for what it decides."""

    def rule(arguments: Arguments) -> Shape:
        _visited(arguments)
        return result(arguments)

    return rule


def _always(shape: Shape) -> Rule:
    return lambda arguments: shape


def _end(arguments: Arguments) -> Shape:
    """``first`` and ``last``: of a list an item, of a text a character, of all else itself."""
    shape = shape_at(arguments, 0)
    if shape.anything:
        return UNKNOWN
    return union(items_of(shape), TEXT if shape.texts else NULL, NULL)


def _place(arguments: Arguments) -> Shape:
    shape = shape_at(arguments, 0)
    if shape.anything:
        return UNKNOWN
    item = NULL if shape.item is None else shape.item
    return union(item, TEXT if shape.texts else NULL, NULL)


def _part(arguments: Arguments) -> Shape:
    """``slice`` and ``reverse``: a text of a text, a list of all else."""
    shape = shape_at(arguments, 0)
    if shape.anything:
        return UNKNOWN
    text = TEXT if shape.texts else NULL
    return union(list_of(items_of(shape)), text, NULL)


def _reduced(arguments: Arguments) -> Shape:
    made = UNKNOWN
    if len(arguments) > 1 and not isinstance(arguments[1], Shape):
        made = arguments[1](UNKNOWN, _items(arguments), NUMBER, shape_at(arguments, 0))
    start = shape_at(arguments, 2) if len(arguments) > 2 else _items(arguments)
    return union(made, start, NULL)


def _grouped(arguments: Arguments) -> Shape:
    _visited(arguments)
    return ANY_OBJECT


def _sorted(arguments: Arguments) -> Shape:
    if len(arguments) > 1 and not isinstance(arguments[1], Shape):
        item = _items(arguments)
        arguments[1](item, item)
    return _list(arguments)


def _extreme(arguments: Arguments) -> Shape:
    """Where all are numbers or spell one, the number; null is left out."""
    shapes = [shape_at(arguments, at) for at in range(len(arguments))]
    values = items_of(shapes[0]) if len(shapes) == 1 else union(*shapes)
    return union(values, NUMBER, NULL)


def _first_of(arguments: Arguments) -> Shape:
    shapes = [shape_at(arguments, at) for at in range(len(arguments))]
    if len(shapes) == 1 and _is_list(shapes[0]):
        return union(items_of(shapes[0]), NULL)
    last = shapes[-1] if shapes else NULL
    return union(*(shape.not_null for shape in shapes), NULL if last.holds(None) else last)


def _default(arguments: Arguments) -> Shape:
    return union(shape_at(arguments, 0).not_null, shape_at(arguments, 1))


def _either(arguments: Arguments) -> Shape:
    return union(shape_at(arguments, 1), shape_at(arguments, 2))


def _switched(arguments: Arguments) -> Shape:
    """Pairs of a case and its result, or an object of results."""
    shapes = [shape_at(arguments, at) for at in range(1, len(arguments))]
    if not shapes or any(shape.anything or shape.object is not None for shape in shapes[::2]):
        return UNKNOWN
    results = shapes[1::2]
    return union(*results, shapes[-1] if len(shapes) % 2 else NULL)


def merged(shapes: Sequence[Shape]) -> Shape:
    """The object that has the members of these, one after the other; a later one wins."""
    fields: dict[str, Shape] = {}
    is_open = False
    for shape in shapes:
        found = shape.object
        if found is None:
            is_open = is_open or shape.anything
            if shape.anything:
                fields = {}
            continue
        if found.is_open:
            fields = dict.fromkeys([*fields, *found.fields], UNKNOWN)
            is_open = True
        may_lack = shape.null
        for name, member in found.fields.items():
            before = fields.get(name, UNKNOWN if is_open else NULL)
            # Null may say that it is not there, and then what was there before stays.
            fields[name] = union(member, before) if may_lack or member.holds(None) else member
    if any(shape.anything for shape in shapes):
        return object_of(fields, is_open=True)
    origin = origin_of(shape.object for shape in shapes if shape.object is not None)
    return object_of(fields, is_open=is_open, origin=origin)


def constants_of(argument: Argument) -> frozenset[str]:
    """The texts of which an argument is one, or those in a list; none where it may be something else."""
    if not isinstance(argument, Shape):
        return frozenset()
    item = argument.item
    if item is not None and argument == list_of(item):
        return constants_of(item)
    is_text = argument.texts is not True and argument == Shape(texts=argument.texts)
    return argument.texts if is_text and argument.texts is not True else frozenset()


def _named(arguments: Arguments) -> tuple[ObjectShape, frozenset[str]] | None:
    """The object that a call is about and the keys that it names, where all are known."""
    shape = shape_at(arguments, 0)
    if shape.object is None or shape != Shape(object=shape.object):
        return None
    named = [constants_of(argument) for argument in arguments[1:]]
    keys = frozenset().union(*named)
    if not all(named) or any("." in key or "[" in key for key in keys):
        return None
    return shape.object, keys


def _picked(arguments: Arguments) -> Shape:
    named = _named(arguments)
    if named is None:
        return ANY_OBJECT
    found, keys = named
    fields = {key: found.fields[key] for key in keys if key in found.fields}
    return object_of(fields, origin=found.origin) if len(fields) == len(keys) else ANY_OBJECT


def _without(arguments: Arguments) -> Shape:
    """``omit`` and ``delete``."""
    named = _named(arguments)
    if named is None:
        return UNKNOWN
    found, keys = named
    fields = {key: member for key, member in found.fields.items() if key not in keys}
    return object_of(fields, is_open=found.is_open, origin=found.origin)


def _put(arguments: Arguments) -> Shape:
    """``set``."""
    named = _named(arguments[:2])
    if named is None or len(arguments) < 2:
        return UNKNOWN
    found, keys = named
    item = shape_at(arguments, 2)
    fields = {
        **found.fields,
        **{key: union(item, UNKNOWN) if len(keys) > 1 else item for key in keys},
    }
    return object_of(fields, is_open=found.is_open, origin=found.origin)


def _got(arguments: Arguments) -> Shape:
    """``get``: of a path in an object that no ``$`` name declares nothing is said."""
    named = _named(arguments[:2])
    if named is None or len(named[1]) != 1 or not named[0].origin or len(arguments) > 2:
        return UNKNOWN
    (key,) = named[1]
    found = member_of(shape_at(arguments, 0), key)
    return UNKNOWN if isinstance(found, Missing) else found


def _merged(arguments: Arguments) -> Shape:
    return merged([shape_at(arguments, at) for at in range(len(arguments))])


def _values(arguments: Arguments) -> Shape:
    shape = shape_at(arguments, 0)
    if shape.anything or (shape.object is not None and shape.object.is_open):
        return ANY_LIST
    members = () if shape.object is None else shape.object.fields.values()
    return list_of(union(*members, *(() if shape.item is None else (shape.item,))))


def joined_texts(shapes: Sequence[Shape]) -> Shape:
    """The text of these, one after the other: that text itself where each can only be one."""
    texts = [constants_of(shape) if shape.item is None else frozenset() for shape in shapes]
    if any(len(each) != 1 for each in texts):
        return TEXT
    return shape_of_value("".join(text for each in texts for text in each))


def _joined(arguments: Arguments) -> Shape:
    """``concat``: a list where an argument is one, else text; one list stands for the values in it."""
    shapes = [shape_at(arguments, at) for at in range(len(arguments))]
    values = [items_of(shapes[0])] if len(shapes) == 1 and _is_list(shapes[0]) else shapes
    if not any(map(_is_list, values)):
        return joined_texts(values)
    return union(TEXT, list_of(union(*map(items_of, values))))


def _numbered(arguments: Arguments) -> Shape:
    """``to_number``: the number that a value spells, else the second argument."""
    return union(NUMBER, shape_at(arguments, 1))


_GROUPS: list[tuple[Shape | Rule, str]] = [
    (TEXT, "to_string json_encode uuid now date time typeof csv_encode pretty"),
    (
        TEXT_OR_NULL,
        "upper lower trim replace truncate pad_start pad_end repeat char_at substring join url_encode url_decode "
        "base64_encode hash format_date parse_date regex_replace from_timestamp start_of end_of add_time "
        "subtract_time relative match",
    ),
    (
        BOOLEAN,
        "is_null is_array is_object is_string is_number is_boolean is_empty is_finite is_integer is_nan not has "
        "equals contains includes starts_with ends_with is_before is_after to_boolean test is_truthy is_falsy",
    ),
    (NUMBER, "length len size index_of random random_int timestamp sum"),
    (
        NUMBER_OR_NULL,
        "round floor ceil trunc abs sign sqrt pow clamp percent add subtract multiply divide mod avg diff "
        "duration get_part",
    ),
    (list_of(TEXT), "keys match_all"),
    (list_of(TEXT).or_null, "split"),
    (list_of(NUMBER), "range"),
    (list_of(ANY_LIST), "entries zip"),
    (ANY_LIST, "flatten array_concat"),
    (ANY_LIST.or_null, "csv_decode"),
    (ANY_OBJECT, "from_entries"),
    (UNKNOWN, "json_decode base64_decode regex_match"),
    (_got, "get"),
    (_picked, "pick"),
    (_without, "omit delete"),
    (_put, "set"),
    (_visiting(_always(BOOLEAN)), "every some"),
    (_visiting(_always(NUMBER)), "count"),
    (_visiting(lambda arguments: _items(arguments).or_null), "find"),
    (_visiting(_list), "filter unique"),
    (lambda arguments: list_of(_visited(arguments)), "map"),
    (_reduced, "reduce"),
    (_sorted, "sort"),
    (_grouped, "group_by"),
    (_end, "first last"),
    (_place, "at"),
    (_part, "slice reverse"),
    (_list, "take skip compact clean to_array"),
    (lambda arguments: list_of(_list(arguments)), "chunk"),
    (_extreme, "min max"),
    (_first_of, "coalesce"),
    (_default, "default"),
    (_either, "if_else"),
    (_switched, "switch"),
    (_merged, "merge"),
    (_values, "values"),
    (_joined, "concat"),
    (_numbered, "to_number"),
    (lambda arguments: shape_at(arguments, 0), "clone"),
]

RESULTS: dict[str, Shape | Rule] = {name: rule for rule, names in _GROUPS for name in names.split()}
"""What each function gives, by its name."""


def result_of(name: str, arguments: Arguments, *, is_spread: bool = False) -> Shape:
    """The shape of what a call gives; of a function that is not in the table nothing is known."""
    rule: Any = RESULTS.get(name, UNKNOWN)
    if isinstance(rule, Shape):
        for argument in arguments:
            if not isinstance(argument, Shape):
                argument()
        return rule
    if is_spread:
        return UNKNOWN
    shape: Shape = rule(arguments)
    return shape
