"""Owns the checking of what an application gives a run: all that is wrong with it, at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..expression.scope import Closed
from ..types.ast import Document, Parameter, Shaped
from ..types.declared import describe_type, fits
from ..types.errors import EvaluationError, InputError, OutputError, nearest
from ..types.services import SECRETS as AI_SECRETS

if TYPE_CHECKING:  # a worker of leaf nodes checks no document
    from ..validator import Wanted

_NAME = re.compile(r"[\w.-]{1,64}")
"""What is shown of a name that may be computed: all else is a value, and no name."""


def check_config(
    document: Document, given: Mapping[str, Any], what: str = "the configuration of"
) -> dict[str, Any]:
    """The configuration of a document: what is given, and the declared defaults of the rest.

    Raises InputError that names every key that is missing or of the wrong type. A key that the document
    does not declare is passed on as it is. Null counts as not given where nothing is required, so that what has no
    value can be handed on.
    """
    problems = []
    config = dict(given)
    for parameter in document.parameters:
        is_null = config.get(parameter.name) is None and not parameter.required
        if parameter.name not in config or is_null:
            if parameter.required and not parameter.has_default:
                problems.append(_missing(parameter, given, document.parameters))
            else:
                config[parameter.name] = parameter.default
        elif not fits(config[parameter.name], parameter.type, parameter.choices):
            expected = describe_type(parameter.type, parameter.choices)
            problems.append(
                f"{parameter.name!r} is {config[parameter.name]!r}; expected {expected} "
                f"(declared at {parameter.location})"
            )
    if problems:
        raise InputError(f"{what} {document.name!r}: " + "; ".join(problems))
    return config


def with_defaults(document: Document, input: Any) -> Any:
    """What ``$input`` is: an object of the declared defaults too; anything but an object stays as it is."""
    if input is not None and not isinstance(input, Mapping):
        return input
    given = {} if input is None else input
    defaults = {
        parameter.name: parameter.default
        for parameter in document.parameters
        if parameter.default is not None and given.get(parameter.name) is None
    }
    return {**given, **defaults} if defaults else input


def check_input(document: Document, given: Any, what: str = "the input of") -> Any:
    """What a document is given, with the declared defaults of what is missing in it.

    Raises InputError that names every declared member that is missing or does not fit. What is not declared is
    passed on as it is.
    """
    if not document.input:
        return given
    if given is not None and not isinstance(given, Mapping):
        raise InputError(
            f"{what} {document.name!r} is of type {type(given).__name__}; expected an object with "
            + ", ".join(member.name for member in document.input)
        )
    found = dict(given or {})
    problems = misfits_of(document.input, found)
    if problems:
        raise InputError(f"{what} {document.name!r}: " + "; ".join(problems))
    for member in document.input:
        if member.has_default:
            found.setdefault(member.name, member.default)
    return found


def check_output(document: Document, given: Any) -> None:
    """Raises OutputError that names every declared member of the output that is missing or does not fit."""
    if not isinstance(given, Mapping):
        members = ", ".join(member.name for member in document.output)
        raise OutputError(
            f"the output of {document.name!r} is of type {type(given).__name__}; expected an object with {members}"
        )
    problems = misfits_of(document.output, given)
    if problems:
        raise OutputError(f"the output of {document.name!r}: " + "; ".join(problems))


def misfits_of(declared: Sequence[Shaped], found: Mapping[str, Any]) -> list[str]:
    """What is wrong with the members of an object, as they are declared."""
    from ..runtimes.ai.checking import checker_of_short_form  # by those who declare something

    problems = []
    for member in declared:
        value = found.get(member.name)
        if value is None and not member.required:
            continue
        if member.name not in found:
            problems.append(f"{member.name!r} is missing (declared at {member.location})")
            continue
        problems += [
            problem.replace("$", member.name, 1)
            for problem in checker_of_short_form(member.shape)(value)
        ]
    return problems


def check_environment(wanted: Sequence[Wanted], given: Mapping[str, str]) -> dict[str, str]:
    """The variables that ``$env`` shows; raises InputError that names every one that is read and not given."""
    problems = []
    for each in wanted:
        if each.name not in given:
            near = nearest(each.name, given)
            hint = f"; did you mean {near!r}?" if near else ""
            problems.append(f"$env.{each.name} (at {each.location}) is not among them{hint}")
    if problems:
        raise InputError("the variables that env gives to the run: " + "; ".join(problems))
    return dict(given)


def check_secrets(given: Mapping[str, Any]) -> dict[str, str]:
    """The secrets that were given and are not empty; raises InputError for anything but text."""
    wrong = [
        name for name, value in given.items() if not isinstance(value, str) and value is not None
    ]
    if wrong:
        raise InputError(f"secrets must be texts; these are not: {', '.join(map(repr, wrong))}")
    return {name: value for name, value in given.items() if value}


class Secrets(Closed):
    """The secrets of a run. One that is declared and was not given is an error where it is used, of a copy too.

    ``held`` is all that was given. The keys of AI services are in it for the runtime that uses them;
    expressions see those only where the document declares them. Without a document all that was given is seen:
    what crosses to a worker is what the node there names.
    """

    def __init__(self, document: Document | None, given: Mapping[str, str]) -> None:
        self._declared = {secret.name: secret for secret in (document.secrets if document else ())}
        held = given.held if isinstance(given, Secrets) else given
        self.held: dict[str, str] = dict(held)
        super().__init__(
            (name, value)
            for name, value in self.held.items()
            if document is None or name in self._declared or name not in AI_SECRETS
        )

    def __repr__(self) -> str:
        return f"<the secrets {', '.join(self.held)}>" if self.held else "<no secrets>"

    @property
    def missing(self) -> list[str]:
        """The names of the declared secrets that were not given, or are empty."""
        return [name for name in self._declared if name not in self]

    def get(self, name: str, default: Any = None) -> str:
        """What an expression reads as ``$secrets.NAME``: never nothing, which would pass for a credential."""
        if name in self:
            found: str = self[name]
            return found
        if name in self._declared:
            place = self._declared[name].location
            raise EvaluationError(f"the secret {name!r} was not given (declared at {place})")
        is_name = isinstance(name, str) and _NAME.fullmatch(name)
        near = nearest(name, [*self, *self._declared]) if is_name else None
        raise EvaluationError(
            f"there is no secret {repr(name) if is_name else 'of that name'}; expected one that the document "
            "declares" + (f"; did you mean {near!r}?" if near else "")
        )

    def holding(self, made: dict[str, Any]) -> Secrets:
        """A copy with these members; it is not what is masked or handed on."""
        copy = Secrets(None, made)
        copy._declared = self._declared
        return copy


def check_limit(value: object, name: str) -> float:
    """A limit given as an argument: a whole number of at least 1, or ``math.inf``."""
    if value == float("inf"):
        return float("inf")
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise InputError(f"{name} is {value!r}; expected a whole number of at least 1, or math.inf")


def check_seconds(value: object, name: str) -> float:
    """A time given as an argument: a number of seconds above 0."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return value
    raise InputError(f"{name} is {value!r}; expected a number of seconds above 0, or None")


def _missing(parameter: Parameter, given: Mapping[str, Any], declared: Sequence[Parameter]) -> str:
    names = {other.name for other in declared}
    near = nearest(parameter.name, [name for name in given if name not in names])
    hint = f" (is {near!r} meant to be it?)" if near else ""
    return f"{parameter.name!r} is missing; expected {describe_type(parameter.type, parameter.choices)}{hint}"
