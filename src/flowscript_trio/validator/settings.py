"""Owns the binding of the settings of a document to the config model of a runtime."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..expression import to_text
from ..expression.shaping import NOT_CONSTANT
from ..language.elements import COMMON
from ..language.synonyms import nearest_name, setting_instead
from ..runtimes.control.types import AssignConfig, SetConfig
from ..types.ast import BaseNode, Body, Node, Part, Setting, Structure
from ..types.findings import Findings, text_of
from ..types.location import Text
from .fields import Field, Form, Plan, any_setting, plan_of
from .messages import describe_error, is_generic, merged, show
from .positions import word_of
from .texts import REFUSED, Compiler, Computed, Refused, Visibility, keep_text, scalar_of
from .values import BoundSetting, BoundSettings, Compute, WholeModel

Values = dict[str, tuple[Setting, Field, Any]]
"""The settings that could be read, by their attributes, with their constants or ``Computed``."""


_VARIABLES: dict[type[BaseModel], str] = {SetConfig: "var", AssignConfig: "key"}
"""The setting that names the variable which a model's ``value`` is for."""


class SettingsBinder:
    """Binds settings to models; what is wrong goes to the findings. ``texts`` are variables declared as text."""

    def __init__(self, compiler: Compiler, findings: Findings, texts: Collection[str] = ()) -> None:
        self._compiler = compiler
        self._findings = findings
        self._texts = texts

    def bind(
        self,
        model: type[BaseModel] | None,
        settings: Mapping[str, Setting],
        element: Node | Body | Part,
        visible: Visibility,
        label: str,
    ) -> BoundSettings:
        """The bound settings of an element, called ``label`` in messages.

        Without a model every setting is allowed.
        """
        plan = None if model is None else plan_of(model)
        if plan is not None and not settings and not plan.required and plan.is_plain:
            return BoundSettings(constant=plan.default)
        values = self._read(plan, settings, visible, label, element)
        if plan is None:
            return _bind_freely(values, label)
        missing = self._report_missing(plan, settings, element, label)
        constants, computed = _divide(values, label)
        known = _known_among(values)
        if missing or len(values) < len(settings):
            self._validate_each({**constants, **known})
            return BoundSettings()
        if not computed:
            return BoundSettings(constant=self._validate_all(plan, constants, element, set()))
        if plan.is_plain:
            base = plan.default
            if constants:
                base = base.model_copy(update=self._validate_each(constants))
            self._validate_each(known)
            return BoundSettings(base=base, computed=computed)
        ignored = {setting.attribute for setting in computed} - known.keys()
        self._validate_all(plan, {**constants, **known}, element, ignored)
        written = {field.key: value for _, field, value in constants.values()}
        keys = {field.attribute: field.key for _, field, _ in values.values()}
        return BoundSettings(computed=computed, whole=WholeModel(plan.model, written, keys))

    def bind_one(
        self, setting: Setting, field: Field, visible: Visibility, label: str
    ) -> BoundSetting | None:
        """A single setting that is outside of a model (``timeout``), or None where it is wrong."""
        value = self._compiler.value(setting, field, visible)
        if value is REFUSED:
            return None
        if isinstance(value, Computed):
            self._validate_each(_known_among({field.attribute: (setting, field, value)}))
            return _compute(setting, field, value.compute, label)
        checked = self._validate_each({field.attribute: (setting, field, value)})
        if field.attribute not in checked:
            return None
        return BoundSetting(setting, field.attribute, label, checked[field.attribute])

    def _read(
        self,
        plan: Plan | None,
        settings: Mapping[str, Setting],
        visible: Visibility,
        label: str,
        element: Node | Body | Part,
    ) -> Values:
        values: Values = {}
        for name, setting in settings.items():
            field = any_setting(name) if plan is None else plan.fields.get(name)
            if field is None:
                assert plan is not None
                if not plan.is_open:
                    self._report_unknown(setting, plan, label, element)
                    continue
                field = any_setting(name)
            if field.attribute in values:
                self._findings.at_name(
                    setting,
                    "setting-twice",
                    f"{setting.written!r} and {values[field.attribute][0].written!r} are the same setting",
                )
                continue
            value = self._compiler.value(setting, field, visible)
            if field.scalar_unless is not None:
                kind = settings.get(field.scalar_unless)
                if kind is not None or not self._is_text(plan, settings):
                    value = _read_scalar(value, kind)
            if isinstance(value, Computed) and field.constant is not None:
                self._findings.at_value(
                    setting,
                    "not-constant",
                    f"{setting.written} is computed; the language needs it when the document is read",
                    expected=field.constant.instead,
                )
                continue
            if field.resolve is not None and not isinstance(value, (Computed, Refused)):
                value = self._resolve(setting, field.resolve, value)
            if value is not REFUSED:
                values[field.attribute] = (setting, field, value)
        return values

    def _is_text(self, plan: Plan | None, settings: Mapping[str, Setting]) -> bool:
        """Whether it gives a value to a variable that the document declares as text."""
        if plan is None:
            return False
        named = settings.get(_VARIABLES.get(plan.model, ""))
        return named is not None and word_of(named) in self._texts

    def _resolve(self, setting: Setting, resolve: Callable[[Any, Any], Any], value: Any) -> Any:
        """What a constant means that may use names of the document's schemas."""
        schemas = self._compiler.schemas
        if not schemas:
            return value
        try:
            return resolve(value, schemas)
        except ValueError as exc:
            message, _, expected = str(exc).partition("; expected ")
            self._findings.at_value(
                setting,
                "invalid-setting",
                f"{setting.written}: {message}",
                expected=expected or None,
            )
            return REFUSED

    def _report_unknown(
        self, setting: Setting, plan: Plan, label: str, element: Node | Body | Part
    ) -> None:
        known = sorted({field.name for field in plan.fields.values()})
        is_node = isinstance(element, BaseNode)
        meant = [*known, *(COMMON if is_node else ())]
        instead = setting_instead(setting.name, element.tag, meant if is_node else None)
        near = None
        if instead is None:
            near = nearest_name(setting.name, meant)
            instead = "one of " + ", ".join(map(spell, known)) if known else "no settings"
        self._findings.at_name(
            setting,
            "unknown-setting",
            f"{label} has no setting {setting.written!r}",
            expected=instead,
            suggestion=None if near is None else spell(near),
        )

    def _report_missing(
        self,
        plan: Plan,
        settings: Mapping[str, Setting],
        element: Node | Body | Part,
        label: str,
    ) -> bool:
        if not plan.required:
            return False
        given = {id(plan.fields.get(name)) for name in settings}
        missing = [field for field in plan.required if id(field) not in given]
        for field in missing:
            self._findings.at_element(
                element,
                "missing-setting",
                f"{label} needs the setting {spell(field.name)!r}",
                expected=f"{spell(field.name)}, as an attribute or a child element",
            )
        return bool(missing)

    def _validate_all(
        self, plan: Plan, constants: Values, element: Node | Body | Part, ignored: set[str]
    ) -> BaseModel | None:
        """The config of constants. Errors about settings in ``ignored`` (which are computed) do not count."""
        written = {field.key: value for _, field, value in constants.values()}
        by_key = {field.key: (setting, field) for setting, field, _ in constants.values()}
        try:
            return plan.model.model_validate(written)
        except ValidationError as exc:
            for detail in merged(exc.errors(include_url=False)):
                named = detail.get("ctx", {}).get("setting") or (detail["loc"] or ("",))[0]
                if named in by_key:
                    self._report_value(by_key[str(named)][0], detail)
                elif not ignored:
                    told = describe_error(detail)
                    self._findings.at_element(
                        element, "invalid-setting", told.message, expected=told.expected
                    )
        return None

    def _validate_each(self, constants: Values) -> dict[str, Any]:
        """The validated constants by attribute, without those that are wrong."""
        checked = {}
        for attribute, (setting, field, value) in constants.items():
            if field.form in (Form.EXPRESSION, Form.TEMPLATE):
                checked[attribute] = value
                continue
            try:
                checked[attribute] = field.validate(value)
            except ValidationError as exc:
                for detail in merged(exc.errors(include_url=False)):
                    self._report_value(setting, {**detail, "loc": (field.key, *detail["loc"])})
        return checked

    def _report_value(self, setting: Setting, detail: ErrorDetails) -> None:
        inside = tuple(step for step in detail["loc"][1:])
        told = describe_error({**detail, "loc": inside} if inside else detail)
        leaf = _leaf(setting.value, inside)
        message, found = told.message, None
        if told.expected is not None and is_generic(detail):
            found = show(detail["input"])
            where = f"{setting.written}: {told.path}" if inside and told.path else setting.written
            message = f"the value of {where} is not right"
        elif inside:
            message = f"{setting.written}: {message}"
        details = {"found": found, "expected": told.expected}
        if leaf is None:
            self._findings.at_value(setting, "invalid-setting", message, **details)
        else:
            self._findings.in_text(leaf, 0, len(leaf.value), "invalid-setting", message, **details)


