"""Owns ``extract``: a JMESPath expression, compiled when the document is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...types.errors import FlowScriptError, nearest


class Extract:
    """A compiled JMESPath expression. As a pydantic field it is made from text."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        """Compile; raises ValueError for what is not a JMESPath expression, an unknown function included."""
        import jmespath
        from jmespath.exceptions import JMESPathError

        try:
            compiled = jmespath.compile(text)
        except JMESPathError as exc:
            reason = str(exc).splitlines()[0]
            raise ValueError(f"{text!r} is not a JMESPath expression: {reason}") from None
        except RecursionError:
            raise ValueError("the JMESPath expression nests too deeply") from None
        _check_functions(compiled.parsed)
        self.text: str = text
        self._search = compiled.search

    def __call__(self, value: Any) -> Any:
        """What the expression finds in a value, null for nothing; raises FlowScriptError where it fails."""
        try:
            return self._search(value)
        except RecursionError:
            raise FlowScriptError(
                f"the extract {self.text!r} failed: the value nests too deeply"
            ) from None
        except TypeError as exc:  # not JMESPath's own
            raise FlowScriptError(
                f"the extract {self.text!r} failed: it compares values of different kinds ({exc}); "
                "expected numbers on both sides, such as to_number(id) > `1`"
            ) from None
        except Exception as exc:
            raise FlowScriptError(f"the extract {self.text!r} failed: {exc}") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def _check_functions(tree: Any) -> None:
    """Raise ValueError for a function that does not exist: JMESPath itself says so only when it is called."""
    from jmespath.functions import Functions

    known = Functions.FUNCTION_TABLE
    for name in _functions_in(tree):
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ValueError(f"JMESPath has no function {name!r}{hint}")


def _functions_in(tree: Any) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node["type"] == "function_expression":
            yield node["value"]
        waiting += [child for child in node["children"] if isinstance(child, dict)]
