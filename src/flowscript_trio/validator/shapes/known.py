"""Owns the settings of a node as far as they are known when the document is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ...expression import Template
from ..values import BoundSettings, Compute

COMPUTED = object()
"""Stands for the value of a setting that is computed when the node runs."""


def known_settings(settings: BoundSettings) -> Mapping[str, Any]:
    """The settings by their attributes, defaults included; those that are computed are left out."""
    config = settings.base if settings.computed else settings.constant
    known: dict[str, Any] = {}
    if isinstance(config, BaseModel):
        known = dict(vars(config))
    elif isinstance(config, Mapping):
        known = dict(config)
    elif settings.whole is not None:
        known = _known_of_whole(settings)
    for setting in settings.computed:
        known.pop(setting.attribute, None)
    return known


def _known_of_whole(settings: BoundSettings) -> dict[str, Any]:
    """Those of a model that is validated as a whole when it runs: what is written, as it is written."""
    assert settings.whole is not None
    known = {}
    for attribute, info in settings.whole.model.model_fields.items():
        key = info.alias or attribute
        if key in settings.whole.written:
            known[attribute] = settings.whole.written[key]
        elif not info.is_required():
            known[attribute] = info.get_default(call_default_factory=True)
    return known


def computed_by(settings: BoundSettings, attribute: str) -> Compute | Template | None:
    """What computes a setting; None where it is known."""
    for setting in settings.computed:
        if setting.attribute == attribute:
            return setting.compute
    return None
