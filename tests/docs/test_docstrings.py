"""Owns the check that every public name says what cancellation does to it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio import testing

PUBLIC = [(fs, name) for name in fs.__all__] + [(testing, name) for name in testing.__all__]


def docstring(module: Any, name: str) -> str:
    """What stands at a name itself: inherited docstrings, and those of a value's class, do not count."""
    value = getattr(module, name)
    if inspect.isclass(value):
        return vars(value).get("__doc__") or ""
    if inspect.isroutine(value):
        return value.__doc__ or ""
    return next(_behind(name), "") or (
        vars(type(value)).get("__doc__") or "" if is_ours(value) else ""
    )


def is_ours(value: object) -> bool:
    return type(value).__module__.startswith("flowscript_trio")


def _behind(name: str) -> Iterator[str]:
    """The texts that stand behind assignments of a name in the package."""
    for module in [m for key, m in sys.modules.items() if key.startswith("flowscript_trio")]:
        file = getattr(module, "__file__", None)
        body = ast.parse(Path(file).read_text(encoding="utf-8")).body if file else []
        for here, after in pairwise(body):
            targets = here.targets if isinstance(here, ast.Assign) else []
            named = any(isinstance(t, ast.Name) and t.id == name for t in targets)
            if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                yield str(after.value.value)


def says_what_cancellation_does(text: str) -> bool:
    return "cancel" in text.lower()


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_a_public_name_says_what_cancellation_does_to_it(module: Any, name: str) -> None:
    assert says_what_cancellation_does(docstring(module, name))


def waiting() -> list[tuple[type, str]]:
    """The public methods that wait."""
    found = []
    for module, name in PUBLIC:
        value = getattr(module, name)
        for method, function in vars(value).items() if inspect.isclass(value) else ():
            if inspect.iscoroutinefunction(function) and not method.startswith("_"):
                found.append((value, method))
    return found


@pytest.mark.parametrize(("owner", "method"), waiting())
def test_a_method_that_waits_says_what_cancellation_does_to_it(owner: type, method: str) -> None:
    assert says_what_cancellation_does(getattr(owner, method).__doc__ or "")


def test_a_name_that_does_not_say_it_is_found() -> None:
    class Silent(fs.Flow):
        pass

    module = import_module(__name__)
    vars(module)["Silent"] = Silent
    assert not says_what_cancellation_does(docstring(module, "Silent"))
    assert (fs.Run, "wait") in waiting()
    assert says_what_cancellation_does(docstring(fs, "DEFAULT_MAX_CONCURRENCY"))
    assert not says_what_cancellation_does(docstring(fs, "__version__"))
