"""Owns how places are given on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..types.errors import InputError

if TYPE_CHECKING:
    from ..runtimes.placing import Place


def read_places(given: tuple[str, ...]) -> dict[str, Place]:
    """The places of ``--place``, each NAME=ADDRESS, or NAME and the name of a built-in one."""
    if not given:
        return {}
    from ..execution.placing import built_in_place
    from ..placement.cluster import Dask
    from ..runtimes.placing import BUILT_IN

    places: dict[str, Place] = {}
    for pair in given:
        name, equals, address = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--place {pair!r} is not NAME=ADDRESS")
        if address in BUILT_IN:
            places[name] = built_in_place(address)
            continue
        try:
            places[name] = Dask(address)
        except InputError as exc:
            raise click.UsageError(
                f"--place {pair}: {exc}, or {', '.join(BUILT_IN[:-1])} or {BUILT_IN[-1]}"
            ) from None
    return places
