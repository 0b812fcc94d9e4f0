"""Owns the places of a run: what each name in the document stands for, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ..program.compiled import PlacedStep, Program
from ..program.placing import programs_of
from ..runtimes.placing import BUILT_IN, HERE, Place
from ..types.ast import CheckpointNode
from ..types.errors import InputError, nearest

EVERY = "*"
"""Stands for every place that is not given."""


def check_places(
    program: Program, given: Mapping[str, Place | None] | None, secrets: Mapping[str, str]
) -> dict[str, Place]:
    """The places that a document and those that it runs name, by name.

    A name that is given None may not be used; ``*`` stands for all that are not given.

    Raises InputError for a name that nothing stands for, a place that cannot be used here, and what cannot run
    there.
    """
    places = _check_given(given or {})
    found: dict[str, Place] = {}
    for each in programs_of(program):
        for step in each.placed.values():
            if step.place not in found:
                found[step.place] = _find(step, places)
            _check_inside(step)
            place = found[step.place]
            place.check_secrets(step.place, step.secrets_among(secrets))
            for runtime in step.runtimes.values():
                place.check_runtime(step.place, runtime)
    return found


def _check_given(given: Mapping[str, Place | None]) -> Mapping[str, Place | None]:
    if not isinstance(given, Mapping):
        raise InputError(
            f"places is of type {type(given).__name__}; expected places by their names"
        )
    for name, place in given.items():
        if name == HERE:
            raise InputError(
                "places gives 'here', which is trio's own thread; expected another name"
            )
        if name == EVERY and place is not None:
            raise InputError(
                "places gives '*', which stands for all that are not given; expected None for it"
            )
        if place is not None and not isinstance(place, Place):
            raise InputError(
                f"the place {name!r} is of type {type(place).__name__}; expected a place, such as "
                "Process() or Dask('tcp://…')"
            )
    return given


def _find(step: PlacedStep, given: Mapping[str, Place | None]) -> Place:
    name = step.place
    place = given.get(name)
    built_in = [each for each in BUILT_IN if each not in given and EVERY not in given]
    if name in built_in:
        place = built_in_place(name)
    if place is None:
        known = [HERE, *built_in, *(each for each, found in given.items() if found is not None)]
        if name in BUILT_IN:
            raise InputError(
                f"the application lets no node run at {name!r} (at {step.part.location}); expected one of "
                + ", ".join(known)
            )
        near = nearest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise InputError(
            f"there is no place {name!r} (at {step.part.location}); expected one of {', '.join(known)}, or one "
            f"that the application gives: places={{{name!r}: …}}{hint}"
        )
    place.check(name)
    return place


def built_in_place(name: str) -> Place:
    """The place that a name stands for by itself; its module is imported where a document names it."""
    place: Place = import_module(f"flowscript_trio.placement.{name}").built_in()
    return place


def _check_inside(step: PlacedStep) -> None:
    """Raise InputError where a document that runs elsewhere has in it what belongs to the run."""
    for program in step.programs:
        name = program.document.name
        where = f"{step.label!r} (at {step.part.location}) runs {name!r} at {step.place!r}"
        for inner in program.placed.values():
            if inner.place != "thread":
                raise InputError(
                    f"{where}, and {inner.label!r} (at {inner.part.location}) has a place of its own in it: "
                    "expected thread there, or none"
                )
        for body in program.bodies.values():
            for each in body.steps:
                if each.compensate is not None or isinstance(each.node, CheckpointNode):
                    what = "asks a person" if each.compensate is None else "has a <compensate>"
                    raise InputError(
                        f"{where}, and {each.label!r} (at {each.location}) {what}, which only "
                        "the run itself can do"
                    )
