"""Owns the registry: which runtime a node's type names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Set
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from ..language.elements import ELEMENTS
from ..language.structure import CONTROLS
from ..types.errors import FlowScriptError, RuntimeNotFound, nearest
from ..types.shapes import UNKNOWN, Shape, shape_of_schema
from ..types.shorthand import schema_of_text
from .types import BlockingRuntime, ExecutionParams, FunctionRuntime, NodeRuntime
from .wrapping import Around, Wrapped

RuntimeFunction = TypeVar("RuntimeFunction", bound=Callable[[ExecutionParams], Awaitable[Any]])
PlainFunction = TypeVar("PlainFunction", bound=Callable[[ExecutionParams], Any])

_NAME = re.compile(r"(source|transform|sink|control):[A-Za-z_][\w.-]*")


class Registry:
    """Runtimes by name. With ``base``, what is not here is looked up there, and a name here hides its.

    ``homes`` are the modules that register names when they are imported; that is done when such a name is
    first asked for.

    Nothing here waits, so cancellation does nothing to it.
    """

    def __init__(
        self, base: Registry | None = None, homes: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._base = base
        self._homes = homes
        self._runtimes: dict[str, NodeRuntime] = {}

    def register(self, name: str, runtime: NodeRuntime) -> None:
        """Add ``runtime`` under ``name``; raises FlowScriptError if the name is malformed or taken here."""
        if not _NAME.fullmatch(name):
            raise FlowScriptError(
                f"{name!r} is not the name of a runtime; expected source:…, transform:… or sink:…"
            )
        if self._own(name) is not None:
            raise FlowScriptError(f"a runtime named {name!r} is already registered")
        if isinstance(runtime, BlockingRuntime):
            _check_plain(name, runtime.function)
        elif isinstance(runtime, FunctionRuntime):
            _check_coroutine(name, runtime.function)
        else:
            _check_coroutine(name, getattr(runtime, "execute", None), "the method execute of ")
        self._runtimes[name] = runtime

    def runtime(
        self,
        name: str,
        *,
        config: type[BaseModel] | None = None,
        reads_only: bool = False,
        timeout: float | None = None,
        output: str | Mapping[str, Any] | None = None,
        pure: bool = False,
    ) -> Callable[[RuntimeFunction], RuntimeFunction]:
        """A decorator that registers an async function of :class:`ExecutionParams` under ``name``.

        ``config`` is the pydantic model of its settings; without one they arrive as a dict. ``timeout`` is
        the default of its nodes' ``timeout``, in seconds. ``output`` says what it returns, in the short form of
        ``output-schema`` or as JSON Schema: it is used when a document is read, and believed when it runs.
        ``pure`` says that it only computes: a durable run does not keep what it gave, and computes it again. The
        function itself is returned unchanged. Raises ValueError for an ``output`` that is not a schema.

        When its branch, its block or its run is cancelled, so is the function, at its next checkpoint: it may
        clean up, and must let ``trio.Cancelled`` pass.
        """

        shape = _shape_of(output)

        def decorate(function: RuntimeFunction) -> RuntimeFunction:
            made = FunctionRuntime(name, function, config, reads_only, timeout, shape, pure)
            self.register(name, made)
            return function

        return decorate

    def blocking_runtime(
        self,
        name: str,
        *,
        config: type[BaseModel] | None = None,
        reads_only: bool = False,
        timeout: float | None = None,
        abandon_on_cancel: bool = False,
    ) -> Callable[[PlainFunction], PlainFunction]:
        """A decorator that registers a plain function of :class:`ExecutionParams`, which may block its thread.

        Its nodes say where: ``place="thread"``, ``process``, ``cluster``, or a place of the application. The other
        arguments are those of :meth:`runtime`.

        A node that is cancelled waits in a thread for the function to return; with ``abandon_on_cancel`` it does
        not, and the thread goes on by itself. In a process the function ends at once, with its worker.
        """

        def decorate(function: PlainFunction) -> PlainFunction:
            runtime = BlockingRuntime(
                name, function, config, reads_only, timeout, abandon_on_cancel
            )
            self.register(name, runtime)
            return function

        return decorate

    def wrapped(self, around: Around) -> Registry:
        """A registry of these runtimes, control elements included, with something around each of their calls.

        Args:
            around: an async function, called with the runtime and the :class:`ExecutionParams` that it is to be
                handed; what it returns is the node's output. ``await runtime.execute(params)`` calls the runtime,
                any number of times or not at all. ``runtime.type`` tells what it is.

        Returns:
            a registry over this one. What is registered in it is not wrapped; wraps may be wrapped again, and the
            last one is the outermost.

        Caching, tracing and stubs are such wraps. Cancellation reaches ``around`` at its next checkpoint; it must
        let ``trio.Cancelled`` pass, as a runtime must.
        """
        return _WrappedRegistry(self, around)

    def only(self, *names: str) -> Registry:
        """A registry of these runtimes and no others: what a document of someone else may use.

        Args:
            names: names of runtimes; ``control:*`` stands for all of a family that are registered now.

        Returns:
            a registry over this one. More can be registered in it.

        Raises RuntimeNotFound for a name, or a family, that is not registered, with the nearest one.
        """
        known = self.names()
        allowed: set[str] = set()
        for name in names:
            family = [other for other in known if name == f"{other.partition(':')[0]}:*"]
            if not family:
                self.get_runtime(name)  # or it says that there is none
            allowed.update(family or [name])
        return _NarrowedRegistry(self, allowed)

    def has_runtime(self, name: str) -> bool:
        """Whether a runtime of that name is registered here or in the base."""
        return self._find(name) is not None

    def get_runtime(self, name: str) -> NodeRuntime:
        """The runtime of that name; raises RuntimeNotFound with the nearest known name."""
        found = self._find(name)
        if found is None:
            near = nearest(name, self.names())
            hint = f"; did you mean {near!r}?" if near else ""
            raise RuntimeNotFound(f"no runtime named {name!r} is registered{hint}")
        return found

    def names(self) -> list[str]:
        """All names that can be found, sorted."""
        own = {*self._runtimes, *self._homes}
        return sorted(own if self._base is None else own | set(self._base.names()))

    def _find(self, name: str) -> NodeRuntime | None:
        found = self._own(name)
        if found is None and self._base is not None:
            return self._base._find(name)
        return found

    def _own(self, name: str) -> NodeRuntime | None:
        """The runtime of that name that is registered here, or None; its home is imported if need be."""
        if name not in self._runtimes and name in self._homes:
            import_module(self._homes[name])  # it may be importing just now, and register it next
        return self._runtimes.get(name)


class _WrappedRegistry(Registry):
    def __init__(self, base: Registry, around: Around) -> None:
        super().__init__(base)
        self._around = around

    def _find(self, name: str) -> NodeRuntime | None:
        own = self._own(name)
        if own is not None or self._base is None:
            return own
        found = self._base._find(name)
        return None if found is None else Wrapped(found, self._around)


class _NarrowedRegistry(Registry):
    def __init__(self, base: Registry, allowed: Set[str]) -> None:
        super().__init__(base)
        self._allowed = allowed

    def names(self) -> list[str]:
        return sorted({*self._runtimes, *self._allowed})

    def _find(self, name: str) -> NodeRuntime | None:
        own = self._own(name)
        if own is not None or self._base is None or name not in self._allowed:
            return own
        return self._base._find(name)


def _shape_of(output: str | Mapping[str, Any] | None) -> Shape:
    """What a runtime says that it returns."""
    if output is None:
        return UNKNOWN
    return shape_of_schema(schema_of_text(output) if isinstance(output, str) else output)


def _check_coroutine(name: str, function: object, what: str = "") -> None:
    """Refuse what cannot be awaited as a runtime, before a run fails with it."""
    if _is(inspect.iscoroutinefunction, function):
        return
    if _is(inspect.isasyncgenfunction, function):
        found, instead = (
            "an async generator function (there is a yield in it)",
            "return what it is to give; for items one by one, let the application give an async iterable to "
            "<foreach>",
        )
    elif callable(function):
        found, instead = (
            "a plain function",
            "write `async def`, and call blocking code with `await trio.to_thread.run_sync(…)`; or register it "
            "with blocking_runtime, and give its nodes a place",
        )
    else:
        found, instead = (
            "not callable",
            "give an async function of one argument, the ExecutionParams, or an object with such a method "
            "`execute`",
        )
    raise FlowScriptError(
        f"{what}the runtime {name!r} is {found}; a runtime is a coroutine function: {instead}"
    )


def _check_plain(name: str, function: object) -> None:
    """Refuse what a thread cannot call, or would only get a coroutine from."""
    if not callable(function):
        raise FlowScriptError(f"the runtime {name!r} is not callable; give a function")
    if _is(inspect.iscoroutinefunction, function) or _is(inspect.isasyncgenfunction, function):
        raise FlowScriptError(
            f"the runtime {name!r} is async, and a blocking runtime is a plain function: register it with runtime"
        )


def _is(kind: Callable[[Any], bool], function: Any) -> bool:
    """Whether a function is of a kind, or what it wraps, or its ``__call__``."""
    unwrapped = inspect.unwrap(function) if callable(function) else function
    of_class = getattr(type(unwrapped), "__call__", None)  # noqa: B004 (its kind is asked, not whether it is there)
    return any(kind(each) for each in (function, unwrapped, of_class))


_BUILT_IN = {
    "ai": ["transform:ai"],
    "database": ["source:database", "sink:database"],
    "file": ["source:file", "sink:file"],
    "http": ["source:http", "sink:http"],
    "transform": ["transform:template", "transform:map", "transform:filter", "transform:reduce"],
}
"""The built-in runtimes, by the modules beside this one that register them."""

registry: Registry = Registry(
    homes={
        **{name: f"{__package__}.{home}" for home, names in _BUILT_IN.items() for name in names},
        **{f"control:{tag}": f"{__package__}.{ELEMENTS[tag].home}" for tag in sorted(CONTROLS)},
    }
)
"""The default registry, with the built-in runtimes, each imported when it is first asked for.