def spell(name: str) -> str:
    """A setting's name as documents spell it."""
    return name.replace("_", "-")


def _read_scalar(value: Any, kind: Setting | None) -> Any:
    """The value of a ``<set>`` and its like."""
    if value is REFUSED:
        return value
    if kind is not None and isinstance(kind.value, Text) and kind.value.value.strip() == "string":
        return keep_text(value)
    return scalar_of(value) if isinstance(value, str) else value


def _divide(values: Values, label: str) -> tuple[Values, tuple[BoundSetting, ...]]:
    """The constants, and the computed settings."""
    constants, computed = {}, []
    for attribute, read in values.items():
        setting, field, value = read
        if isinstance(value, Computed):
            computed.append(_compute(setting, field, value.compute, label))
        else:
            constants[attribute] = read
    return constants, tuple(computed)


def _known_among(values: Values) -> Values:
    """The settings that are computed and are the same in every scope (``{{'4'}}``), with what they are."""
    known = {}
    for attribute, (setting, field, value) in values.items():
        if isinstance(value, Computed) and value.known is not NOT_CONSTANT:
            given = value.known
            if field.takes_text and isinstance(given, (int, float)):
                given = to_text(given)
            known[attribute] = (setting, field, given)
    return known


def _bind_freely(values: Values, label: str) -> BoundSettings:
    constants, computed = _divide(values, label)
    config = {name: value for name, (_, _, value) in constants.items()}
    if computed:
        return BoundSettings(base=config, computed=computed)
    return BoundSettings(constant=config)


def _compute(setting: Setting, field: Field, compute: Compute, label: str) -> BoundSetting:
    validate = None if field.type is Any else field.validate
    return BoundSetting(setting, field.attribute, label, None, compute, validate, field.takes_text)


def _leaf(value: Any, path: tuple[int | str, ...]) -> Text | None:
    """The text at a path inside a structure, where there is one."""
    if path and isinstance(value, Text):
        from ..parser.yaml import read_yaml

        value = read_yaml(value)  # again: places inside it are only needed here
    for step in path:
        if not isinstance(value, Structure):
            break
        if value.kind == "list":
            inside = isinstance(step, int) and step < len(value.value)
            value = value.value[step] if inside else value  # type: ignore[index]
        else:
            found = [item for key, item in value.value if str(key) == str(step)]
            value = found[0] if found else value
    text = text_of(value)
    return text if text is not None and text.value else None
