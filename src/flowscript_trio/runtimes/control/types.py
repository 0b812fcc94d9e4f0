"""Owns the config models of the control elements and of the parts inside them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ...expression import Expression
from ...types.durations import Duration
from ..markers import AfterBody, Binds, Constant, JsonScalar
from .values import Limit, Tolerate, Wait, WaitAll

MergeWord = Literal["array", "concat", "object", "none"]
Word = Annotated[str, Constant(), Field(min_length=1)]
"""A name that is known when the document is read."""
Name = Annotated[str, Constant(), Field(pattern=r"^[A-Za-z_][\w-]*$")]
"""A name that is bound for expressions."""
Scalar = Annotated[Any, JsonScalar()]

_ERROR_NAMES = Binds("error", "type", "message", "status", "retryable", "$error")


class ControlConfig(BaseModel):
    """What all models of this file share: no setting beside their own."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )


class BlockConfig(ControlConfig):
    """The settings of a block whose branches run at the same time."""

    max_concurrency: Limit | None = Field(
        default=None, description="how many branches run at once: a whole number, or unlimited"
    )
    wait: Wait = Field(
        default=WaitAll(), description="how many branches must succeed: all, any, n(K)"
    )
    merge: Annotated[MergeWord | Expression, Binds("$branches"), AfterBody()] = Field(
        default="array", description="how the branches' outputs become the block's output"
    )
    fail_fast: bool = Field(
        default=True, description="whether the first error cancels the other branches"
    )
    tolerate: Tolerate | None = Field(
        default=None, description="how many branches may fail: a number, or a share such as 10%"
    )

    @model_validator(mode="after")
    def _check_tolerate(self) -> Self:
        if self.tolerate is not None and not isinstance(self.wait, WaitAll):
            raise PydanticCustomError(
                "tolerate_in_a_race",
                'tolerate goes only with wait="all"; expected no tolerate beside another wait',
                {"setting": "tolerate"},
            )
        return self


class ParallelConfig(BlockConfig):
    """``<parallel>``"""


class ForeachConfig(BlockConfig):
    """``<foreach>``: without ``max_concurrency`` one iteration after another."""

    collection: Expression = Field(description="the items: a list, or any iterable")
    item: Name = Field(default="item", description="the name of the item in expressions")
    index: Name = Field(default="index", description="the name of the index in expressions")

    @model_validator(mode="after")
    def _check_merge(self) -> Self:
        if self.merge == "object":
            raise PydanticCustomError(
                "merge_object_of_foreach",
                "the iterations of a foreach have no names to merge into an object by; "
                "expected array, concat, none, or an expression over $branches",
                {"setting": "merge"},
            )
        return self


class IfConfig(ControlConfig):
    """``<if>``"""

    condition: Expression = Field(description="chooses then or else")


class BranchConfig(ControlConfig):
    """``<branch>`` outside of ``<parallel>``: its cases decide."""


class CaseConfig(ControlConfig):
    """``<case>``"""

    when: Expression = Field(description="the first case whose when is truthy runs")


class LoopConfig(ControlConfig):
    """``<loop>``"""

    max: int = Field(
        default=1000, ge=0, description="the number of rounds; reaching it is no error"
    )
    break_: Annotated[Expression | None, AfterBody(), Binds("$iteration")] = Field(
        default=None, alias="break", description="ends the loop, tested after each round"
    )


class WhileConfig(ControlConfig):
    """``<while>``"""

    condition: Annotated[Expression, AfterBody(), Binds("$iteration")] = Field(
        description="tested before each round"
    )
    max: int = Field(
        default=1000, ge=0, description="the number of rounds; going past it is an error"
    )


class BreakConfig(ControlConfig):
    """``<break>``"""

    when: Expression | None = Field(default=None, description="whether to leave the loop")
    loop: Word | None = Field(
        default=None, description="the id of the loop to leave; else the nearest"
    )


class TimeoutConfig(ControlConfig):
    """``<timeout>``"""

    duration: Duration = Field(description="the time for the whole body, retries included")
    on_timeout: Word | None = Field(
        default=None, description="the id of the node that runs instead"
    )


class DelayConfig(ControlConfig):
    """``<delay>``"""

    duration: Duration = Field(description="how long to sleep")


class ValueConfig(ControlConfig):
    """What gives a name a value."""

    value: Scalar = Field(description="the value")
    type: Literal["string"] | None = Field(
        default=None, description="string keeps the text as it is"
    )