As of every registry, nothing of it waits, so cancellation does nothing to it.
"""


def runtime(
    name: str,
    *,
    config: type[BaseModel] | None = None,
    reads_only: bool = False,
    timeout: float | None = None,
    output: str | Mapping[str, Any] | None = None,
) -> Callable[[RuntimeFunction], RuntimeFunction]:
    """:meth:`Registry.runtime` of the default registry.

    When its branch, its block or its run is cancelled, so is the function, at its next checkpoint.
    """
    return registry.runtime(
        name, config=config, reads_only=reads_only, timeout=timeout, output=output
    )


def blocking_runtime(
    name: str,
    *,
    config: type[BaseModel] | None = None,
    reads_only: bool = False,
    timeout: float | None = None,
    abandon_on_cancel: bool = False,
) -> Callable[[PlainFunction], PlainFunction]:
    """:meth:`Registry.blocking_runtime` of the default registry.

    A node that is cancelled waits in a thread for the function to return, unless it says that it need not.
    """
    return registry.blocking_runtime(
        name,
        config=config,
        reads_only=reads_only,
        timeout=timeout,
        abandon_on_cancel=abandon_on_cancel,
    )


def has_runtime(name: str) -> bool:
    """:meth:`Registry.has_runtime` of the default registry."""
    return registry.has_runtime(name)


def get_runtime(name: str) -> NodeRuntime:
    """:meth:`Registry.get_runtime` of the default registry."""
    return registry.get_runtime(name)
