"""Owns what a runtime is, and what it is handed when a node runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable
from uuid import NAMESPACE_URL, uuid5

import trio
from pydantic import BaseModel

from ..expression.scope import Overlay, Scope, Services
from ..types.ast import BaseNode
from ..types.deferred import dataclass
from ..types.http import HttpOptions
from ..types.shapes import UNKNOWN, Shape
from .isolation import private_copy

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    Config = TypeVarWithDefault("Config", default=Any)
else:
    Config = TypeVar("Config")

T = TypeVar("T")
ConfigModel = type[BaseModel]


def key_of(run_id: str, path: str) -> str:
    """The idempotency key of the execution at a path."""
    return str(uuid5(NAMESPACE_URL, f"flowscript:{run_id}/{path}"))


class RunServices(Protocol):
    """What a runtime may use of the run that its node is part of."""

    @property
    def id(self) -> str:
        """The id of the run."""

    @property
    def base(self) -> Path | None:
        """The folder that file paths are confined to; None is the current folder, without any confinement."""

    @property
    def idempotency_key(self) -> str | None:
        """In a durable run that of :class:`ExecutionParams`, for services that take one; None in any other."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """All secrets that the run was given, by name."""

    @property
    def services(self) -> Services:
        """Clock, chance and bounds of the run."""

    @property
    def http(self) -> HttpOptions:
        """What the application allows and gives the HTTP of the run."""

    @property
    def places(self) -> Mapping[str, Any]:
        """Where nodes of the run may run (:class:`~flowscript_trio.runtimes.placing.Place`), by name."""

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        """The run's one resource of that key, opened by ``factory`` when it is first asked for.

        Args:
            key: names the resource in the run.
            factory: a function without arguments that gives it, or a coroutine or a context manager (sync or
                async) that does. A lock or a limiter is given as it is, and not taken.

        Returns:
            what the factory made, or what its context manager gave; the same to all who ask for the key.

        Raises:
            BaseException: what the factory raised. Whoever asks next tries again.
            RuntimeError: a factory asks for the resource that it opens, or for one that waits for it; or the
                run has ended.

        The run closes what it opened when it ends, however it ends, last opened first: it leaves the context
        manager, or calls ``aclose()`` or ``close()`` where there is one. Each has ten seconds, shielded. Opening
        and closing happen in the context of the run (its context variables), and in an async context manager in
        one task.

        Of several nodes that ask at once one opens it and the others wait. Cancellation of one that waits leaves
        the opening alone; of the one that opens it, the opening is cancelled, and the next node tries.
        """

    async def keep_first(self, value: Any) -> Any:
        """In a durable run: what this attempt of the node has kept first, in whatever process.

        What is kept (``value``, where nothing is yet) is on disk when this returns: a runtime keeps what it finds
        before it changes it, so that it can be put back. In any other run it is ``value``. Cancelled, it may have
        been kept. Raises CannotKeep for a value that cannot be.
        """

    def count_request(self) -> None:
        """Count a request that is about to be sent against the budget of the run; raises BudgetExceeded."""

    def keep(self, value: Any) -> None:
        """Count the bytes of a value that a node is making against the budget of the run.

        What a node returns is counted anyway: only one that makes much before it ends has to. Raises
        BudgetExceeded.
        """

    def grow(self, made: list[Any], since: int) -> None:
        """Count, as :meth:`keep`, what a list has grown by since it had this many items."""

    def warn(self, node: BaseNode, message: str) -> None:
        """Put a warning that names the node on the run's record."""

    def of_node(self, path: str, attempt: int) -> RunServices:
        """The run as one attempt of a node sees it: what it draws is its own."""


class NodeAttempt(Protocol):
    """Which attempt of which execution it is, from 1."""

    path: str
    number: int


class StateView(Protocol):
    """The scope of a node, to read: what is handed out is the reader's own copy."""

    def __getitem__(self, name: str) -> Any:
        """The output of the node of that id, else the variable or ``$`` name; KeyError if there is none."""

    def get(self, name: str, default: Any = None) -> Any: ...
    def __contains__(self, name: object) -> bool: ...


class _Private:
    """A :class:`StateView` over a scope."""

    __slots__ = ("_copy", "_scope")

    def __init__(self, scope: Scope, copy: Callable[[Any], Any]) -> None:
        self._scope = scope
        self._copy = copy

    def get(self, name: str, default: Any = None) -> Any:
        node = self._scope.node(name)
        found = self._scope.value(name) if node is None else node.output
        return default if found is None else self._copy(found)

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            self._scope.node(name) is not None or self._scope.value(name) is not None
        )


