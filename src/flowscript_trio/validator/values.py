"""Owns the compiled form of settings: constants that are ready, and what is computed when a node runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..expression import to_text
from ..expression.scope import Scope
from ..types.ast import Setting
from ..types.deferred import dataclass
from ..types.errors import SettingError
from ..types.findings import text_of
from ..types.location import Location
from .messages import describe_error, is_generic, merged, show

Compute = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True, eq=False)
class BoundSetting:
    """One setting: a validated constant, or computed in a scope and validated then.

    ``setting`` is the setting as it is in the document, ``attribute`` its name in the config; ``owner``
    is the label of its node, for messages.
    """

    setting: Setting
    attribute: str
    owner: str
    constant: Any = None
    compute: Compute | None = None
    validate: Callable[[Any], Any] | None = None
    takes_text: bool = False

    @property
    def location(self) -> Location:
        """The place of its value, or of its name for a constant from YAML."""
        text = text_of(self.setting.value)
        return self.setting.location if text is None or not text.value else text.location()

    def __call__(self, scope: Scope) -> Any:
        """The value in a scope; raises SettingError for one that is not accepted, and EvaluationError."""
        if self.compute is None:
            return self.constant
        value = self.evaluate(scope)
        if self.validate is None:
            return value
        try:
            return self.validate(value)
        except ValidationError as exc:
            raise setting_error(self, value, exc) from None

    def evaluate(self, scope: Scope) -> Any:
        """The computed value before it is validated. Where text is wanted, numbers and booleans become it."""
        assert self.compute is not None
        value = self.compute(scope)
        if self.takes_text and isinstance(value, (int, float)):
            return to_text(value)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class BoundSettings:
    """All settings of a node, part or body.

    ``constant`` is the config itself where nothing is computed, else None. Otherwise ``base`` is the config
    with its constant settings, and ``computed`` are the others. ``whole`` is given where the model has
    validators of its own: it then validates the constants as written with the computed ones.
    """

    constant: Any = None
    base: Any = None
    computed: tuple[BoundSetting, ...] = ()
    whole: WholeModel | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the config is the same in every scope."""
        return not self.computed

    def config(self, scope: Scope) -> Any:
        """The config in a scope: an instance of the runtime's model, or without one a dict.

        Raises SettingError, which names the setting, its place, its value and what is expected, for a
        computed value that is not accepted, and EvaluationError where computing it fails.
        """
        if not self.computed:
            return self.constant
        if self.whole is not None:
            return self.whole.validate(self.computed, scope)
        values = {setting.attribute: setting(scope) for setting in self.computed}
        if isinstance(self.base, BaseModel):
            return self.base.model_copy(update=values)
        return {**self.base, **values}


@dataclass(frozen=True, slots=True, eq=False)
class WholeModel:
    """A model that can only be validated as a whole. ``keys`` maps attributes to keys of its input."""

    model: type[BaseModel]
    written: Mapping[str, Any]
    keys: Mapping[str, str]

    def validate(self, computed: tuple[BoundSetting, ...], scope: Scope) -> BaseModel:
        values = {self.keys[s.attribute]: s.evaluate(scope) for s in computed}
        try:
            return self.model.model_validate({**self.written, **values})
        except ValidationError as exc:
            by_key = {self.keys[s.attribute]: s for s in computed}
            for detail in exc.errors(include_url=False):
                named = detail.get("ctx", {}).get("setting") or (detail["loc"] or ("",))[0]
                if named in by_key:
                    raise self._error(by_key[named], values[named], exc, str(named)) from None
            first = computed[0]
            key = self.keys[first.attribute]
            raise self._error(first, values[key], exc, key) from None

    def _error(
        self, setting: BoundSetting, value: Any, error: ValidationError, key: str
    ) -> SettingError:
        hidden: frozenset[str] = getattr(self.model, "unshown", frozenset())
        return setting_error(setting, value, error, key, is_shown=setting.attribute not in hidden)


def setting_error(
    setting: BoundSetting,
    value: Any,
    error: ValidationError,
    key: str | None = None,
    *,
    is_shown: bool = True,
) -> SettingError:
    """What to raise for a computed value that is not accepted.

    ``key`` is given for an error of a whole model: the setting's key in it. ``is_shown`` is False for a value in
    which secrets may be.
    """
    details = error.errors(include_url=False)
    own = [detail for detail in details if key and detail["loc"][:1] == (key,)]
    detail = merged(own or details)[0]
    told = describe_error(detail)
    about_all = bool(key) and not own
    reason = told.message if about_all or not is_generic(detail) else ""
    found = (show(value) if is_shown else "not right") + (f": {reason}" if reason else "")
    expected = f"; expected {told.expected}" if told.expected else ""
    name = setting.setting.written
    return SettingError(
        f"{setting.location}: the setting {name!r} of {setting.owner} is {found}{expected}"
    )
