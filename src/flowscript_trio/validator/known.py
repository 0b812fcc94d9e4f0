"""Owns the settings of a node as far as they are known when the document is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from ..expression import Template
from .values import BoundSettings, Compute


class Known(Mapping[str, Any]):
    """The settings by their attributes, defaults included, but for those that are computed.

    They are looked up when they are asked for: few are. Those of a model that can only be validated as a whole are
    as they are written.
    """

    __slots__ = ("_settings",)

    def __init__(self, settings: BoundSettings) -> None:
        self._settings = settings

    def __getitem__(self, attribute: str) -> Any:
        settings = self._settings
        for setting in settings.computed:
            if setting.attribute == attribute:
                raise KeyError(attribute)
        config = settings.base if settings.computed else settings.constant
        if isinstance(config, BaseModel):
            return config.__dict__[attribute]
        if isinstance(config, Mapping):
            return config[attribute]
        if settings.whole is None:
            raise KeyError(attribute)
        info = settings.whole.model.model_fields[attribute]
        key = info.alias or attribute
        if key in settings.whole.written:
            return settings.whole.written[key]
        if info.is_required():
            raise KeyError(attribute)
        return info.get_default(call_default_factory=True)

    def __iter__(self) -> Iterator[str]:
        config = self._settings.base or self._settings.constant
        if isinstance(config, BaseModel):
            names = list(config.__dict__)
        elif isinstance(config, Mapping):
            names = list(config)
        else:
            whole = self._settings.whole
            names = [] if whole is None else list(whole.model.model_fields)
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def known_settings(settings: BoundSettings) -> Mapping[str, Any]:
    """The settings as far as they are known."""
    return Known(settings)


def computed_by(settings: BoundSettings, attribute: str) -> Compute | Template | None:
    """What computes a setting; None where it is known."""
    for setting in settings.computed:
        if setting.attribute == attribute:
            return setting.compute
    return None
