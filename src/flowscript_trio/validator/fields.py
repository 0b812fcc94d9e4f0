"""Owns what a config model says about each of its settings: how its text is read, and what it may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from ..expression import Expression, Template
from ..runtimes.markers import AfterBody, Binds, Constant, JsonScalar, Resolved
from ..types.deferred import dataclass

_CONTAINERS = (Mapping, Sequence, set, frozenset, BaseModel)


class Form(Enum):
    """How the text of a setting is read."""

    SCALAR = auto()
    """A template; its value is validated."""
    STRUCTURE = auto()
    """YAML, its leaves templates; the value is validated."""
    EXPRESSION = auto()
    """An expression, handed over compiled."""
    TEMPLATE = auto()
    """A template, handed over compiled."""


@dataclass(frozen=True)
class Field:
    """One setting of a model.

    ``name`` is its name in documents, ``attribute`` that in the model, ``key`` that in the model's input.
    ``words`` are the constants allowed besides an expression; ``bound`` and ``after_body`` say what an
    expression sees; ``scalar_unless`` names the setting that keeps a JSON scalar text. ``takes_text``
    says that the value is text and nothing else. ``resolve`` gives what a constant means among the
    document's schemas.
    """

    name: str
    attribute: str
    key: str
    form: Form
    required: bool = False
    words: tuple[str, ...] = ()
    bound: frozenset[str] = frozenset()
    after_body: bool = False
    constant: Constant | None = None
    scalar_unless: str | None = None
    takes_text: bool = False
    resolve: Callable[[Any, Any], Any] | None = None
    type: Any = Any

    @cached_property
    def validate(self) -> Callable[[Any], Any]:
        """Validates one value of the setting; raises pydantic's ValidationError."""
        return TypeAdapter(self.type).validate_python


@dataclass(frozen=True, slots=True)
class Plan:
    """All settings of a model by all the names that they may have in a document.

    ``is_open`` says that it allows further settings, ``is_plain`` that its fields can be validated one
    by one: it has no validators of its own.
    """

    model: type[BaseModel]
    fields: Mapping[str, Field]
    required: tuple[Field, ...]
    is_open: bool
    is_plain: bool
    default: BaseModel


def any_setting(name: str) -> Field:
    """The field of a setting that no model declares."""
    return Field(name, name, name, Form.SCALAR)


@lru_cache(maxsize=1024)
def plan_of(model: type[BaseModel]) -> Plan:
    """The plan of a config model."""
    fields: dict[str, Field] = {}
    required = []
    for attribute, info in model.model_fields.items():
        field = _read_field(attribute, info)
        fields[field.name] = field
        for other in (attribute, info.alias):
            if isinstance(other, str):
                fields.setdefault(_to_snake(other), field)
        if field.required:
            required.append(field)
    is_open = model.model_config.get("extra") == "allow"
    is_plain = _is_plain(model) and not is_open
    return Plan(model, fields, tuple(required), is_open, is_plain, model.model_construct())


def _read_field(attribute: str, info: FieldInfo) -> Field:
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    key = alias or attribute
    marks = [*info.metadata, *_marks_in(info.annotation)]
    types = list(_members(info.annotation))
    bound: frozenset[str] = frozenset()
    for mark in marks:
        if isinstance(mark, Binds):
            bound |= mark.names
    scalar = next((mark for mark in marks if isinstance(mark, JsonScalar)), None)
    return Field(
        name=_to_snake(key),
        attribute=attribute,
        key=key,
        form=_form_of(types),
        required=info.is_required(),
        words=tuple(word for kind in types for word in _words_of(kind)),
        bound=bound,
        after_body=any(isinstance(mark, AfterBody) for mark in marks),
        constant=next((mark for mark in marks if isinstance(mark, Constant)), None),
        scalar_unless=scalar.unless if scalar else None,
        takes_text=set(types) <= {str, type(None)},
        resolve=next((mark.resolve for mark in marks if isinstance(mark, Resolved)), None),
        type=_type_of(info),
    )


def _type_of(info: FieldInfo) -> Any:
    """The type that validates the field's value. An alias has no place in it: pydantic warns of one."""
    if info.alias is None:
        return Annotated[info.annotation, info]
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _form_of(types: Collection[Any]) -> Form:
    if Expression in types:
        return Form.EXPRESSION
    if Template in types:
        return Form.TEMPLATE
    if Any in types or str in types:
        return Form.SCALAR
    return Form.STRUCTURE if any(map(_is_structured, types)) else Form.SCALAR


def _is_structured(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    if not isinstance(origin, type) or issubclass(origin, str | bytes):
        return False
    return issubclass(origin, _CONTAINERS) or is_dataclass(origin)


def _members(annotation: Any) -> Iterator[Any]:
    """The types of a union, with ``Annotated`` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is Union or origin is UnionType:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _marks_in(annotation: Any) -> Iterator[Any]:
    """The metadata of ``Annotated`` members of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *marks = get_args(annotation)
        yield from marks
        yield from _marks_in(kind)
    elif origin is Union or origin is UnionType:
        for member in get_args(annotation):
            yield from _marks_in(member)


def _words_of(kind: Any) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield from (word for word in get_args(kind) if isinstance(word, str))


def _is_plain(model: type[BaseModel]) -> bool:
    own = model.__pydantic_decorators__
    validators = (own.validators, own.field_validators, own.root_validators, own.model_validators)
    overridden = (
        model.model_post_init is not BaseModel.model_post_init
        or model.__init__ is not BaseModel.__init__
    )
    return not (any(validators) or overridden or model.model_config.get("validate_default"))


def _to_snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()