class SetConfig(ValueConfig):
    """``<set var value>``"""

    var: Word = Field(description="the name of the variable")


class AssignConfig(ValueConfig):
    """``<set key value>`` in ``<context>``"""

    key: Word = Field(description="the name of the variable")


class OutputFieldConfig(ValueConfig):
    """``<set field value>`` in ``<output>``"""

    field: Word = Field(description="the name of the field")


class BindConfig(ValueConfig):
    """``<bind key value>`` in ``<include>``"""

    key: Word = Field(description="the name in the included document")


class ArgConfig(ValueConfig):
    """``<arg name value>`` in ``<call>``"""

    name: Word = Field(description="the name in the called document")


class ContextConfig(ControlConfig):
    """``<context>``: its assignments are parts."""


class OutputConfig(ControlConfig):
    """``<output>``: its fields are parts."""


class PhaseConfig(ControlConfig):
    """``<phase>``: its name is the node's own."""

    name: Word | None = Field(default=None, description="stands for its id in input and after")


class CheckpointConfig(ControlConfig):
    """``<checkpoint>``"""

    prompt: str = Field(default="", description="the question")
    default: Literal["approve", "reject"] = Field(
        default="reject", description="the answer without one"
    )
    condition: Expression | None = Field(default=None, description="when falsy, nobody is asked")


class ActionConfig(ControlConfig):
    """``<action>`` of a checkpoint"""

    id: Word = Field(description="the answer's name, unique in its checkpoint")
    label: str | None = Field(default=None, description="what people read")
    goto: Word | None = Field(default=None, description="the id of a later node of the same body")


class IncludeConfig(ControlConfig):
    """``<include>``"""

    workflow: Word = Field(description="the path of the document")


class CallConfig(ControlConfig):
    """``<call>``"""

    workflow: Word = Field(description="the path of the document")


class RetryConfig(ControlConfig):
    """``<retry>`` of ``<on-error>``"""

    max: int = Field(default=3, ge=0, description="further attempts after the first")
    when: Annotated[Literal["retryable"] | Expression, _ERROR_NAMES] = Field(
        default="retryable", description="which errors are tried again"
    )
    backoff: Literal["fixed", "linear", "exponential"] = Field(
        default="exponential", description="how the wait grows"
    )
    base: Duration = Field(default=1.0, description="the first wait")
    cap: Duration = Field(default=30.0, description="the longest wait")
    jitter: Literal["none", "full"] = Field(
        default="none", description="full: a random part of the wait"
    )


class FallbackConfig(ControlConfig):
    """``<fallback>`` of ``<on-error>``"""

    node: Word = Field(description="the id of the node whose output stands for the failed one's")


class CleanupConfig(ControlConfig):
    """``<finally>``, ``<compensate>`` and ``<on-workflow-error>``"""

    timeout: Duration = Field(default=10.0, description="the time that it may take")


class BodyConfig(ControlConfig):
    """A body that has no settings of its own: ``<then>``, ``<else>``, ``<default>``, …"""


CONTROL_CONFIGS: dict[str, type[ControlConfig]] = {
    "control:parallel": ParallelConfig,
    "control:foreach": ForeachConfig,
    "control:if": IfConfig,
    "control:branch": BranchConfig,
    "control:loop": LoopConfig,
    "control:while": WhileConfig,
    "control:break": BreakConfig,
    "control:timeout": TimeoutConfig,
    "control:delay": DelayConfig,
    "control:set": SetConfig,
    "control:context": ContextConfig,
    "control:phase": PhaseConfig,
    "control:checkpoint": CheckpointConfig,
    "control:include": IncludeConfig,
    "control:call": CallConfig,
    "control:output": OutputConfig,
}
"""The model of each control element, by the name of its runtime."""

PART_CONFIGS: dict[tuple[str, str], type[ControlConfig]] = {
    ("context", "set"): AssignConfig,
    ("output", "set"): OutputFieldConfig,
    ("include", "bind"): BindConfig,
    ("call", "arg"): ArgConfig,
    ("checkpoint", "action"): ActionConfig,
    ("on-error", "retry"): RetryConfig,
    ("on-error", "fallback"): FallbackConfig,
}
"""The model of each part, by the kind of the element that it stands in and its own name."""

BODY_CONFIGS: dict[str, type[ControlConfig]] = {
    "case": CaseConfig,
    "finally": CleanupConfig,
    "compensate": CleanupConfig,
    "on-workflow-error": CleanupConfig,
}
"""The model of each body that has settings, by the name of its element."""