class ExecutionParams(Generic[Config]):
    """What a runtime is handed when a node runs; ``ExecutionParams[Model]`` where its settings are a model.

    ``node`` is the node of the document; ``config`` the node's settings (an instance of the runtime's
    config model, or without one a dict with snake_case keys); ``input`` the node's input; ``state`` a
    read-only view of the scope; ``run`` the services of the run.

    ``config``, ``input`` and what ``state`` hands out are private copies, made when first touched, unless
    the runtime says that it only reads.

    It waits for nothing, so cancellation does nothing to it; a runtime that holds one must let
    ``trio.Cancelled`` pass.
    """

    __slots__ = (
        "_attempt",
        "_config",
        "_execution",
        "_input",
        "_owned",
        "_parts",
        "_run",
        "node",
        "scope",
    )

    _UNTOUCHED = 0
    _CONFIG = 1
    _INPUT = 2
    _ALL = 3

    def __init__(
        self,
        node: BaseNode,
        config: Any,
        input: Any,
        scope: Scope,
        run: RunServices,
        shared: bool,
        parts: Sequence[Callable[[Scope], Any]] = (),
        attempt: NodeAttempt | None = None,
    ) -> None:
        self.node: BaseNode = node
        self.scope: Scope = scope
        self._run = run
        self._attempt = attempt
        self._execution = attempt
        self._config = config
        self._input = input
        self._parts = parts
        self._owned = self._ALL if shared else self._UNTOUCHED

    @property
    def run(self) -> RunServices:
        if self._attempt is not None:  # made when first asked for: most runtimes do not
            self._run = self._run.of_node(self._attempt.path, self._attempt.number)
            self._attempt = None
        return self._run

    @property
    def execution(self) -> NodeAttempt | None:
        """Which attempt of which execution it is; None for a built-in runtime in a run that keeps nothing."""
        return self._execution

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this execution, also after a crash, and for no other execution.

        A service that is given it can tell that a request was made before. Where the node begins a run of its own,
        that is the ``run_id`` for it.
        """
        path = "" if self._execution is None else self._execution.path
        return key_of(self.run.id, path)

    @property
    def config(self) -> Config:
        if not self._owned & self._CONFIG:
            self._config = self._copy(self._config)
            self._owned |= self._CONFIG
        config: Config = self._config
        return config

    @property
    def input(self) -> Any:
        if not self._owned & self._INPUT:
            self._input = self._copy(self._input)
            self._owned |= self._INPUT
        return self._input

    def originals(self) -> tuple[Any, Any]:
        """The settings and the input themselves: for who copies them anyway, and never changes them."""
        return self._config, self._input

    def given_to(self, run: RunServices) -> ExecutionParams[Config]:
        """The same with another view of the run: for a place that hands them to the runtime itself."""
        shared = self._owned == self._ALL
        return ExecutionParams(
            self.node,
            self._config,
            self._input,
            self.scope,
            run,
            shared,
            self._parts,
            self._execution,
        )

    @property
    def parts(self) -> Iterator[Any]:
        """The settings of the parts inside the node (cases, assignments), each computed when it is reached."""
        return (part(self.scope) for part in self._parts)

    @property
    def state(self) -> StateView:
        return _Private(self.scope, self._copy)

    def evaluate(self, code: Callable[[Scope], T], **names: Any) -> T:
        """The value of a compiled expression or template in the node's scope, with further names bound."""
        return code(Overlay(self.scope, names) if names else self.scope)

    def _copy(self, value: Any) -> Any:
        def warn(kind: str) -> None:
            self.run.warn(
                self.node,
                f"a {kind} cannot be copied: {self.node.label!r} was handed the shared object itself",
            )

        return private_copy(value, warn)


@runtime_checkable
class NodeRuntime(Protocol):
    """What runs a kind of node.

    ``type`` is its name (``source:http``); ``config`` the pydantic model of its settings, or None: any
    setting is allowed and they arrive as a dict. ``reads_only`` says that it never changes what it is
    given, so that it can be given the originals. ``timeout`` is the default of the node's ``timeout``, in
    seconds, or None.

    ``execute`` gives the node's output away: it must not change it afterwards. It must let
    ``trio.Cancelled`` pass.
    """

    @property
    def type(self) -> str: ...
    @property
    def config(self) -> ConfigModel | None: ...
    @property
    def reads_only(self) -> bool: ...
    @property
    def timeout(self) -> float | None: ...

    def execute(self, params: ExecutionParams) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class FunctionRuntime:
    """A runtime that is one async function of :class:`ExecutionParams`."""

    type: str
    function: Callable[[ExecutionParams], Awaitable[Any]]
    config: ConfigModel | None = None
    reads_only: bool = False
    timeout: float | None = None
    output: Shape = UNKNOWN
    pure: bool = False
    """Whether it only computes: a durable run does not keep its output, and computes it again."""

    def gives(self, known: Mapping[str, Any]) -> Shape:
        """What its nodes give, with the settings that are known when a document is read."""
        return self.output

    def execute(self, params: ExecutionParams) -> Awaitable[Any]:
        return self.function(params)


@dataclass(frozen=True, slots=True)
class BlockingRuntime:
    """A runtime that is one plain function of :class:`ExecutionParams`: it runs in a thread, wherever it does.

    Cancellation waits for it, unless it says that it may be left behind (``abandon_on_cancel``).
    """

    type: str
    function: Callable[[ExecutionParams], Any]
    config: ConfigModel | None = None
    reads_only: bool = False
    timeout: float | None = None
    abandon_on_cancel: bool = False

    def execute(self, params: ExecutionParams) -> Awaitable[Any]:
        return self.in_thread(params, None)

    async def in_thread(self, params: ExecutionParams, limiter: trio.CapacityLimiter | None) -> Any:
        """Call the function in a thread, with a token of that limiter (None: trio's own)."""
        from .threads import run_in_thread  # most workflows have no such node

        return await run_in_thread(
            self.function, params, abandon_on_cancel=self.abandon_on_cancel, limiter=limiter
        )
