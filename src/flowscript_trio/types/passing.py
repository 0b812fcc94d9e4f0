"""Owns context managers through which an error passes untouched.

Those of ``contextlib`` throw the error into a generator and set its traceback again, which its class may refuse (a
frozen dataclass does): the error that the block raised would be lost behind another one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def passing(steps: Callable[P, Generator[T, None, None]]) -> Callable[P, Passing[T]]:
    """As ``contextlib.contextmanager``, for a generator that ends in the same way however the block does.

    The generator is closed when the block ends, so that what is in its ``finally`` is done; it never learns what
    the block raised.
    """

    @wraps(steps)
    def make(*args: P.args, **kwargs: P.kwargs) -> Passing[T]:
        return Passing(steps(*args, **kwargs))

    return make


class Passing(Generic[T]):
    """The context manager that :func:`passing` makes of a generator."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Generator[T, None, None]) -> None:
        self._steps = steps

    def __enter__(self) -> T:
        return next(self._steps)

    def __exit__(self, *_: object) -> None:
        self._steps.close()
