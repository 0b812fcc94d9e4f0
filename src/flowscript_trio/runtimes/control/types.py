"""Owns the config models of the control elements and of the parts inside them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

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
Also = Annotated[Literal["begun"], Constant()]
"""When a ``<compensate>`` runs besides where its node has succeeded."""
Scalar = Annotated[Any, JsonScalar()]

PLACE_MEANING = (
    "where it runs, whole: here, thread, process, cluster, or a name that the application gives; "
    "default: here"
)

_ERROR_NAMES = Binds("error", "type", "message", "status", "retryable", "$error")


class ControlConfig(BaseModel):
    """What all models of this file share: no setting besides their own."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        arbitrary_types_allowed=True,
    )


class BlockConfig(ControlConfig):
    """The settings of a block whose branches run at the same time."""

    max_concurrency: Limit | None = Field(
        default=None,
        description="how many branches run at once: a whole number, or unlimited; default: the run's",
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
    on_timeout: Word = Field(
        default="fail",
        description="what follows when the timeout has passed: fail; keep, to end with what has succeeded; or the "
        "id of the node that runs instead",
    )
    accept: Annotated[Expression | None, Binds("result")] = Field(
        default=None,
        description="whether a branch's output, result, is accepted; a branch whose output is not has failed",
    )
    stagger: Duration | None = Field(
        default=None,
        description="how long after the branch before it a branch starts, unless that one has failed",
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
    """``<parallel>``: runs its branches at the same time, each a task of one nursery."""


class ForeachConfig(BlockConfig):
    """``<foreach>``: runs its body once for each item of a collection; the output is a list of their outputs."""

    max_concurrency: Limit | None = Field(
        default=None,
        description="how many iterations run at once: a whole number, or unlimited; default: 1",
    )
    collection: Expression = Field(description="the items: a list, or any iterable")
    item: Name = Field(default="item", description="the name of the item in expressions")
    index: Name = Field(default="index", description="the name of the index in expressions")
    batch: int | None = Field(
        default=None,
        ge=1,
        description="how many items each iteration takes at a time, as a list; the last list may have fewer",
    )
    throttle: Duration | None = Field(
        default=None,
        description="how long after an iteration the next one starts; no item is lost, the source waits",
    )
    debounce: Duration | None = Field(
        default=None,
        description="an item counts only if no other follows it for this long; the others are left out",
    )

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
    """``<if>``: runs ``<then>`` where the condition is truthy, else ``<else>``."""

    condition: Expression = Field(description="chooses then or else")


class BranchConfig(ControlConfig):
    """``<branch>`` outside of ``<parallel>``: runs the first case whose condition is truthy, else the default."""


class CaseConfig(ControlConfig):
    """``<case>`` of a ``<branch>``: runs if its condition is the first that is truthy."""

    when: Expression = Field(description="the first case whose when is truthy runs")


class LoopConfig(ControlConfig):
    """``<loop>``: runs its body again and again, and tests after each round whether to end."""

    max: int = Field(
        default=1000, ge=0, description="the number of rounds; reaching it is not an error"
    )
    break_: Annotated[Expression | None, AfterBody(), Binds("$iteration")] = Field(
        default=None, alias="break", description="ends the loop, tested after each round"
    )


class WhileConfig(ControlConfig):
    """``<while>``: runs its body as long as the condition, tested before each round, is truthy."""

    condition: Annotated[Expression, AfterBody(), Binds("$iteration")] = Field(
        description="tested before each round"
    )
    max: int = Field(
        default=1000, ge=0, description="the number of rounds; going past it is an error"
    )


class BreakConfig(ControlConfig):
    """``<break>``: leaves a loop."""

    when: Expression | None = Field(default=None, description="whether to leave the loop")
    loop: Word | None = Field(
        default=None, description="the id of the loop to leave; else the nearest"
    )


class TimeoutConfig(ControlConfig):
    """``<timeout>``: bounds the time of its whole body, and cancels it when that has passed."""

    duration: Duration = Field(description="the time for the whole body, retries included")
    on_timeout: Word | None = Field(
        default=None, description="the id of the node that runs instead"
    )


class DelayConfig(ControlConfig):
    """``<delay>``: waits; its output is its input."""

    duration: Duration = Field(description="how long to sleep")


class ValueConfig(ControlConfig):
    """What gives a name a value."""

    value: Scalar = Field(description="the value")
    type: Literal["string"] | None = Field(
        default=None, description="string keeps the text as it is"
    )


class SetConfig(ValueConfig):
    """``<set>``: gives a variable a value."""

    var: Word = Field(description="the name of the variable")


class AssignConfig(ValueConfig):
    """``<set>`` in ``<context>``: gives a variable a value."""

    key: Word = Field(description="the name of the variable")


class OutputFieldConfig(ValueConfig):
    """``<set>`` in ``<output>``: gives a field of the output its value."""

    field: Word = Field(description="the name of the field")


class BindConfig(ValueConfig):
    """``<bind>`` in ``<include>``: gives the included document a value."""

    key: Word = Field(description="the name in the included document")


class ArgConfig(ValueConfig):
    """``<arg>`` in ``<call>``: gives the called document an argument."""

    name: Word = Field(description="the name in the called document")


class ContextConfig(ControlConfig):
    """``<context>``: gives several variables their values."""


class OutputConfig(ControlConfig):
    """``<output>``: what the run returns; the last node of a workflow."""


class PhaseConfig(ControlConfig):
    """``<phase>``: runs its nodes by what they depend on, after all earlier siblings and before all later ones."""

    name: Word | None = Field(
        default=None, description="takes the place of its id in input and after"
    )


class CheckpointConfig(ControlConfig):
    """``<checkpoint>``: asks a person, and goes on as they answer."""

    prompt: str = Field(default="", description="the question")
    default: Literal["approve", "reject"] = Field(
        default="reject", description="the answer without one"
    )
    condition: Expression | None = Field(default=None, description="when falsy, nobody is asked")


class ActionConfig(ControlConfig):
    """``<action>`` of a ``<checkpoint>``: an answer that can be given."""

    id: Word = Field(description="the answer's name, unique in its checkpoint")
    label: str | None = Field(default=None, description="what people read")
    goto: Word | None = Field(default=None, description="the id of a later node of the same body")


class IncludeConfig(ControlConfig):
    """``<include>``: runs another document here, with this one's configuration and secrets."""

    workflow: Word = Field(description="the path of the document")


class CallConfig(ControlConfig):
    """``<call>``: runs another document by itself, with its arguments; other attributes are arguments, too."""

    workflow: Word = Field(description="the path of the document")


class RetryConfig(ControlConfig):
    """``<retry>`` of ``<on-error>``: tries the node again."""

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
    retry_after: Literal["wait", "ignore"] = Field(
        default="wait",
        description="whether to wait for as long as an answer asks (Retry-After), where that is longer",
    )


class FallbackConfig(ControlConfig):
    """``<fallback>`` of ``<on-error>``: runs another node instead, once no further attempt is made."""

    node: Word = Field(description="the id of the node whose output replaces the failed one's")


class SideConfig(ControlConfig):
    """``<branch>`` of a ``<parallel>``: its nodes, in document order."""

    place: Name | None = Field(default=None, description=PLACE_MEANING)


class CleanupConfig(ControlConfig):
    """``<finally>``, ``<on-workflow-error>``: clean up, shielded and bounded in time."""

    timeout: Duration = Field(default=10.0, description="the time that it may take")


class CompensateConfig(CleanupConfig):
    """``<compensate>``: what undoes its node, shielded and bounded in time."""

    also: Also | None = Field(
        default=None,
        description="begun: it also runs where its node was cut off while at work and may have acted (cancelled, "
        "too slow, or not done again after its process died)",
    )


class BodyConfig(ControlConfig):
    """A body that has no settings of its own: ``<then>``, ``<else>``, ``<default>``, …"""


PART_CONFIGS: dict[tuple[str, str], type[ControlConfig]] = {
    ("context", "set"): AssignConfig,
    ("output", "set"): OutputFieldConfig,
    ("include", "bind"): BindConfig,
    ("call", "arg"): ArgConfig,
    ("checkpoint", "action"): ActionConfig,
    ("on-error", "retry"): RetryConfig,
    ("on-error", "fallback"): FallbackConfig,
}
"""The model of each part, by the kind of the element that it is in and its own name."""

BODY_CONFIGS: dict[str, type[ControlConfig]] = {
    "branch": SideConfig,
    "case": CaseConfig,
    "finally": CleanupConfig,
    "compensate": CompensateConfig,
    "on-workflow-error": CleanupConfig,
}
"""The model of each body that has settings, by the name of its element."""
